//! Why a file of statistics cannot be written or read.

use std::io;

use safetensors::SafeTensorError;
use thiserror::Error;

use crate::file::WrongDigest;
use crate::statistics::FORMAT;

/// Why a file of statistics cannot be written or read.
#[derive(Debug, Error)]
pub enum StatisticsError {
    /// The operating system refused.
    #[error("{0}; check that the folder exists and the disk has room")]
    Disk(#[from] io::Error),
    /// The bytes are not the ones that were asked for.
    #[error(transparent)]
    WrongDigest(WrongDigest),
    /// There are more bytes than any statistics have.
    #[error("{bytes} bytes: statistics have at most {most}")]
    TooLarge {
        /// The size found.
        bytes: u64,
        /// The largest size allowed.
        most: u64,
    },
    /// The bytes are not safetensors.
    #[error("not a safetensors file: {0}")]
    Format(#[from] SafeTensorError),
    /// The header document is absent or of other fields.
    #[error("not a file of statistics: {0}")]
    Header(String),
    /// It was written by another version.
    #[error(
        "statistics of format {found}, and this version reads format {FORMAT}; evaluate the experiment again under a new sweep name"
    )]
    OtherFormat {
        /// Its format.
        found: u32,
    },
    /// A column is absent or not what it must be.
    #[error("column `{name}`: {problem}")]
    Column {
        /// The column.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl StatisticsError {
    pub(crate) fn column(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Column { name: name.into(), problem: problem.into() }
    }
}
