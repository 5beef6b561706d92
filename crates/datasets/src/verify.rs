//! Checks the files of a dataset one by one, labels included, and says what was found.

use std::path::PathBuf;

use crate::catalogue::{DataFile, Entry};
use crate::load::{LoadError, read_checked};
use crate::location::{DataDirectory, MissingFile};

/// What was found in the place of one file.
#[derive(Debug)]
pub enum FileOutcome {
    /// The file has the catalogue's format, size and MD5.
    Verified {
        /// Where it lies.
        path: PathBuf,
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
    pub file: &'static DataFile,
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

/// Checks every file of a dataset; an empty list for a procedural one, which has none.
#[must_use]
pub fn verify(directory: &DataDirectory, entry: &Entry) -> Vec<FileReport> {
    let check = |file| {
        let path = match directory.find(entry, file) {
            Ok(path) => path,
            Err(missing) => return FileOutcome::Missing(missing),
        };
        match read_checked(&path, file) {
            Ok(_) => FileOutcome::Verified { path },
            Err(damage) => FileOutcome::Damaged(damage),
        }
    };
    entry.files().iter().map(|file| FileReport { file, outcome: check(file) }).collect()
}
