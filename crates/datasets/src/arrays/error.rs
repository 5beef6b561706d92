//! What can be wrong with an array file.

use std::io;

use thiserror::Error;

/// What is wrong with an array file.
#[derive(Debug, Error)]
pub enum ArrayError {
    /// The operating system refused to read it.
    #[error(transparent)]
    Io(io::Error),
    /// It is not a file of its format, or cut off.
    #[error("it is damaged: {problem}")]
    Damaged {
        /// What does not fit.
        problem: String,
    },
    /// No array has a name that is looked for.
    #[error("it holds no array named {}; its arrays are: {}", wanted.join(" or "), found.join(", "))]
    NoArray {
        /// The names looked for.
        wanted: Vec<String>,
        /// The names it has.
        found: Vec<String>,
    },
    /// The array's first index runs fastest.
    #[error("its array is in Fortran order; save np.ascontiguousarray(array)")]
    FortranOrder,
    /// The array has other dimensions than the dataset.
    #[error("its array has the shape {found:?}, and {expected} is expected; transpose or reshape it before saving")]
    WrongShape {
        /// The shapes that are read.
        expected: String,
        /// The file's.
        found: Vec<usize>,
    },
    /// The array's elements are of a type that the dataset does not have.
    #[error("its array has elements of type {found}, and {expected}; {remedy}")]
    WrongType {
        /// The types that are read, as half a sentence.
        expected: &'static str,
        /// The file's.
        found: String,
        /// How to convert it.
        remedy: &'static str,
    },
    /// The array has more examples than the dataset.
    #[error("its array has {found} examples, and the split has {known}: it holds something else, or several splits")]
    TooMany {
        /// Examples in the catalogue.
        known: usize,
        /// Examples in the file.
        found: usize,
    },
    /// There is not one label for each example.
    #[error("it has {labels} labels for {examples} examples; save both from the same rows")]
    Labels {
        /// Length of the labels.
        labels: usize,
        /// Length of the examples.
        examples: usize,
    },
    /// A value that is no number, or too large for single precision once scaled.
    #[error("row {row}, column {column} (both from 0) is {value}, and every value must be finite in single precision")]
    NotFinite {
        /// Index of the example.
        row: usize,
        /// Index of the feature.
        column: usize,
        /// The value.
        value: f64,
    },
    /// A label that is none.
    #[error("row {row} (from 0) of its labels is {value}, and a whole number from 0 to 65535 is expected")]
    NoLabel {
        /// Index of the example.
        row: usize,
        /// The value.
        value: i64,
    },
    /// The examples do not fit the memory.
    #[error("its {bytes} bytes of examples do not fit the memory; limit the number of examples")]
    TooLarge {
        /// Bytes asked for.
        bytes: usize,
    },
}

impl ArrayError {
    /// Tells a file's damage, which a new copy mends, from a disk's.
    pub(super) fn of_reading(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged { problem: "it ends too early".to_owned() },
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
                Self::Damaged { problem: error.to_string() }
            }
            _ => Self::Io(error),
        }
    }
}
