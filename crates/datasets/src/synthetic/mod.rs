//! Built-in procedural datasets: an example is a pure function of its dataset, split and index.

mod colour;
mod normal;
mod shapes;
mod strokes;
mod vectors;

pub use vectors::VectorProcedure;

use crate::examples::Split;
use crate::randomness::{Key, Stream};

/// A rule that draws images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Procedure {
    /// Filled, shaded and textured silhouettes.
    Shapes,
    /// Thin bright strokes on black.
    Strokes,
    /// Every pixel uniform and independent.
    UniformNoise,
    /// Every pixel normal about 127.5 with deviation 63.75, rounded and cut to a byte.
    GaussianNoise,
    /// One grey level for the whole image.
    Constant,
    /// Silhouettes in colour on a coloured, shaded ground.
    ColourShapes,
    /// Strokes in colour on a coloured, shaded ground.
    ColourStrokes,
}

impl Procedure {
    /// Draws the first `len` images of a split: `len * c * h * w` bytes.
    #[must_use]
    pub fn generate(self, shape: [usize; 3], split: Split, len: usize) -> Vec<u8> {
        let key = Key::new(self.purpose(), &[split.to_string().as_bytes()]);
        let mut pixels = Vec::with_capacity(len * shape.iter().product::<usize>());
        for index in 0..len {
            self.draw(shape, &mut key.stream(index as u64), &mut pixels);
        }
        pixels
    }

    fn purpose(self) -> &'static str {
        match self {
            Self::Shapes => "synthetic shapes",
            Self::Strokes => "synthetic strokes",
            Self::UniformNoise => "uniform noise",
            Self::GaussianNoise => "gaussian noise",
            Self::Constant => "constant",
            Self::ColourShapes => "synthetic shapes in colour",
            Self::ColourStrokes => "synthetic strokes in colour",
        }
    }

    fn draw(self, shape: [usize; 3], stream: &mut Stream, pixels: &mut Vec<u8>) {
        let [channels, height, width] = shape;
        let mut each_channel = |draw: &mut dyn FnMut(&mut Vec<u8>)| (0..channels).for_each(|_| draw(pixels));
        match self {
            Self::Shapes => each_channel(&mut |pixels| shapes::draw([height, width], stream, pixels)),
            Self::Strokes => each_channel(&mut |pixels| strokes::draw([height, width], stream, pixels)),
            Self::UniformNoise => {
                each_channel(&mut |pixels| pixels.extend((0..height * width).map(|_| stream.byte())));
            }
            Self::GaussianNoise => each_channel(&mut |pixels| {
                pixels.extend((0..height * width).map(|_| to_byte((127.5 + 63.75 * normal::draw(stream)) as f32)));
            }),
            Self::Constant => {
                each_channel(&mut |pixels| pixels.resize(pixels.len() + height * width, stream.byte()));
            }
            Self::ColourShapes => colour::paint(shape, shapes::draw, stream, pixels),
            Self::ColourStrokes => colour::paint(shape, strokes::draw, stream, pixels),
        }
    }
}

/// Rounds a grey value to a byte; values outside `[0, 255]` are clipped.
fn to_byte(grey: f32) -> u8 {
    grey.round().clamp(0.0, 255.0) as u8
}

/// Rises smoothly from 0 at `edge - width / 2` to 1 at `edge + width / 2`: an anti-aliased step.
fn soft_step(edge: f32, width: f32, value: f32) -> f32 {
    let t = ((value - edge) / width + 0.5).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Pixel centres in the square `[-1, 1]²`, row by row: `(y, x)`, y downwards.
fn grid([height, width]: [usize; 2]) -> impl Iterator<Item = (f32, f32)> {
    let coordinate = |index: usize, size: usize| (2.0 * index as f32 + 1.0) / size as f32 - 1.0;
    (0..height).flat_map(move |row| (0..width).map(move |column| (coordinate(row, height), coordinate(column, width))))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use sha2::{Digest, Sha256};

    use super::*;

    const SHAPE: [usize; 3] = [1, 28, 28];

    fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
        let count = values.len() as f64;
        values.sum::<f64>() / count
    }

    fn compressed_bytes(pixels: &[u8]) -> usize {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(pixels).unwrap();
        encoder.finish().unwrap().len()
    }

    #[test]
    fn image_depends_on_its_index_and_split_only() {
        let procedures = [
            Procedure::Shapes,
            Procedure::Strokes,
            Procedure::UniformNoise,
            Procedure::GaussianNoise,
            Procedure::Constant,
        ];
        for procedure in procedures {
            let few = procedure.generate(SHAPE, Split::Train, 3);
            let more = procedure.generate(SHAPE, Split::Train, 5);

            assert_eq!(few, more[..few.len()]);
            assert_ne!(few, procedure.generate(SHAPE, Split::Test, 3), "{procedure:?}");
            assert_ne!(few[..784], few[784..1568], "{procedure:?}");
        }
    }

    #[test]
    fn colour_images_depend_on_their_index_and_split_only() {
        for procedure in [Procedure::ColourShapes, Procedure::ColourStrokes] {
            for side in [32, 64] {
                let few = procedure.generate([3, side, side], Split::Train, 2);

                assert_eq!(few.len(), 2 * 3 * side * side);
                assert_eq!(few, procedure.generate([3, side, side], Split::Train, 3)[..few.len()]);
                assert_ne!(few, procedure.generate([3, side, side], Split::Test, 2), "{procedure:?}");
            }
        }
    }

    #[test]
    fn colour_images_are_pinned_so_that_old_checkpoints_resume() {
        let mut hasher = Sha256::new();
        for procedure in [Procedure::ColourShapes, Procedure::ColourStrokes] {
            hasher.update(procedure.generate([3, 32, 32], Split::Train, 5));
            hasher.update(procedure.generate([3, 64, 64], Split::Test, 5));
        }

        assert_eq!(hex::encode(hasher.finalize()), "b6c9b480a40967be93312b0bdad37d4cd242402f6de29ef4b50e2eb94df9630b");
    }

    #[test]
    fn channels_of_a_colour_image_show_one_thing_in_different_colours() {
        let image = Procedure::ColourShapes.generate([3, 32, 32], Split::Train, 40);

        let (mut alike, mut different) = (0, 0);
        for image in image.chunks(3 * 1024) {
            let (red, green) = (&image[..1024], &image[1024..2048]);
            let mean = |channel: &[u8]| mean(channel.iter().map(|&byte| f64::from(byte)));
            let (red_mean, green_mean) = (mean(red), mean(green));
            let pairs = red.iter().zip(green).map(|(&r, &g)| (f64::from(r) - red_mean) * (f64::from(g) - green_mean));
            alike += usize::from(pairs.sum::<f64>().abs() > 0.3 * 1024.0);
            different += usize::from((red_mean - green_mean).abs() > 5.0);
        }
        assert!(alike > 30 && different > 30, "{alike} alike, {different} of different colours, of 40");
    }

    #[test]
    fn strokes_are_thin_bright_and_on_black() {
        let pixels = Procedure::Strokes.generate(SHAPE, Split::Test, 200);

        let black = pixels.iter().filter(|&&byte| byte == 0).count() as f64 / pixels.len() as f64;
        let brightest = pixels.chunks(784).map(|image| *image.iter().max().unwrap()).min().unwrap();
        assert!((0.6..0.93).contains(&black), "{black} of the pixels are black; MNIST has 0.81");
        assert!(brightest > 200, "the dimmest image reaches {brightest} only");
    }

    #[test]
    fn shapes_are_fuller_and_more_complex_than_strokes() {
        let shapes = Procedure::Shapes.generate(SHAPE, Split::Test, 200);
        let strokes = Procedure::Strokes.generate(SHAPE, Split::Test, 200);

        let filled = |pixels: &[u8]| mean(pixels.iter().map(|&byte| f64::from(u8::from(byte > 0))));
        let bytes = |pixels: &[u8]| mean(pixels.chunks(784).map(|image| compressed_bytes(image) as f64));
        // Fashion-MNIST: 0.50 of the pixels are lit, MNIST 0.19; compressed, its images are about twice as long.
        assert!((0.35..0.65).contains(&filled(&shapes)), "{}", filled(&shapes));
        assert!(bytes(&shapes) > 1.5 * bytes(&strokes), "{} against {}", bytes(&shapes), bytes(&strokes));
    }

    #[test]
    fn normal_noise_has_its_mean_and_deviation_and_is_cut_at_both_ends() {
        let pixels = Procedure::GaussianNoise.generate([3, 32, 32], Split::Test, 30);

        let levels = || pixels.iter().map(|&byte| f64::from(byte));
        let average = mean(levels());
        let deviation = mean(levels().map(|level| (level - average).powi(2))).sqrt();
        // Cutting at two deviations leaves 0.959 of the deviation; 92,160 values give both to about half a level.
        assert!((average - 127.5).abs() < 1.5 && (deviation - 0.959 * 63.75).abs() < 1.5, "{average} ± {deviation}");
        assert!(pixels.contains(&0) && pixels.contains(&255));
    }

    #[test]
    fn constant_images_have_one_grey_level() {
        let pixels = Procedure::Constant.generate(SHAPE, Split::Test, 50);

        assert!(pixels.chunks(784).all(|image| image.iter().all(|&byte| byte == image[0])));
    }
}
