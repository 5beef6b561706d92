//! Files that are there as a whole or not at all, addressed by their SHA-256.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use domain::Digest;
use thiserror::Error;

use crate::StatisticsError;

/// Most bytes of a file of statistics: those of ten million examples have less.
pub(crate) const MAX_FILE_BYTES: u64 = 8 << 30;

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFile {
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Bytes are not the ones that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("damaged: expected SHA-256 {expected}, found {found} ({bytes} bytes); fetch it again from the artifact store")]
pub struct WrongDigest {
    /// The digest asked for.
    pub expected: Digest,
    /// The digest of the bytes.
    pub found: Digest,
    /// Their number.
    pub bytes: usize,
}

/// Writes to a neighbour first, makes it durable, then renames it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<SavedFile> {
    let partial = path.with_extension("partial");
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    // The name is in the folder's own data: without this a power cut can lose it.
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(SavedFile { path: path.to_owned(), digest: Digest::of(bytes), bytes: bytes.len() as u64 })
}

/// Reads a whole file, unless it is larger than any that this crate writes.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, StatisticsError> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that grows while it is read.
    let read = File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)? as u64;
    if read > MAX_FILE_BYTES {
        return Err(StatisticsError::TooLarge { bytes: read, most: MAX_FILE_BYTES });
    }
    Ok(bytes)
}
