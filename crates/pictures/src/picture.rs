//! A finished picture, as SVG or as pixels.

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::Tree,
};

use crate::{PictureError, letters};

/// Largest side of a picture in pixels.
const MAX_SIDE: f32 = 8_192.0;
/// Beginning of the ids in a picture.
const ID: &str = "picture-clip";

/// A finished picture. Its bytes depend on what it shows and on nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    svg: String,
}

impl Picture {
    /// Takes a drawing of the plotting library; `name` is what a screen reader says of it.
    pub(crate) fn from_drawing(drawing: &str, width: f64, height: f64, name: &str) -> Self {
        let drawing = with_steady_ids(drawing);
        let head =
            format!(r#"<svg viewBox="0 0 {width} {height}" role="img" aria-label="{}" "#, letters::escaped(name));
        Self { svg: drawing.replacen("<svg ", &head, 1) }
    }

    /// The picture as an SVG file.
    #[must_use]
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// The picture as a part of a page: its ids begin with `prefix`, which no other picture of the page may have.
    #[must_use]
    pub fn inline_svg(&self, prefix: &str) -> String {
        // In text and labels a quote is written otherwise, so that these are attributes.
        let of_definition = (format!(r#"id="{ID}"#), format!(r#"id="{prefix}-{ID}"#));
        let of_use = (format!(r#"="url(#{ID}"#), format!(r#"="url(#{prefix}-{ID}"#));
        self.svg.replace(&of_definition.0, &of_definition.1).replace(&of_use.0, &of_use.1)
    }

    /// The picture as a PNG file, `scale` pixels for each unit of the SVG.
    ///
    /// # Errors
    /// [`PictureError::Pixels`] when `scale` makes it empty or wider or higher than 8,192 pixels.
    pub fn png(&self, scale: f32) -> Result<Vec<u8>, PictureError> {
        let pixels = |error: &dyn std::fmt::Display| PictureError::Pixels(error.to_string());
        let tree = Tree::from_str(&self.svg, &letters::options()).map_err(|error| pixels(&error))?;
        let (width, height) = ((tree.size().width() * scale).round(), (tree.size().height() * scale).round());
        if !(1.0..=MAX_SIDE).contains(&width) || !(1.0..=MAX_SIDE).contains(&height) {
            return Err(pixels(&format!("{width} × {height} pixels; at most {MAX_SIDE} each way")));
        }
        let mut map = Pixmap::new(width as u32, height as u32)
            .ok_or_else(|| pixels(&format!("{width} × {height} pixels are too many")))?;
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut map.as_mut());
        map.encode_png().map_err(|error| pixels(&error))
    }
}

/// The library counts its ids through all drawings of a process: they are numbered anew, so that the same picture has the same bytes.
fn with_steady_ids(drawing: &str) -> String {
    const OF_LIBRARY: &str = "kuva-clip-";
    let definition = format!(r#"id="{OF_LIBRARY}"#);
    let mut steady = drawing.to_owned();
    let mut numbers: Vec<String> = Vec::new();
    for (at, _) in drawing.match_indices(&definition) {
        let digits = drawing[at + definition.len()..].chars().take_while(char::is_ascii_digit).collect();
        if !numbers.contains(&digits) {
            numbers.push(digits);
        }
    }
    for (index, number) in numbers.iter().enumerate() {
        steady = steady.replace(&format!(r#"{definition}{number}""#), &format!(r#"id="{ID}-{index}""#));
        steady = steady.replace(&format!(r#"="url(#{OF_LIBRARY}{number})"#), &format!(r#"="url(#{ID}-{index})"#));
    }
    steady
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWING: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><defs><clipPath id="kuva-clip-17"><rect width="9" height="9"/></clipPath></defs><g clip-path="url(#kuva-clip-17)"><rect width="20" height="10" fill="red"/></g></svg>"#;

    #[test]
    fn ids_do_not_tell_how_many_pictures_came_before() {
        let one = Picture::from_drawing(DRAWING, 20.0, 10.0, "a");
        let other = Picture::from_drawing(&DRAWING.replace("17", "4"), 20.0, 10.0, "a");

        assert_eq!(one, other);
        assert!(one.svg().contains(r#"clip-path="url(#picture-clip-0)""#), "{}", one.svg());
        let inline = one.inline_svg("roc-1");
        assert!(inline.contains(r#"id="roc-1-picture-clip-0""#) && inline.contains("url(#roc-1-picture-clip-0)"));
    }

    #[test]
    fn pixels_are_bounded() {
        let picture = Picture::from_drawing(DRAWING, 20.0, 10.0, "a <b>");

        assert!(picture.png(2.0).unwrap().starts_with(b"\x89PNG"));
        for scale in [0.0, -1.0, 1e9, f32::NAN] {
            assert!(matches!(picture.png(scale), Err(PictureError::Pixels(_))), "{scale}");
        }
    }
}
