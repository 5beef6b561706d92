//! Images in memory: bytes with their shape.

use std::fmt;

/// Part of a dataset: what a model learns from, or what it is judged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// Images to learn from.
    Train,
    /// Images to evaluate on.
    Test,
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Train => "train",
            Self::Test => "test",
        })
    }
}

/// Images of one shape, one byte a value, in index order and `[c, h, w]` order within an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    shape: [usize; 3],
    pixels: Vec<u8>,
}

impl Images {
    /// Wraps the bytes of whole images of the given shape `[c, h, w]`; none if the bytes do not divide into images.
    #[must_use]
    pub fn new(shape: [usize; 3], pixels: Vec<u8>) -> Option<Self> {
        let dimensions: usize = shape.iter().product();
        (dimensions > 0 && pixels.len().is_multiple_of(dimensions)).then_some(Self { shape, pixels })
    }

    /// Channels, height and width.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Number of values of one image.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pixels.len() / self.dimensions()
    }

    /// Says whether there is no image.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// The bytes of one image, `[c, h, w]`.
    ///
    /// # Panics
    /// If there is no such image.
    #[must_use]
    pub fn image(&self, index: usize) -> &[u8] {
        let dimensions = self.dimensions();
        &self.pixels[index * dimensions..(index + 1) * dimensions]
    }

    /// All bytes, image after image.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

/// Appends an image's bytes as values in `[0, 1]`: byte / 255, rounded once, as the published models read them.
pub(crate) fn append_unit_values(values: &mut Vec<f32>, image: &[u8]) {
    values.extend(image.iter().map(|&byte| f32::from(byte) / 255.0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_do_not_divide_into_images_are_refused() {
        assert!(Images::new([1, 2, 2], vec![0; 7]).is_none());
        assert!(Images::new([1, 0, 2], Vec::new()).is_none());
    }

    #[test]
    fn image_is_its_slice_of_the_bytes() {
        let images = Images::new([1, 1, 2], vec![1, 2, 3, 4]).unwrap();

        assert_eq!(images.len(), 2);
        assert_eq!(images.image(1), [3, 4]);
    }
}
