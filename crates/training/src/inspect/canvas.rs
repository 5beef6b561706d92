//! A raster to draw on: rectangles, other rasters, and text in the fixed fonts of the X Window System.

use std::convert::Infallible;

use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle, iso_8859_1};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::text::{Baseline, Text};
use embedded_graphics::{Drawable, Pixel};

use super::colour::Rgb;

/// Pixels `[h, w]` of three bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

/// A font of fixed width that knows Latin-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Font {
    /// 5 by 8 pixels.
    Tiny,
    /// 6 by 10 pixels.
    Small,
    /// 9 by 15 pixels, bold.
    Title,
}

impl Font {
    fn glyphs(self) -> &'static MonoFont<'static> {
        match self {
            Self::Tiny => &iso_8859_1::FONT_5X8,
            Self::Small => &iso_8859_1::FONT_6X10,
            Self::Title => &iso_8859_1::FONT_9X15_BOLD,
        }
    }

    /// Height of a line in pixels.
    pub fn height(self) -> usize {
        self.glyphs().character_size.height as usize
    }

    /// Width of a text in pixels.
    pub fn width(self, text: &str) -> usize {
        text.chars().count() * self.glyphs().character_size.width as usize
    }

    /// The longest beginning of `text` that fits into `width` pixels; a cut is shown by a final `~`.
    pub fn fit(self, text: &str, width: usize) -> String {
        let room = width / self.glyphs().character_size.width as usize;
        if text.chars().count() <= room {
            return text.to_owned();
        }
        text.chars().take(room.saturating_sub(1)).chain((room > 0).then_some('~')).collect()
    }
}

impl Canvas {
    /// A canvas of one colour.
    pub fn new(width: usize, height: usize, colour: Rgb) -> Self {
        Self { width, height, bytes: colour.repeat(width * height) }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row by row.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Sets one pixel; one outside the canvas is none.
    pub fn set(&mut self, x: usize, y: usize, colour: Rgb) {
        if x < self.width && y < self.height {
            let start = (y * self.width + x) * 3;
            self.bytes[start..start + 3].copy_from_slice(&colour);
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, [left, top]: [usize; 2], [width, height]: [usize; 2], colour: Rgb) {
        let right = (left + width).min(self.width);
        let line = colour.repeat(right.saturating_sub(left));
        for y in top..(top + height).min(self.height) {
            let start = (y * self.width + left) * 3;
            if let Some(pixels) = self.bytes.get_mut(start..start + line.len()) {
                pixels.copy_from_slice(&line);
            }
        }
    }

    /// Draws the outline of a rectangle, one pixel wide, just outside it.
    pub fn frame(&mut self, [left, top]: [usize; 2], [width, height]: [usize; 2], colour: Rgb) {
        let (left, top) = (left.saturating_sub(1), top.saturating_sub(1));
        self.fill([left, top], [width + 2, 1], colour);
        self.fill([left, top + height + 1], [width + 2, 1], colour);
        self.fill([left, top], [1, height + 2], colour);
        self.fill([left + width + 1, top], [1, height + 2], colour);
    }

    /// Draws another canvas, each of its pixels as a square of `factor` pixels.
    pub fn paste(&mut self, other: &Self, [left, top]: [usize; 2], factor: usize) {
        if factor == 1 && left + other.width <= self.width {
            let lines = other.bytes.chunks_exact(3 * other.width.max(1)).take(self.height.saturating_sub(top));
            for (y, line) in lines.enumerate() {
                let start = ((top + y) * self.width + left) * 3;
                self.bytes[start..start + line.len()].copy_from_slice(line);
            }
            return;
        }
        for (index, pixel) in other.bytes.chunks_exact(3).enumerate() {
            let (x, y) = (index % other.width, index / other.width);
            let colour = [pixel[0], pixel[1], pixel[2]];
            self.fill([left + x * factor, top + y * factor], [factor, factor], colour);
        }
    }

    /// Writes one line of text whose top left corner is given. A letter that Latin-1 lacks becomes `?`.
    pub fn write(&mut self, text: &str, [left, top]: [usize; 2], font: Font, [red, green, blue]: Rgb) {
        let style = MonoTextStyle::new(font.glyphs(), Rgb888::new(red, green, blue));
        let corner = Point::new(left as i32, top as i32);
        let Ok(_) = Text::with_baseline(text, corner, style, Baseline::Top).draw(self);
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(point, colour) in pixels {
            if let (Ok(x), Ok(y)) = (usize::try_from(point.x), usize::try_from(point.y)) {
                self.set(x, y, [colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width as u32, self.height as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::colour::{BLACK, WHITE};

    #[test]
    fn pasted_pixels_become_squares() {
        let mut tile = Canvas::new(2, 1, BLACK);
        tile.set(1, 0, WHITE);
        let mut canvas = Canvas::new(6, 4, [9, 9, 9]);

        canvas.paste(&tile, [1, 1], 2);

        let row = |y: usize| canvas.bytes()[y * 18..(y + 1) * 18].chunks(3).map(|pixel| pixel[0]).collect::<Vec<_>>();
        assert_eq!(row(0), [9; 6]);
        assert_eq!(row(1), [9, 20, 20, 255, 255, 9]);
        assert_eq!(row(2), row(1));
        assert_eq!(row(3), [9; 6]);
    }

    #[test]
    fn text_stays_in_its_box_and_what_does_not_fit_is_cut_visibly() {
        let mut canvas = Canvas::new(40, 20, WHITE);

        canvas.write("ab", [5, 5], Font::Small, BLACK);

        let inked = canvas.bytes().chunks(3).enumerate().filter(|(_, pixel)| *pixel == BLACK);
        let places: Vec<_> = inked.map(|(index, _)| (index % 40, index / 40)).collect();
        assert!(!places.is_empty());
        assert!(places.iter().all(|&(x, y)| (5..17).contains(&x) && (5..15).contains(&y)), "{places:?}");
        assert_eq!(Font::Small.fit("checkerboard", 36), "check~");
        assert_eq!(Font::Small.fit("check", 36), "check");
        assert_eq!(Font::Small.fit("check", 5), "");
    }

    #[test]
    fn drawing_beyond_the_edge_is_cut() {
        let mut canvas = Canvas::new(4, 4, WHITE);

        canvas.fill([3, 3], [10, 10], BLACK);
        canvas.write("wide text", [0, 0], Font::Title, BLACK);

        assert_eq!(canvas.bytes().len(), 48);
    }
}
