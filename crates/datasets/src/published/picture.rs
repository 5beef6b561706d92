//! PNG and JPEG pictures as planes of bytes. Sizes are compared with a bound before anything is decoded.

use std::io::Cursor;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::picture_format::{JPEG_MAGIC, PNG_MAGIC, has_end};
use crate::transform::luma;

/// Most memory that a decoder takes beside the picture.
const MAX_DECODER_BYTES: usize = 1 << 26;

/// Largest picture that is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Largest {
    /// Most pixels of a side.
    pub side: usize,
    /// Most pixels of the picture.
    pub pixels: usize,
}

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// `[c, h, w]`.
    pub pixels: Vec<u8>,
}

/// What a decoder gives: samples of a pixel beside each other.
struct Interleaved {
    samples: usize,
    size: [usize; 2],
    values: Vec<u8>,
}

/// Decodes a picture to one channel or three: grey is repeated, colour becomes grey by the luma of ITU-R BT.601 in Pillow's
/// fixed point, and transparency is left out. An error is what is wrong, to stand after a name.
pub fn decode(bytes: &[u8], channels: usize, largest: Largest) -> Result<Picture, String> {
    let interleaved = if bytes.starts_with(PNG_MAGIC) {
        decode_png(bytes, largest)?
    } else if bytes.starts_with(JPEG_MAGIC) {
        decode_jpeg(bytes, largest)?
    } else if bytes.is_empty() {
        return Err("is empty".to_owned());
    } else {
        return Err("is neither a PNG nor a JPEG picture".to_owned());
    };
    let Interleaved { samples, size: [height, width], values } = interleaved;
    let has_colour = samples >= 3;
    let pixels = match (channels, has_colour) {
        (1, false) => values.into_iter().step_by(samples).collect(),
        (1, true) => values.chunks_exact(samples).map(|pixel| luma([pixel[0], pixel[1], pixel[2]])).collect(),
        (_, false) => {
            let plane: Vec<u8> = values.into_iter().step_by(samples).collect();
            plane.repeat(channels)
        }
        (_, true) => planes(&values, samples),
    };
    Ok(Picture { shape: [channels, height, width], pixels })
}

/// Red, green and blue, each in a plane of its own.
fn planes(values: &[u8], samples: usize) -> Vec<u8> {
    let pixels = values.len() / samples;
    let mut planes = vec![0; 3 * pixels];
    let (red, rest) = planes.split_at_mut(pixels);
    let (green, blue) = rest.split_at_mut(pixels);
    for (((pixel, red), green), blue) in values.chunks_exact(samples).zip(red).zip(green).zip(blue) {
        (*red, *green, *blue) = (pixel[0], pixel[1], pixel[2]);
    }
    planes
}

fn decode_png(bytes: &[u8], largest: Largest) -> Result<Interleaved, String> {
    let damaged = |error: png::DecodingError| format!("is a damaged PNG picture: {error}");
    let limits = png::Limits { bytes: MAX_DECODER_BYTES };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let size = [reader.info().height, reader.info().width].map(|side| side as usize);
    check(size, largest)?;
    let buffer_bytes = reader.output_buffer_size().ok_or("states a size beyond the memory")?;
    let mut values = vec![0; buffer_bytes];
    let frame = reader.next_frame(&mut values).map_err(damaged)?;
    values.truncate(frame.buffer_size());
    Ok(Interleaved { samples: frame.color_type.samples(), size, values })
}

fn decode_jpeg(bytes: &[u8], largest: Largest) -> Result<Interleaved, String> {
    let damaged = |error: zune_jpeg::errors::DecodeErrors| format!("is a damaged JPEG picture: {error}");
    // A decoder fills what is missing with grey, as browsers do; here that would be another picture.
    if !has_end(bytes) {
        return Err("is a JPEG picture that is cut off".to_owned());
    }
    let options = DecoderOptions::default()
        .set_max_width(largest.side)
        .set_max_height(largest.side)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let info = decoder.info().ok_or("is a JPEG picture without a header")?;
    let size = [info.height, info.width].map(usize::from);
    check(size, largest)?;
    let values = decoder.decode().map_err(damaged)?;
    let samples = match decoder.output_colorspace() {
        Some(ColorSpace::RGB) => 3,
        Some(ColorSpace::Luma) => 1,
        other => return Err(format!("is a JPEG picture in an unknown colour space ({other:?})")),
    };
    if values.len() != samples * size[0] * size[1] {
        return Err("is a damaged JPEG picture: its size does not fit its header".to_owned());
    }
    Ok(Interleaved { samples, size, values })
}

fn check([height, width]: [usize; 2], largest: Largest) -> Result<(), String> {
    let Largest { side, pixels } = largest;
    if height == 0 || width == 0 {
        return Err("is a picture without pixels".to_owned());
    }
    if height > side || width > side || height * width > pixels {
        return Err(format!(
            "is {height}×{width} pixels, more than the {side} a side or {pixels} in all that are read"
        ));
    }
    Ok(())
}
