//! Why a file could not be fetched.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a file could not be fetched.
#[derive(Debug, Error)]
pub enum DownloadError {
    /// No place was given.
    #[error("no place is known that serves the file")]
    NoPlace,
    /// Another process is fetching the same file.
    #[error("{} is being written by another process: wait for it to end", .0.display())]
    Busy(PathBuf),
    /// The disk refuses.
    #[error("cannot write {}: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The server does not serve the file.
    #[error("{url} answers with status {status}")]
    Refused {
        /// The place.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The connection breaks, or none comes about, again and again.
    #[error(
        "{url} broke off after {done} bytes, again and again: {interruption}; try again later, it goes on from there"
    )]
    CutOff {
        /// The place.
        url: String,
        /// Bytes that are on disk.
        done: u64,
        /// The last interruption.
        interruption: String,
    },
    /// The file is larger than it may be.
    #[error("{url} serves more than the {limit} bytes that the file has")]
    TooLarge {
        /// The place.
        url: String,
        /// The bound.
        limit: u64,
    },
    /// The file has another size.
    #[error("the file has {found} bytes where {expected} are expected; it was thrown away")]
    WrongSize {
        /// Bytes expected.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// The file has another digest.
    #[error("the file has {algorithm} {found} where {expected} is expected; it was thrown away")]
    WrongDigest {
        /// Which digest.
        algorithm: &'static str,
        /// The digest expected.
        expected: String,
        /// The digest found.
        found: String,
    },
}

impl DownloadError {
    /// Whether no other place can help.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Disk { .. } | Self::NoPlace)
    }
}
