//! Canvases as PNG: the same canvas and texts give the same bytes.

use png::{BitDepth, ColorType, Encoder, EncodingError};

use super::canvas::Canvas;

/// Texts beside a picture, as pairs of keyword and text.
pub type Texts<'a> = &'a [(&'static str, String)];

/// Encodes a canvas in eight bits per channel, with texts for whoever opens the file.
///
/// # Errors
/// The encoder refuses: the canvas has no pixel, say, or a text holds letters beyond Latin-1.
pub fn png(canvas: &Canvas, texts: Texts<'_>) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, canvas.width() as u32, canvas.height() as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    for (keyword, text) in texts {
        encoder.add_text_chunk((*keyword).to_owned(), text.clone())?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(canvas.bytes())?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::colour::WHITE;

    #[test]
    fn pixels_and_texts_come_back() {
        let mut canvas = Canvas::new(3, 2, WHITE);
        canvas.set(1, 1, [1, 2, 3]);

        let bytes = png(&canvas, &[("Title", "a picture".to_owned())]).unwrap();

        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, canvas.bytes());
        let texts = &reader.info().uncompressed_latin1_text;
        assert_eq!((texts[0].keyword.as_str(), texts[0].text.as_str()), ("Title", "a picture"));
    }

    #[test]
    fn same_picture_is_the_same_bytes() {
        let encode = || png(&Canvas::new(30, 20, [7, 8, 9]), &[("Title", "same".to_owned())]).unwrap();

        assert_eq!(encode(), encode());
    }

    #[test]
    fn canvas_without_pixels_is_refused() {
        assert!(png(&Canvas::new(0, 3, WHITE), &[]).is_err());
    }
}
