//! A user's own files: a path below the data directory and the shape that they are said to have.

use std::fmt;

use architecture::InputShape;

use super::dataset::DatasetError;

/// Longest path, in bytes.
const MAX_PATH: usize = 200;
/// Largest number of values of one example.
const MAX_DIMENSIONS: u64 = 1 << 24;

/// `own:PATH@SHAPE`, such as `own:cats@3x32x32` for images or `own:tables/mine.parquet@50` for vectors.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnFiles {
    path: String,
    shape: [u32; 3],
    is_image: bool,
}

impl OwnFiles {
    /// A folder of images, or a file, below the data directory.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The shape that each example is said to have.
    #[must_use]
    pub fn shape(&self) -> InputShape {
        let [channels, height, width] = self.shape;
        if self.is_image {
            InputShape::Image { channels, height, width }
        } else {
            InputShape::Vector { features: channels }
        }
    }

    /// Reads what stands after `own:`.
    pub(super) fn parse(text: &str) -> Result<Self, DatasetError> {
        let refuse = |problem: String| DatasetError::Own { given: text.to_owned(), problem };
        let (path, shape) = text
            .rsplit_once('@')
            .ok_or_else(|| refuse("say the shape after an @, such as @3x32x32 or @50".to_owned()))?;
        let is_plain = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        if path.len() > MAX_PATH || !path.split('/').all(is_plain) {
            let allowed = "a relative path of letters, digits, `.`, `_` and `-` below the data directory expected";
            return Err(refuse(format!("{allowed}, at most {MAX_PATH} bytes")));
        }
        let sizes: Option<Vec<u32>> = shape.split('x').map(|size| size.parse().ok().filter(|&size| size > 0)).collect();
        let sizes = sizes.filter(|sizes| sizes.iter().map(|&size| u64::from(size)).product::<u64>() <= MAX_DIMENSIONS);
        let (shape, is_image) = match sizes.as_deref() {
            Some([features]) => ([*features, 1, 1], false),
            Some([channels @ (1 | 3), height, width]) => ([*channels, *height, *width], true),
            _ => {
                let expected = "CHANNELSxHEIGHTxWIDTH with 1 or 3 channels, or a number of features, expected";
                return Err(refuse(format!("{expected}, of at most {MAX_DIMENSIONS} values")));
            }
        };
        Ok(Self { path: path.to_owned(), shape, is_image })
    }
}

impl fmt::Display for OwnFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [channels, height, width] = self.shape;
        write!(formatter, "own:{}@{channels}", self.path)?;
        if self.is_image { write!(formatter, "x{height}x{width}") } else { Ok(()) }
    }
}
