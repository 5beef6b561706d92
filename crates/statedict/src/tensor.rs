//! One named tensor: its element type, its shape and its contiguous bytes.

use std::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::element::ElementType;

/// A tensor's bytes are not as many as its shape asks for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("tensor {name:?}: {element} elements of shape {shape:?} do not fill its {bytes} bytes exactly")]
pub struct WrongSize {
    /// The tensor.
    pub name: String,
    /// Its element type.
    pub element: ElementType,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The bytes given.
    pub bytes: usize,
}

/// A named tensor in memory: row-major, contiguous, little-endian.
#[derive(Clone, PartialEq, Eq)]
pub struct Tensor {
    name: String,
    element: ElementType,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    /// A tensor over bytes in row-major order. An empty shape is a single number.
    ///
    /// # Errors
    /// [`WrongSize`], if the shape and the element type ask for another number of bytes.
    pub fn new(
        name: impl Into<String>,
        element: ElementType,
        shape: Vec<usize>,
        bytes: Vec<u8>,
    ) -> Result<Self, WrongSize> {
        let name = name.into();
        if bytes_of(element, &shape) != Some(bytes.len()) {
            return Err(WrongSize { name, element, shape, bytes: bytes.len() });
        }
        Ok(Self { name, element, shape, bytes })
    }

    /// Its name, `body.2.0.module1.rescale.weight` say.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its elements.
    #[must_use]
    pub fn element(&self) -> ElementType {
        self.element
    }

    /// Its sizes, outermost first; empty for a single number.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its elements in row-major order, little-endian.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The number of its elements.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.bytes.len() / self.element.bytes()
    }

    /// SHA-256 of its bytes; neither name nor shape has a part in it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// The same tensor under another name.
    #[must_use]
    pub fn renamed(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }
}

/// Says what it is, not its millions of bytes.
impl fmt::Debug for Tensor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Tensor({:?}, {} {:?})", self.name, self.element, self.shape)
    }
}

/// The bytes of a tensor, or `None` beyond what memory can address.
pub(crate) fn bytes_of(element: ElementType, shape: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(element.bytes(), |product, &size| product.checked_mul(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_and_bytes_must_agree() {
        let whole = Tensor::new("weight", ElementType::F32, vec![2, 3], vec![0; 24]).unwrap();
        let short = Tensor::new("weight", ElementType::F32, vec![2, 3], vec![0; 23]).unwrap_err();

        assert_eq!((whole.elements(), whole.shape()), (6, &[2, 3][..]));
        assert!(short.to_string().contains("\"weight\"") && short.to_string().contains("[2, 3]"), "{short}");
    }

    #[test]
    fn single_number_has_one_element_and_empty_shape_with_a_zero_none() {
        assert_eq!(Tensor::new("count", ElementType::I64, vec![], vec![0; 8]).unwrap().elements(), 1);
        assert_eq!(Tensor::new("none", ElementType::I64, vec![0, usize::MAX, 7], vec![]).unwrap().elements(), 0);
        assert!(Tensor::new("huge", ElementType::I64, vec![usize::MAX, 7], vec![]).is_err());
    }

    #[test]
    fn digest_is_of_the_bytes() {
        let tensor = Tensor::new("a", ElementType::U8, vec![3], b"abc".to_vec()).unwrap();

        let digest = tensor.digest();

        // FIPS 180-2, appendix B.1.
        assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(tensor.renamed("b").digest(), digest);
    }
}
