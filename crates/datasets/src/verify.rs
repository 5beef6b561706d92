//! Checks the files of a dataset one by one, labels included, and says what was found.

use std::path::{Path, PathBuf};

use crate::catalogue::{Entry, Source, WantedFile};
use crate::error::LoadError;
use crate::examples::{Examples, Split};
use crate::idx_files;
use crate::load::{array_file, in_table};
use crate::location::{DataDirectory, MissingFile};
use crate::scaling::{KeptColumns, Scaling};
use crate::tables::hepmass::read_class;
use crate::tables::miniboone::ClassRows;
use crate::tables::open;

/// What was found in the place of one file.
#[derive(Debug)]
pub enum FileOutcome {
    /// The file is what the catalogue describes.
    Verified {
        /// Where it lies.
        path: PathBuf,
        /// Number of examples of the dataset in it; none for labels and files of the publisher's own bytes, which are
        /// known by their checksum.
        examples: Option<usize>,
    },
    /// No known place has the file.
    Missing(MissingFile),
    /// The file cannot be read or is not the one the catalogue describes.
    Damaged(LoadError),
}

/// One file of a dataset and what was found.
#[derive(Debug)]
pub struct FileReport {
    /// The file as the catalogue describes it.
    pub file: WantedFile,
    /// What was found.
    pub outcome: FileOutcome,
}

impl FileReport {
    /// Says whether the file is the one the catalogue describes.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        matches!(self.outcome, FileOutcome::Verified { .. })
    }
}

/// Checks every file of a dataset, reading it whole; an empty list for a built-in one, which has none.
#[must_use]
pub fn verify(directory: &DataDirectory, entry: &Entry) -> Vec<FileReport> {
    let check = |file: &WantedFile| {
        let path = match directory.find(entry, file) {
            Ok(path) => path,
            Err(missing) => return FileOutcome::Missing(missing),
        };
        match check_file(directory, entry, file, &path) {
            Ok(examples) => FileOutcome::Verified { path, examples },
            Err(damage) => FileOutcome::Damaged(damage),
        }
    };
    entry.wanted().into_iter().map(|file| FileReport { outcome: check(&file), file }).collect()
}

/// Reads one file and counts its examples.
fn check_file(
    directory: &DataDirectory,
    entry: &Entry,
    file: &WantedFile,
    path: &Path,
) -> Result<Option<usize>, LoadError> {
    let split = file.split.unwrap_or(Split::Train);
    match entry.source {
        Source::Idx { files, .. } => {
            let described = files.iter().find(|described| WantedFile::idx(described) == *file);
            idx_files::read(path, described.expect("wanted files are made from these"), 0, &mut Vec::new())?;
            Ok(None)
        }
        Source::Arrays { array, .. } => {
            let values = array_file(path, array, entry.shape, split, entry.size(split), None, &Scaling::none())?;
            Ok(Examples::new(entry.shape, values).map(|examples| examples.len()))
        }
        Source::Hepmass { class } => {
            let KeptColumns { columns, kept } = KeptColumns::read(directory, entry)?;
            let mut rows = 0;
            let mut count = |_: &[f64]| {
                rows += 1;
                Ok(())
            };
            let mut read = || read_class(open(path)?, class, columns, &kept, None, &mut count);
            read().map_err(|problem| in_table(path, problem))?;
            Ok(Some(rows))
        }
        Source::Miniboone { class } => {
            let read = || ClassRows::read(open(path)?, class, entry.dimensions());
            let rows = read().map_err(|problem| in_table(path, problem))?;
            Ok(Some(rows.of_split(Split::Train).count() + rows.of_split(Split::Test).count()))
        }
        Source::Procedural(_) | Source::ProceduralVectors(_) => Ok(None),
    }
}
