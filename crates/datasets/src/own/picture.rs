//! One picture of a folder: PNG or JPEG, told apart by its first bytes, as planes of levels.
//!
//! Nothing about a picture is guessed: one whose levels would have to be changed to fit is refused. Grey alone becomes colour,
//! which changes none.

use std::io::Cursor;

use png::{BitDepth, ColorType, DecodingError, Transformations};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::picture_format::{JPEG_MAGIC, PNG_MAGIC, has_end};

/// Memory of the PNG decoder beside the picture, in bytes: chunks of text and colour profiles.
const MAX_CHUNKS: usize = 1 << 24;

/// Why a picture is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PictureError {
    /// It has another shape: channels, height, width.
    Shape([usize; 3]),
    /// What else is wrong, and the remedy.
    Unusable(String),
}

/// Decodes a picture of the shape `[c, h, w]`. Its size is compared before anything is decoded.
pub fn decode(bytes: &[u8], shape: [usize; 3]) -> Result<Vec<u8>, PictureError> {
    if bytes.starts_with(PNG_MAGIC) {
        decode_png(bytes, shape)
    } else if bytes.starts_with(JPEG_MAGIC) {
        decode_jpeg(bytes, shape)
    } else {
        Err(unusable("it is neither a PNG nor a JPEG picture, whatever its name says"))
    }
}

fn unusable(problem: impl Into<String>) -> PictureError {
    PictureError::Unusable(problem.into())
}

/// Compares what a header says with the shape that is expected. A grey picture fits three channels too.
fn check([channels, height, width]: [usize; 3], expected: [usize; 3]) -> Result<(), PictureError> {
    let fits = channels == expected[0] || (channels == 1 && expected[0] == 3);
    if fits && [height, width] == expected[1..] { Ok(()) } else { Err(PictureError::Shape([channels, height, width])) }
}

fn decode_png(bytes: &[u8], shape: [usize; 3]) -> Result<Vec<u8>, PictureError> {
    let damaged = |error: DecodingError| match error {
        DecodingError::LimitsExceeded => unusable("its chunks beside the picture are too large; save it anew"),
        other => unusable(format!("it is damaged: {other}")),
    };
    let pixels: usize = shape.iter().product();
    let limits = png::Limits { bytes: MAX_CHUNKS.saturating_add(pixels.saturating_mul(8)) };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    // Palettes become colours, 1 to 4 bits become 8, and a transparent colour becomes a channel.
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(damaged)?;
    let grey = matches!(header.color_type, ColorType::Grayscale | ColorType::GrayscaleAlpha);
    check([if grey { 1 } else { 3 }, header.height as usize, header.width as usize], shape)?;
    if header.bit_depth == BitDepth::Sixteen {
        return Err(unusable("it has 16 bits for each level; save it with 8"));
    }
    let mut reader = decoder.read_info().map_err(damaged)?;
    let size = reader.output_buffer_size().filter(|&size| size <= pixels.saturating_mul(4).max(4));
    let mut values = vec![0; size.ok_or_else(|| unusable("it is damaged: its size overflows"))?];
    reader.next_frame(&mut values).map_err(damaged)?;
    reader.finish().map_err(damaged)?;

    let (colour, alpha) = match reader.output_color_type().0 {
        ColorType::Grayscale => (1, false),
        ColorType::GrayscaleAlpha => (1, true),
        ColorType::Rgb => (3, false),
        ColorType::Rgba => (3, true),
        ColorType::Indexed => return Err(unusable("it is damaged: its palette is missing")),
    };
    let samples = colour + usize::from(alpha);
    if alpha && values.chunks_exact(samples).any(|pixel| pixel[colour] != u8::MAX) {
        return Err(unusable("it has transparent pixels; put it on an opaque ground first"));
    }
    Ok(planes(&values, samples, colour, shape))
}

fn decode_jpeg(bytes: &[u8], shape: [usize; 3]) -> Result<Vec<u8>, PictureError> {
    let damaged = |error: zune_jpeg::errors::DecodeErrors| unusable(format!("it is damaged: {error:?}"));
    // A decoder may fill what is missing with grey, as browsers do; here that would be another picture.
    if !has_end(bytes) {
        return Err(unusable("it is damaged: it is cut off"));
    }
    let [_, height, width] = shape;
    // A larger picture is refused by its size, and one beyond every bound before that.
    let most = |side: usize| side.saturating_mul(4).clamp(1 << 14, 1 << 16);
    let options =
        DecoderOptions::default().set_max_width(most(width)).set_max_height(most(height)).set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let info = decoder.info().ok_or_else(|| unusable("it is damaged: it has no header"))?;
    let colour = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => 1,
        Some(ColorSpace::YCbCr | ColorSpace::RGB) => 3,
        Some(_) | None => return Err(unusable("its colours are not RGB; save it as RGB or grey")),
    };
    check([colour, usize::from(info.height), usize::from(info.width)], shape)?;
    let output = if colour == 1 { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(options.jpeg_set_out_colorspace(output));
    let values = decoder.decode().map_err(damaged)?;
    if values.len() != colour * height * width {
        return Err(unusable("it is damaged: it has another size than its header says"));
    }
    Ok(planes(&values, colour, colour, shape))
}

/// Takes the samples of pixels apart; grey is repeated where colour is expected.
fn planes(values: &[u8], samples: usize, colour: usize, [channels, height, width]: [usize; 3]) -> Vec<u8> {
    let mut planes = Vec::with_capacity(channels * height * width);
    for channel in 0..channels {
        planes.extend(values.iter().skip(channel.min(colour - 1)).step_by(samples));
    }
    planes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn png(colour: ColorType, depth: BitDepth, [width, height]: [u32; 2], data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if colour == ColorType::Indexed {
            encoder.set_palette(vec![1, 2, 3, 4, 5, 6]);
        }
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        bytes
    }

    fn refusal(bytes: &[u8], shape: [usize; 3]) -> String {
        match decode(bytes, shape).unwrap_err() {
            PictureError::Unusable(problem) => problem,
            PictureError::Shape(shape) => format!("{shape:?}"),
        }
    }

    /// 8×8 pixels, colour and grey, made by Pillow.
    const COLOUR: &[u8] = include_bytes!("testdata/colour.jpg");
    const GREY: &[u8] = include_bytes!("testdata/grey.jpg");
    const CMYK: &[u8] = include_bytes!("testdata/cmyk.jpg");
    const PROGRESSIVE: &[u8] = include_bytes!("testdata/progressive.jpg");

    #[test]
    fn every_kind_of_png_becomes_planes() {
        let rgb = [1, 2, 3, 4, 5, 6];

        assert_eq!(decode(&png(ColorType::Rgb, BitDepth::Eight, [2, 1], &rgb), [3, 1, 2]).unwrap(), [1, 4, 2, 5, 3, 6]);
        assert_eq!(
            decode(&png(ColorType::Indexed, BitDepth::One, [2, 1], &[0x40]), [3, 1, 2]).unwrap(),
            [1, 4, 2, 5, 3, 6]
        );
        assert_eq!(decode(&png(ColorType::Grayscale, BitDepth::Eight, [2, 1], &[7, 8]), [1, 1, 2]).unwrap(), [7, 8]);
        assert_eq!(decode(&png(ColorType::Grayscale, BitDepth::Four, [2, 1], &[0x0f]), [1, 1, 2]).unwrap(), [0, 255]);
        assert_eq!(decode(&png(ColorType::Grayscale, BitDepth::Eight, [1, 1], &[7]), [3, 1, 1]).unwrap(), [7, 7, 7]);
        let opaque = png(ColorType::Rgba, BitDepth::Eight, [1, 1], &[1, 2, 3, 255]);
        assert_eq!(decode(&opaque, [3, 1, 1]).unwrap(), [1, 2, 3]);
    }

    #[test]
    fn pictures_that_would_have_to_be_changed_are_refused_with_the_remedy() {
        assert!(
            refusal(&png(ColorType::Rgba, BitDepth::Eight, [1, 1], &[1, 2, 3, 254]), [3, 1, 1])
                .contains("opaque ground")
        );
        assert!(refusal(&png(ColorType::Grayscale, BitDepth::Sixteen, [1, 1], &[1, 2]), [1, 1, 1]).contains("16 bits"));
        assert_eq!(refusal(&png(ColorType::Rgb, BitDepth::Eight, [1, 1], &[1, 2, 3]), [1, 1, 1]), "[3, 1, 1]");
        assert_eq!(refusal(&png(ColorType::Grayscale, BitDepth::Eight, [2, 1], &[1, 2]), [1, 2, 1]), "[1, 1, 2]");
        assert!(refusal(b"GIF89a", [1, 1, 1]).contains("neither"));
        assert!(refusal(CMYK, [3, 8, 8]).contains("RGB"), "{}", refusal(CMYK, [3, 8, 8]));
        assert_eq!(refusal(COLOUR, [3, 8, 9]), "[3, 8, 8]");
        assert_eq!(refusal(COLOUR, [1, 8, 8]), "[3, 8, 8]");
    }

    #[test]
    fn jpeg_pictures_are_those_of_pillow_but_for_a_few_levels() {
        let expected = include_bytes!("testdata/pillow.bin");
        for (name, bytes, expected) in [
            ("colour", COLOUR, &expected[..192]),
            ("grey", GREY, &expected[192..256]),
            ("progressive", PROGRESSIVE, &expected[256..]),
        ] {
            let decoded = decode(bytes, [expected.len() / 64, 8, 8]).unwrap();
            let furthest = decoded.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(furthest <= Some(4), "{name}: {furthest:?}");
        }
    }

    #[test]
    fn cut_off_pictures_are_refused() {
        let whole = png(ColorType::Grayscale, BitDepth::Eight, [8, 8], &[9; 64]);
        for (bytes, shape) in [(whole.as_slice(), [1, 8, 8]), (COLOUR, [3, 8, 8]), (PROGRESSIVE, [3, 8, 8])] {
            for length in 0..bytes.len() - 1 {
                assert!(decode(&bytes[..length], shape).is_err(), "{length} of {}", bytes.len());
            }
        }
    }

    proptest! {
        #[test]
        fn damaged_pictures_are_refused_or_decoded_within_bounds(
            which in 0_usize..4, changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let grey = png(ColorType::Grayscale, BitDepth::Eight, [8, 8], &[9; 64]);
            let mut bytes = [grey.as_slice(), COLOUR, GREY, PROGRESSIVE][which].to_vec();
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let used = allocation_counter::measure(|| {
                if let Ok(pixels) = decode(&bytes, [3, 8, 8]) {
                    assert_eq!(pixels.len(), 192);
                }
            });
            prop_assert!(used.bytes_max < 1 << 20, "{used:?}");
        }
    }
}
