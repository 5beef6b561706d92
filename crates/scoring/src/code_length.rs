//! The length of an image under lossless codecs, in bits: what input complexity subtracts (Serrà et al. 2020).
//!
//! A length is that of the whole file, the constant parts of the format included. It depends on the pixels and on the pinned
//! versions of the encoders alone.

use std::thread;

use domain::spec::Codec;
use thiserror::Error;

/// Largest side of an image that every codec takes.
const MAX_SIDE: usize = 16_383;
/// Brotli's quality, its highest.
const BROTLI_QUALITY: i32 = 11;
/// Bounds of the base-2 logarithm of Brotli's window.
const BROTLI_WINDOW_BITS: std::ops::RangeInclusive<i32> = 10..=24;

/// Images of one shape, planes after planes.
#[derive(Debug, Clone, Copy)]
pub struct Images<'a> {
    pixels: &'a [u8],
    shape: [usize; 3],
}

/// Why a code length cannot be measured.
#[derive(Debug, Error)]
pub enum CodecError {
    /// The values are not images.
    #[error("{values} values are no images of {shape:?}: channels, height and width of 1 to {MAX_SIDE} expected")]
    Shape {
        /// Number of values.
        values: usize,
        /// The shape given.
        shape: [usize; 3],
    },
    /// An encoder failed.
    #[error("{codec}: {problem}")]
    Encoder {
        /// The codec.
        codec: Codec,
        /// What the encoder says.
        problem: String,
    },
}

impl<'a> Images<'a> {
    /// Takes the pixels of some images `[c, h, w]`, one image after the other.
    ///
    /// # Errors
    /// [`CodecError::Shape`] when they are no whole images, or too large.
    pub fn new(pixels: &'a [u8], shape: [usize; 3]) -> Result<Self, CodecError> {
        let [channels, height, width] = shape;
        let fits = |side: usize| (1..=MAX_SIDE).contains(&side);
        let stacked = channels.checked_mul(height).filter(|rows| fits(*rows));
        let size = stacked.filter(|_| fits(width)).map(|rows| rows * width);
        match size {
            Some(size) if pixels.len().is_multiple_of(size) => Ok(Self { pixels, shape }),
            Some(_) | None => Err(CodecError::Shape { values: pixels.len(), shape }),
        }
    }

    /// The length of each image under each codec in bits, in the order of [`Codec::ALL`]; computed on up to `threads` threads,
    /// whose number changes nothing.
    ///
    /// # Errors
    /// [`CodecError::Encoder`].
    pub fn code_lengths(self, threads: usize) -> Result<Vec<[f64; 3]>, CodecError> {
        let size = self.shape.iter().product::<usize>();
        let images: Vec<&[u8]> = self.pixels.chunks_exact(size).collect();
        let share = images.len().div_ceil(threads.max(1)).max(1);
        let lengths = |images: &[&[u8]]| images.iter().map(|image| lengths_of(image, self.shape)).collect();
        if images.len() <= share {
            return lengths(&images);
        }
        thread::scope(|scope| {
            let parts: Vec<_> = images.chunks(share).map(|part| scope.spawn(move || lengths(part))).collect();
            let mut all = Vec::with_capacity(images.len());
            for part in parts {
                let part: Result<Vec<[f64; 3]>, CodecError> =
                    part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                all.extend(part?);
            }
            Ok(all)
        })
    }
}

fn lengths_of(planes: &[u8], shape: [usize; 3]) -> Result<[f64; 3], CodecError> {
    let mut lengths = [0.0; 3];
    for (length, codec) in lengths.iter_mut().zip(Codec::ALL) {
        *length = 8.0 * bytes_of(codec, planes, shape)? as f64;
    }
    Ok(lengths)
}

/// Bytes of an image `[c, h, w]` under a codec.
fn bytes_of(codec: Codec, planes: &[u8], shape: [usize; 3]) -> Result<usize, CodecError> {
    let found = match codec {
        Codec::Png => png_bytes(&Picture::of(planes, shape)),
        Codec::Webp => webp_bytes(&Picture::of(planes, shape)),
        Codec::Brotli => brotli_bytes(planes),
    };
    found.map_err(|problem| CodecError::Encoder { codec, problem })
}

/// Pixels as formats of pictures take them: grey, or red, green and blue by turns. Planes of another number are one grey picture,
/// one below the other.
struct Picture {
    pixels: Vec<u8>,
    width: u32,
    height: u32,
    colour: bool,
}

impl Picture {
    fn of(planes: &[u8], [channels, height, width]: [usize; 3]) -> Self {
        let side = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        if channels == 3 {
            let (red, rest) = planes.split_at(height * width);
            let (green, blue) = rest.split_at(height * width);
            let pixels =
                red.iter().zip(green).zip(blue).flat_map(|((red, green), blue)| [*red, *green, *blue]).collect();
            return Self { pixels, width: side(width), height: side(height), colour: true };
        }
        Self { pixels: planes.to_vec(), width: side(width), height: side(channels * height), colour: false }
    }
}

/// PNG with filters chosen line by line (the least sum of absolute differences) and Deflate at level 9.
fn png_bytes(picture: &Picture) -> Result<usize, String> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width, picture.height);
    encoder.set_color(if picture.colour { png::ColorType::Rgb } else { png::ColorType::Grayscale });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_deflate_compression(png::DeflateCompression::Level(9));
    encoder.set_filter(png::Filter::Adaptive);
    let write = |encoder: png::Encoder<'_, &mut Vec<u8>>| -> Result<(), png::EncodingError> {
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&picture.pixels)?;
        writer.finish()
    };
    write(encoder).map_err(|error| error.to_string())?;
    Ok(file.len())
}

/// Lossless WebP (VP8L) with the predictor transform.
fn webp_bytes(picture: &Picture) -> Result<usize, String> {
    let mut file = Vec::new();
    let colour = if picture.colour { image_webp::ColorType::Rgb8 } else { image_webp::ColorType::L8 };
    let encoded =
        image_webp::WebPEncoder::new(&mut file).encode(&picture.pixels, picture.width, picture.height, colour);
    encoded.map_err(|error| error.to_string())?;
    Ok(file.len())
}

/// Brotli at quality 11 over the planes, one after the other, with the smallest window that holds them.
fn brotli_bytes(planes: &[u8]) -> Result<usize, String> {
    let bits = planes.len().max(1).next_power_of_two().trailing_zeros();
    // Brotli's window is 16 bytes less than the power of two.
    let bits = i32::try_from(bits + 1).unwrap_or(*BROTLI_WINDOW_BITS.end());
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: bits.clamp(*BROTLI_WINDOW_BITS.start(), *BROTLI_WINDOW_BITS.end()),
        size_hint: planes.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &planes[..], &mut compressed, &parameters).map_err(|error| error.to_string())?;
    Ok(compressed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A smooth ramp with a few edges, the same everywhere.
    fn ramp(shape: [usize; 3]) -> Vec<u8> {
        let [channels, height, width] = shape;
        let value = |index: usize| {
            let (x, y, c) = (index % width, index / width % height, index / width / height);
            let edge = if (x / 7 + y / 5).is_multiple_of(2) { 90 } else { 0 };
            u8::try_from((3 * x + 2 * y + 40 * c + edge) % 256).unwrap()
        };
        (0..channels * height * width).map(value).collect()
    }

    /// Bytes that no codec shortens, the same everywhere.
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        (0..count).map(|_| next()).collect()
    }

    fn bytes(pixels: &[u8], shape: [usize; 3]) -> [f64; 3] {
        let lengths = Images::new(pixels, shape).unwrap().code_lengths(1).unwrap();
        assert_eq!(lengths.len(), 1);
        lengths[0].map(|bits| bits / 8.0)
    }

    #[test]
    fn lengths_of_fixed_images_are_pinned() {
        let (grey, colour) = ([1, 28, 28], [3, 32, 32]);

        for (image, pixels, shape, expected) in [
            ("ramp", ramp(grey), grey, [126.0, 106.0, 397.0]),
            ("colour ramp", ramp(colour), colour, [185.0, 214.0, 754.0]),
            ("constant", vec![7; 784], grey, [89.0, 78.0, 12.0]),
            ("noise", noise(784), grey, [880.0, 884.0, 789.0]),
            ("colour noise", noise(3072), colour, [3172.0, 3260.0, 3077.0]),
        ] {
            assert_eq!(bytes(&pixels, shape), expected, "{image}");
        }
    }

    #[test]
    fn threads_and_neighbours_change_nothing() {
        let shape = [3, 8, 9];
        let pixels: Vec<u8> = (0..11).flat_map(|image| if image % 2 == 0 { ramp(shape) } else { noise(216) }).collect();
        let images = Images::new(&pixels, shape).unwrap();

        let alone = images.code_lengths(1).unwrap();

        assert_eq!(alone.len(), 11);
        assert_eq!(alone[0].map(|bits| bits / 8.0), bytes(&ramp(shape), shape));
        for threads in [0, 2, 3, 64] {
            assert_eq!(images.code_lengths(threads).unwrap(), alone);
        }
    }

    #[test]
    fn planes_of_any_number_have_lengths() {
        for shape in [[2, 5, 4], [4, 1, 1], [16_383, 1, 1]] {
            assert!(bytes(&ramp(shape), shape).iter().all(|bytes| *bytes > 0.0));
        }
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for (values, shape) in [(5, [1, 2, 2]), (0, [0, 1, 1]), (0, [1, 16_384, 1]), (0, [usize::MAX, 2, 1])] {
            assert!(matches!(Images::new(&vec![0; values], shape), Err(CodecError::Shape { .. })), "{shape:?}");
        }
    }
}
