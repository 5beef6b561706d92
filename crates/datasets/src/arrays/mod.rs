//! Arrays in files: `.npy`, `.npz` and `.safetensors`, read as a stream into the memory that keeps them.
//!
//! It never trusts a header: what a file states is compared with its size before anything is allocated.

mod container;
mod element;
mod npy;
mod read;

use std::io::{self, Read};

use thiserror::Error;

pub use container::with_array;
pub use element::Element;
pub use read::{read_bytes, read_rows};

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
    /// The examples do not fit the memory.
    #[error("its {bytes} bytes of examples do not fit the memory; limit the number of examples")]
    TooLarge {
        /// Bytes asked for.
        bytes: usize,
    },
}

impl ArrayError {
    /// Tells a file's damage, which a new copy mends, from a disk's.
    fn of_reading(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged { problem: "it ends too early".to_owned() },
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
                Self::Damaged { problem: error.to_string() }
            }
            _ => Self::Io(error),
        }
    }
}

/// What a header says about an array in C order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayHeader {
    /// The type of its elements.
    pub element: Element,
    /// Outermost first.
    pub dimensions: Vec<usize>,
}

impl ArrayHeader {
    /// Size of all elements in bytes; none if it overflows or the type is not read.
    fn payload_bytes(&self) -> Option<u64> {
        let elements = self.dimensions.iter().try_fold(1_u64, |product, &size| product.checked_mul(size as u64))?;
        elements.checked_mul(self.element.bytes()? as u64)
    }

    /// Compares the size that the header asks for with the size that is there.
    ///
    /// # Errors
    /// [`ArrayError::Damaged`] if they differ. A type that is not read has no size and passes.
    fn check_payload(&self, found: u64) -> Result<(), ArrayError> {
        if matches!(self.element, Element::Other(_)) {
            return Ok(());
        }
        match self.payload_bytes() {
            Some(expected) if expected == found => Ok(()),
            expected => Err(ArrayError::Damaged {
                problem: format!(
                    "a {} array of shape {:?} takes {} bytes, and {found} are there",
                    self.element,
                    self.dimensions,
                    expected.map_or_else(|| "too many".to_owned(), |bytes| bytes.to_string()),
                ),
            }),
        }
    }
}

/// An array that is open for reading.
pub struct OpenArray<'a> {
    /// What its header says; its size was compared with the file's.
    pub header: ArrayHeader,
    /// Its elements from the first one on.
    pub elements: &'a mut dyn Read,
    /// Length of the array `labels` beside it, if there is one.
    pub labels: Option<usize>,
}
