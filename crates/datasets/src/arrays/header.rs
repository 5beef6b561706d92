//! What is known of an array before its elements are read.

use std::io::Read;

use super::element::Element;
use super::error::ArrayError;

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
    pub(super) fn check_payload(&self, found: u64) -> Result<(), ArrayError> {
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
