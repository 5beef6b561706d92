//! Why a dataset could not be read.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::arrays::ArrayError;
use crate::catalogue::UnknownDataset;
use crate::examples::{Shape, Split};
use crate::idx::IdxError;
use crate::location::MissingFile;
use crate::tables::TableError;

/// Why a dataset could not be read. None of these goes away by trying again.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file lies in none of the known places.
    #[error(transparent)]
    Missing(#[from] MissingFile),
    /// The operating system refused to read a file.
    #[error("cannot read {}: {source}; check the file's permissions and the disk", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The compressed bytes do not decompress.
    #[error("{} is a damaged gzip file: {source}; fetch it again", path.display())]
    CorruptGzip {
        /// The file.
        path: PathBuf,
        /// The decoder's complaint.
        source: io::Error,
    },
    /// The decompressed bytes are not the IDX file that the catalogue describes.
    #[error("{} is not the file it should be: {source}; fetch it again", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: IdxError,
    },
    /// The decompressed bytes have another checksum.
    #[error("{} has MD5 {found}, expected {expected} (over the decompressed bytes); fetch it again", path.display())]
    WrongDigest {
        /// The file.
        path: PathBuf,
        /// The catalogue's MD5, in hexadecimal.
        expected: &'static str,
        /// The file's MD5, in hexadecimal.
        found: String,
    },
    /// An array file does not hold what the catalogue describes.
    #[error("{} cannot be used: {source}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ArrayError,
    },
    /// A table does not hold what the catalogue describes.
    #[error("{} cannot be used: {source}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TableError,
    },
    /// No entry of the catalogue.
    #[error(transparent)]
    Unknown(#[from] UnknownDataset),
    /// A dataset that is not read yet.
    #[error("dataset {dataset} cannot be read: steps and own files are not read by this version")]
    Steps {
        /// The dataset.
        dataset: String,
    },
    /// A dataset without such a split.
    #[error("dataset {dataset} has no {split} split; use it as an out-of-distribution dataset")]
    NoSplit {
        /// The dataset.
        dataset: &'static str,
        /// What was asked for.
        split: Split,
    },
    /// A feature that standardisation would divide by zero.
    #[error("{feature} of dataset {dataset} is constant over {rows} training rows and cannot be standardised")]
    ConstantFeature {
        /// The learned dataset.
        dataset: &'static str,
        /// The feature, by its name in the file or its index.
        feature: String,
        /// Rows of the training part.
        rows: u64,
    },
    /// A dataset that cannot be scaled as the learned one.
    #[error("dataset {dataset} has {shape} and cannot be scaled as {learned}, which has {features} features")]
    OtherFeatures {
        /// The dataset.
        dataset: &'static str,
        /// Its shape.
        shape: Shape,
        /// The learned dataset.
        learned: &'static str,
        /// Features of the learned dataset.
        features: usize,
    },
}
