//! The part of a file that has arrived, and what the server said of it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{DownloadError, Request};

/// What tells whether the server's file is still the one that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The place.
    pub url: String,
    /// A strong entity tag, or the date of the last change.
    pub validator: Option<String>,
    /// Size of the whole file.
    pub total: Option<u64>,
}

/// A file on its way. It is locked while it is open, so that two processes never write one file.
#[derive(Debug)]
pub struct Part {
    file: File,
    path: PathBuf,
    note: PathBuf,
}

impl Part {
    /// The part beside the final place `to`, begun anew if there is none.
    pub fn open(to: &Path) -> Result<Self, DownloadError> {
        let beside = |ending: &str| {
            let mut name = to.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let (path, note) = (beside(".part"), beside(".part.json"));
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(|source| DownloadError::Disk { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DownloadError::Busy(path)),
            Err(TryLockError::Error(source)) => return Err(DownloadError::Disk { path, source }),
        }
        // Whoever held the lock before may just have given this file its final name.
        let part = Self { file, path, note };
        if part.path.exists() { Ok(part) } else { Err(DownloadError::Busy(part.path)) }
    }

    /// Bytes that have arrived.
    pub fn len(&self) -> Result<u64, DownloadError> {
        self.file.metadata().map(|found| found.len()).map_err(|source| self.disk(source))
    }

    /// What the server said when the part was begun; none if nobody knows.
    pub fn origin(&self) -> Option<Origin> {
        fs::read(&self.note).ok().and_then(|text| serde_json::from_slice(&text).ok())
    }

    /// Begins anew.
    pub fn begin(&mut self, origin: &Origin) -> Result<(), DownloadError> {
        self.clear()?;
        let text = serde_json::to_vec(origin).map_err(|source| self.disk(source.into()))?;
        fs::write(&self.note, text).map_err(|source| DownloadError::Disk { path: self.note.clone(), source })
    }

    /// Throws away what has arrived.
    pub fn clear(&mut self) -> Result<(), DownloadError> {
        // The note first: a part without one is begun anew.
        let _ = fs::remove_file(&self.note);
        self.file.set_len(0).map_err(|source| self.disk(source))
    }

    /// Goes to the end, where the next piece is put.
    pub fn seek_end(&mut self) -> Result<(), DownloadError> {
        self.file.seek(SeekFrom::End(0)).map(|_| ()).map_err(|source| self.disk(source))
    }

    /// Puts a piece at the end.
    pub fn append(&mut self, piece: &[u8]) -> Result<(), DownloadError> {
        self.file.write_all(piece).map_err(|source| self.disk(source))
    }

    /// Size and digest of what arrived against what was asked for; yields the size.
    pub fn check(&mut self, request: &Request<'_>) -> Result<u64, DownloadError> {
        let found = self.len()?;
        if let Some(expected) = request.bytes.filter(|&expected| expected != found) {
            return Err(DownloadError::WrongSize { expected, found });
        }
        if let Some(digest) = request.digest {
            self.file.rewind().map_err(|source| self.disk(source))?;
            let found = digest.algorithm.of(&mut self.file).map_err(|source| self.disk(source))?;
            if !found.eq_ignore_ascii_case(digest.hex) {
                let (algorithm, expected) = (digest.algorithm.name(), digest.hex.to_owned());
                return Err(DownloadError::WrongDigest { algorithm, expected, found });
            }
        }
        Ok(found)
    }

    /// Gives the part its final name, for good.
    pub fn keep(self, to: &Path) -> Result<(), DownloadError> {
        self.file.sync_all().map_err(|source| self.disk(source))?;
        fs::rename(&self.path, to).map_err(|source| DownloadError::Disk { path: to.to_owned(), source })?;
        let _ = fs::remove_file(&self.note);
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|source| DownloadError::Disk { path: folder.to_owned(), source })
    }

    /// Leaves what has arrived for the next try, and no empty file.
    pub fn leave(self) {
        if matches!(self.len(), Ok(0)) {
            let _ = fs::remove_file(&self.note);
            let _ = fs::remove_file(&self.path);
        }
    }

    fn disk(&self, source: io::Error) -> DownloadError {
        DownloadError::Disk { path: self.path.clone(), source }
    }
}
