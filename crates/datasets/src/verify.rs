//! Checks the files of a dataset one by one, labels included, and says what was found.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::catalogue::{Checksum, Coverage, Entry, Format, Source, WantedFile};
use crate::digest::Hashed;
use crate::error::LoadError;
use crate::examples::Split;
use crate::idx_files;
use crate::load::{in_table, load_array};
use crate::location::{DataDirectory, MissingFile};
use crate::published;
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
        /// Files in it that are known to be damaged and are left out of the dataset.
        left_out: Vec<String>,
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

/// What a sound file holds.
#[derive(Debug, Default)]
struct Sound {
    examples: Option<usize>,
    left_out: Vec<String>,
}

impl Sound {
    fn examples(examples: usize) -> Self {
        Self { examples: Some(examples), left_out: Vec::new() }
    }
}

/// What was read already, for another file.
#[derive(Debug, Default)]
struct Seen {
    /// Archives, and whether their bytes are the published ones.
    archives: HashMap<PathBuf, bool>,
    /// Splits whose pictures were read.
    splits: Vec<Split>,
}

/// Checks every file of a dataset, reading it whole; an empty list for a built-in one, which has none. An archive that
/// holds several of the files is read once for its checksum.
#[must_use]
pub fn verify(directory: &DataDirectory, entry: &Entry) -> Vec<FileReport> {
    let mut seen = Seen::default();
    let mut check = |file: &WantedFile| {
        let path = match directory.find(entry, file) {
            Ok(path) => path,
            Err(missing) => return FileOutcome::Missing(missing),
        };
        match check_file(directory, entry, file, &path, &mut seen) {
            Ok(Sound { examples, left_out }) => FileOutcome::Verified { path, examples, left_out },
            Err(damage) => FileOutcome::Damaged(damage),
        }
    };
    directory.files(entry).into_iter().map(|file| FileReport { outcome: check(&file), file }).collect()
}

/// Reads one file and counts its examples.
fn check_file(
    directory: &DataDirectory,
    entry: &Entry,
    file: &WantedFile,
    path: &Path,
    seen: &mut Seen,
) -> Result<Sound, LoadError> {
    let split = file.split.unwrap_or(Split::Train);
    if file.is_array {
        let array = if let Source::Arrays { array, .. } = entry.source { array } else { "images" };
        return Ok(Sound::examples(load_array(path, array, entry, split, None, &Scaling::none())?.len()));
    }
    match entry.source {
        Source::Idx { files, .. } => {
            let described = files.iter().find(|described| WantedFile::idx(described) == *file);
            idx_files::read(path, described.expect("wanted files are made from these"), 0, &mut Vec::new())?;
            Ok(Sound::default())
        }
        Source::Published { format, .. } => check_published(directory, entry, format, file, path, seen),
        Source::Hepmass { class } => {
            let KeptColumns { columns, kept } = KeptColumns::read(directory, entry)?;
            let mut rows = 0;
            let mut count = |_: &[f64]| {
                rows += 1;
                Ok(())
            };
            let mut read = || read_class(open(path)?, class, columns, &kept, None, &mut count);
            read().map_err(|problem| in_table(path, problem))?;
            Ok(Sound::examples(rows))
        }
        Source::Miniboone { class } => {
            let read = || ClassRows::read(open(path)?, class, entry.dimensions());
            let rows = read().map_err(|problem| in_table(path, problem))?;
            Ok(Sound::examples(rows.of_split(Split::Train).count() + rows.of_split(Split::Test).count()))
        }
        Source::Arrays { .. } | Source::Procedural(_) | Source::ProceduralVectors(_) => Ok(Sound::default()),
    }
}

/// Compares a file with its published checksum; without one, reads every picture of the split.
fn check_published(
    directory: &DataDirectory,
    entry: &Entry,
    format: Format,
    file: &WantedFile,
    path: &Path,
    seen: &mut Seen,
) -> Result<Sound, LoadError> {
    let is_known = match seen.archives.get(path) {
        Some(&is_known) => is_known,
        None => {
            let is_known = has_published_bytes(entry, path)?;
            seen.archives.insert(path.to_owned(), is_known);
            is_known
        }
    };
    // What is known by its checksum need not be decoded; the list that splits CelebA and loose labels are read with the
    // pictures.
    if is_known || !file.is_needed || is_list(path) {
        return Ok(Sound::default());
    }
    let splits = file.split.map_or(vec![Split::Train, Split::Test], |split| vec![split]);
    let mut sound = Sound::default();
    for split in splits {
        if seen.splits.contains(&split) {
            continue;
        }
        seen.splits.push(split);
        let (examples, left_out) = published::count(directory, entry, format, split)?;
        sound.examples = Some(sound.examples.unwrap_or_default() + examples);
        sound.left_out.extend(left_out);
    }
    Ok(sound)
}

fn is_list(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "txt")
}

/// Compares a file with the size and the checksum that are published for its name; false if there is no checksum.
fn has_published_bytes(entry: &Entry, path: &Path) -> Result<bool, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let named = |name: &str| path.file_name().is_some_and(|file| file == name);
    let Some(published) = entry.downloads().iter().find(|download| named(download.file_name)) else { return Ok(false) };
    if path.is_dir() {
        return Ok(false);
    }
    let file = File::open(path).map_err(unreadable)?;
    let found = file.metadata().map_err(unreadable)?.len();
    if let Some(expected) = published.bytes.filter(|&expected| expected != found) {
        return Err(LoadError::WrongSize { path: path.to_owned(), expected, found });
    }
    let Some(digest) = published.digest else { return Ok(false) };
    let reader = Hashed::new(BufReader::with_capacity(1 << 18, file), Some(digest));
    match reader.finish().map_err(unreadable)? {
        Some(found) if found != digest.hexadecimal() => {
            let expected = Checksum { digest, covers: Coverage::Served };
            Err(LoadError::WrongDigest { path: path.to_owned(), expected, found })
        }
        _ => Ok(true),
    }
}
