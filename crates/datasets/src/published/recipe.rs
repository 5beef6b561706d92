//! From a picture as it was published to an example: checked, cropped, resized, inverted.

use catalogue::{Filter, Size};

use super::picture::{Largest, Picture, decode};
use crate::transform::{Pipeline, Resizer};

/// Largest picture read where sizes vary; the largest of the textures has 640 pixels a side.
const MAX_SIDE: usize = 4096;
const MAX_PIXELS: usize = 1 << 23;

/// How a picture becomes an example of its dataset's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// As it is; no other size is read.
    Exact,
    /// The centre, if it is larger.
    Centre,
    /// The shorter side resized, bilinear, then the centre: `Resize(n)` and `CenterCrop(n)` of torchvision on Pillow images.
    ShorterSide,
    /// A square of this side from the centre, resized, bilinear.
    CentreThenResize(usize),
}

/// What is done to each picture of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// Channels, height and width of an example.
    pub shape: [usize; 3],
    /// The size that every picture has, if they all have the same.
    pub published_size: Option<[usize; 2]>,
    /// How it comes to its shape.
    pub fit: Fit,
    /// Whether dark ink becomes bright.
    pub inverts: bool,
}

/// A recipe and what it keeps between pictures.
#[derive(Debug, Clone)]
pub struct Cook {
    recipe: Recipe,
    resizer: Option<(Sizes, Resizer)>,
    steps: Option<Pipeline>,
}

/// What a resizer was made for: the shape before, the size after.
type Sizes = ([usize; 3], [usize; 2]);

impl Cook {
    pub fn new(recipe: Recipe, steps: Option<Pipeline>) -> Self {
        Self { recipe, resizer: None, steps }
    }

    /// Makes the example of an index from a file. An error is what is wrong, to stand after a name.
    pub fn make(&mut self, index: usize, file: &[u8]) -> Result<Vec<u8>, String> {
        let [channels, height, width] = self.recipe.shape;
        let picture = decode(file, channels, self.largest())?;
        let [_, found_height, found_width] = picture.shape;
        let expected = self.recipe.published_size.or((self.recipe.fit == Fit::Exact).then_some([height, width]));
        if let Some([h, w]) = expected.filter(|&size| size != [found_height, found_width]) {
            return Err(format!("is {found_height}×{found_width} pixels (height×width), and {h}×{w} are expected"));
        }
        let mut picture = match self.recipe.fit {
            Fit::Exact => picture,
            Fit::Centre => centre(&picture, [height, width], half_down)?,
            Fit::ShorterSide => {
                let size = shorter_side([found_height, found_width], height);
                centre(&self.resize(picture, size), [height, width], half_to_even)?
            }
            Fit::CentreThenResize(side) => {
                let square = centre(&picture, [side, side], half_down)?;
                self.resize(square, [height, width])
            }
        };
        if self.recipe.inverts {
            picture.pixels.iter_mut().for_each(|level| *level = 255 - *level);
        }
        Ok(match &mut self.steps {
            Some(steps) => steps.apply(index as u64, &picture.pixels).to_vec(),
            None => picture.pixels,
        })
    }

    fn largest(&self) -> Largest {
        let exact = self.recipe.published_size.or_else(|| {
            let [_, height, width] = self.recipe.shape;
            (self.recipe.fit == Fit::Exact).then_some([height, width])
        });
        // Twice the side: a picture that is somewhat too large is refused by its size.
        let side = exact.map_or(MAX_SIDE, |[height, width]| 2 * height.max(width));
        Largest { side, pixels: MAX_PIXELS }
    }

    fn resize(&mut self, picture: Picture, size: [usize; 2]) -> Picture {
        let [channels, height, width] = picture.shape;
        if [height, width] == size {
            return picture;
        }
        let sizes = (picture.shape, size);
        if self.resizer.as_ref().is_none_or(|(known, _)| *known != sizes) {
            let to = Size { height: size[0] as u32, width: size[1] as u32 };
            self.resizer = Some((sizes, Resizer::new(picture.shape, to, Filter::Bilinear)));
        }
        let mut pixels = Vec::new();
        if let Some((_, resizer)) = &mut self.resizer {
            resizer.append(&picture.pixels, &mut pixels);
        }
        Picture { shape: [channels, size[0], size[1]], pixels }
    }
}

/// The size whose shorter side is `side`; the other one is rounded down, as torchvision does.
fn shorter_side([height, width]: [usize; 2], side: usize) -> [usize; 2] {
    if width <= height { [side * height / width, side] } else { [side, side * width / height] }
}

/// Half of what is left over, the smaller half first.
fn half_down(rest: usize) -> usize {
    rest / 2
}

/// Half of what is left over, rounded as Python's `round` does: torchvision's `CenterCrop`.
fn half_to_even(rest: usize) -> usize {
    let half = rest / 2;
    if rest.is_multiple_of(2) { half } else { half + half % 2 }
}

fn centre(picture: &Picture, [to_height, to_width]: [usize; 2], half: fn(usize) -> usize) -> Result<Picture, String> {
    let [channels, height, width] = picture.shape;
    if height < to_height || width < to_width {
        return Err(format!("is {height}×{width} pixels (height×width), and {to_height}×{to_width} are cut out of it"));
    }
    let (top, left) = (half(height - to_height), half(width - to_width));
    let mut pixels = Vec::with_capacity(channels * to_height * to_width);
    for plane in picture.pixels.chunks_exact(height * width) {
        for row in plane.chunks_exact(width).skip(top).take(to_height) {
            pixels.extend_from_slice(&row[left..left + to_width]);
        }
    }
    Ok(Picture { shape: [channels, to_height, to_width], pixels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_as_python_rounds() {
        // round(0 / 2), round(1 / 2), … in Python.
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(half_to_even), [0, 0, 1, 2, 2, 2, 3, 4, 4, 4]);
        assert_eq!([0, 1, 2, 3].map(half_down), [0, 0, 1, 1]);
    }

    #[test]
    fn the_shorter_side_is_the_one_that_is_given() {
        assert_eq!(shorter_side([218, 178], 32), [39, 32]);
        assert_eq!(shorter_side([218, 178], 64), [78, 64]);
        assert_eq!(shorter_side([300, 640], 32), [32, 68]);
        assert_eq!(shorter_side([50, 50], 32), [32, 32]);
    }

    #[test]
    fn centres_are_cut_from_every_plane() {
        let picture = Picture { shape: [2, 3, 3], pixels: (0..18).collect() };

        let cut = centre(&picture, [1, 2], half_down).unwrap();

        assert_eq!((cut.shape, cut.pixels), ([2, 1, 2], vec![3, 4, 12, 13]));
        assert!(centre(&picture, [4, 1], half_down).unwrap_err().contains("3×3"));
    }
}
