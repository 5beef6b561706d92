//! What can be wrong with a user's own files.

use std::path::PathBuf;

use thiserror::Error;

use crate::examples::{Shape, Split};

/// What is wrong with a user's own files. None of these goes away by trying again.
#[derive(Debug, Error)]
pub enum OwnError {
    /// Nothing lies there.
    #[error(
        "there is nothing at {}; put a folder of PNG or JPEG pictures there, or a .npy, .npz, .safetensors, .csv, .csv.gz or \
         .parquet file",
        path.display()
    )]
    Nothing {
        /// Where it should lie.
        path: PathBuf,
    },
    /// What lies there is not read.
    #[error("{} cannot be used: {problem}", path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// Two files that could both be the split.
    #[error("{} and {} could both be the {split} split; remove one of them", first.display(), second.display())]
    Ambiguous {
        /// The split.
        split: Split,
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// There is no such split.
    #[error("{dataset} has no {split} split; put its {} into {}", what(*split), put.display())]
    NoSplit {
        /// The dataset.
        dataset: String,
        /// The split asked for.
        split: Split,
        /// Where it would be found.
        put: PathBuf,
    },
    /// A picture of another size than the dataset's name says.
    #[error(
        "{} is {found} (channels×height×width), and the name of the dataset says {expected}; every picture must have one shape: \
         resize the files, or correct the name and add a step such as `|resize=32x32:bilinear`",
        path.display()
    )]
    PictureShape {
        /// The file.
        path: PathBuf,
        /// Its shape.
        found: Shape,
        /// The shape in the dataset's name.
        expected: Shape,
    },
    /// A row with too few or too many columns.
    #[error(
        "{}: {place} has {found} columns of features, and {expected} are expected; a column of labels must be named `label`",
        path.display()
    )]
    Columns {
        /// The file.
        path: PathBuf,
        /// The line or the table.
        place: String,
        /// Values of an example.
        expected: usize,
        /// Columns found.
        found: usize,
    },
    /// A value that cannot be used.
    #[error("{}: {place}, column {column} is `{value}`, and {expected} is expected", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The line or the row.
        place: String,
        /// The column's name or its number.
        column: String,
        /// What stands there.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// Nothing to read in a split.
    #[error("{} holds no example", path.display())]
    Empty {
        /// The file or folder.
        path: PathBuf,
    },
}

fn what(split: Split) -> &'static str {
    match split {
        Split::Train => "examples to learn from",
        Split::Test => "examples to evaluate on",
    }
}

impl OwnError {
    /// Says what is wrong with a file or folder.
    pub(super) fn unusable(path: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self::Unusable { path: path.into(), problem: problem.into() }
    }
}
