//! Why a dataset could not be read.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use catalogue::Dataset;
use thiserror::Error;

use crate::arrays::ArrayError;
use crate::catalogue::{Checksum, UnknownDataset};
use crate::examples::{Shape, Split};
use crate::idx::IdxError;
use crate::location::MissingFile;
use crate::own::OwnError;
use crate::published::PublishedError;
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
    /// The bytes have another checksum.
    #[error(
        "{} has {} {found}, expected {} ({}); fetch it again",
        path.display(), expected.digest.algorithm(), expected.digest.hexadecimal(), expected.covers
    )]
    WrongDigest {
        /// The file.
        path: PathBuf,
        /// The published checksum.
        expected: Checksum,
        /// The file's, in hexadecimal.
        found: String,
    },
    /// The file has another size than its publisher states.
    #[error("{} has {found} bytes, and the publisher's has {expected}; fetch it again", path.display())]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// The published size.
        expected: u64,
        /// The file's.
        found: u64,
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
    /// A user's own files are not what they should be.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// A publisher's file or folder does not hold what the catalogue describes.
    #[error("{} cannot be used: {source}", path.display())]
    Published {
        /// The file or the folder.
        path: PathBuf,
        /// What is wrong with it.
        source: PublishedError,
    },
    /// No entry of the catalogue.
    #[error(transparent)]
    Unknown(#[from] UnknownDataset),
    /// Classes are wanted of examples without labels.
    #[error("the {split} split of {dataset} has no labels; leave the step `classes` out")]
    NoLabels {
        /// The dataset.
        dataset: String,
        /// The split.
        split: Split,
    },
    /// No example has a wanted label.
    #[error("the {split} split of {dataset} has no example with one of these labels; its labels are {found}")]
    EmptyClasses {
        /// The dataset.
        dataset: String,
        /// The split.
        split: Split,
        /// The labels that there are.
        found: String,
    },
    /// Images are wanted of a dataset of vectors.
    #[error("{dataset} has no images for a feature extractor")]
    NoImages {
        /// The dataset.
        dataset: String,
    },
    /// The examples do not fit the memory.
    #[error(
        "the {split} split of {dataset} takes {bytes} bytes or more and does not fit the memory; limit the number of examples"
    )]
    TooLarge {
        /// The dataset.
        dataset: String,
        /// The split.
        split: Split,
        /// Bytes asked for.
        bytes: usize,
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
        dataset: String,
        /// Its shape.
        shape: Shape,
        /// The learned dataset.
        learned: &'static str,
        /// Features of the learned dataset.
        features: usize,
    },
}

/// Most labels named in a message.
const MAX_NAMED_LABELS: usize = 20;

impl LoadError {
    /// Refuses classes that no example has, and names those that there are.
    pub(crate) fn empty_classes(dataset: &Dataset, split: Split, labels: &[u32]) -> Self {
        let distinct: BTreeSet<u32> = labels.iter().copied().collect();
        let mut found: Vec<String> = distinct.iter().take(MAX_NAMED_LABELS).map(u32::to_string).collect();
        if distinct.len() > MAX_NAMED_LABELS {
            found.push(format!("{} more", distinct.len() - MAX_NAMED_LABELS));
        }
        Self::EmptyClasses { dataset: dataset.to_string(), split, found: found.join(", ") }
    }
}
