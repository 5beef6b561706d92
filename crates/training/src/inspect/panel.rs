//! One figure: a grid of small pictures with labels, a title and a key to the colours of each row.

use super::canvas::{Canvas, Font};
use super::colour::{BLACK, GREY, WHITE};
use super::field::Field;
use super::view::{Key, View};

/// White around a figure, in pixels.
const MARGIN: usize = 12;
/// White between two pictures.
const GAP: usize = 6;
/// White between a label and what it labels.
const LABEL_GAP: usize = 6;
/// Width of a key's ramp.
const RAMP: usize = 10;
/// White between the last picture of a row and its key.
const KEY_GAP: usize = 10;
/// Pictures are magnified to at least this width in pixels.
const COMFORTABLE: usize = 84;
/// The same for thumbnails.
const SMALL: usize = 56;
/// Narrowest figure: a title needs room.
const NARROWEST: usize = 360;

/// What a figure shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Name of the figure without its ending: lower-case letters, digits and `-`.
    pub name: String,
    /// The title, in Latin-1.
    pub title: String,
    /// What a reader must know: data, normalisation, colours. Latin-1.
    pub caption: String,
    /// Its grids, one below the other.
    pub blocks: Vec<Block>,
}

/// A grid of pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Labels over the columns, in two lines; none at all if no column has one.
    pub columns: Vec<[String; 2]>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row of pictures that are coloured alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The label to its left.
    pub label: String,
    /// How values become colours.
    pub view: View,
    /// The values of each picture.
    pub fields: Vec<Field>,
}

/// How large a figure is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// On its own: magnified, with the range of values below each picture and a key to the colours of each row.
    Large,
    /// Among others: small, with its labels alone.
    Thumbnail,
}

/// Sizes in pixels that the whole of a figure follows from.
struct Layout {
    drawing: Drawing,
    factor: usize,
    title: Font,
    label: Font,
    /// Left edge of the first picture.
    left: usize,
    /// From one picture to the next, across and down.
    pitch: [usize; 2],
    /// Left edge of the keys.
    right: usize,
    key_width: usize,
}

impl Panel {
    /// Draws the figure.
    pub fn draw(&self, drawing: Drawing) -> Canvas {
        let layout = self.layout(drawing);
        let title_width = layout.title.width(&self.title) + 2 * MARGIN;
        let narrowest = if drawing == Drawing::Large { NARROWEST } else { 0 };
        let width = (layout.right + layout.key_width + MARGIN).max(title_width).max(narrowest);
        let first = MARGIN + layout.title.height() + LABEL_GAP;
        let heights: usize = self.blocks.iter().map(|block| block.height(&layout)).sum();
        let mut canvas = Canvas::new(width, first + heights + MARGIN - GAP, WHITE);
        canvas.write(&self.title, [MARGIN, MARGIN], layout.title, BLACK);
        let mut top = first;
        for block in &self.blocks {
            block.draw(&layout, top, &mut canvas);
            top += block.height(&layout);
        }
        canvas
    }

    fn layout(&self, drawing: Drawing) -> Layout {
        let rows = || self.blocks.iter().flat_map(|block| &block.rows);
        let size = |axis: usize| rows().flat_map(|row| &row.fields).map(|field| field.size()[axis]).max().unwrap_or(1);
        let (height, width) = (size(0), size(1));
        let (factor, title, label, note) = match drawing {
            Drawing::Large => (COMFORTABLE.div_ceil(width), Font::Title, Font::Small, Font::Tiny.height() + 2),
            Drawing::Thumbnail => (SMALL.div_ceil(width), Font::Small, Font::Tiny, 0),
        };
        let label_width = rows().map(|row| label.width(&row.label)).max().unwrap_or(0);
        let left = MARGIN + label_width + if label_width > 0 { LABEL_GAP } else { 0 };
        let pitch = [width * factor + GAP, height * factor + note + GAP];
        let right = left + pitch[0] * rows().map(|row| row.fields.len()).max().unwrap_or(0);
        let texts = rows().map(Row::key).flat_map(|key| [key.low, key.middle, key.high]);
        let key_width = match drawing {
            Drawing::Large => KEY_GAP + RAMP + 4 + texts.map(|text| Font::Small.width(&text)).max().unwrap_or(0),
            Drawing::Thumbnail => 0,
        };
        Layout { drawing, factor, title, label, left, pitch, right, key_width }
    }
}

impl Block {
    fn header(&self, layout: &Layout) -> usize {
        if self.columns.is_empty() { 0 } else { 2 * layout.label.height() + 3 }
    }

    fn height(&self, layout: &Layout) -> usize {
        self.header(layout) + self.rows.len() * layout.pitch[1]
    }

    fn draw(&self, layout: &Layout, top: usize, canvas: &mut Canvas) {
        for (index, lines) in self.columns.iter().enumerate() {
            let left = layout.left + index * layout.pitch[0];
            for (line, (text, ink)) in lines.iter().zip([BLACK, GREY]).enumerate() {
                let text = layout.label.fit(text, layout.pitch[0] - 2);
                canvas.write(&text, [left, top + line * layout.label.height()], layout.label, ink);
            }
        }
        for (index, row) in self.rows.iter().enumerate() {
            row.draw(layout, top + self.header(layout) + index * layout.pitch[1], canvas);
        }
    }
}

impl Row {
    fn key(&self) -> Key {
        self.view.key(self.fields.first().map_or(1, Field::channels))
    }

    fn draw(&self, layout: &Layout, top: usize, canvas: &mut Canvas) {
        let height = self.fields.iter().map(|field| field.size()[0]).max().unwrap_or(1) * layout.factor;
        let middle = top + height.saturating_sub(layout.label.height()) / 2;
        canvas.write(&self.label, [MARGIN, middle], layout.label, BLACK);
        for (index, field) in self.fields.iter().enumerate() {
            let left = layout.left + index * layout.pitch[0];
            let tile = self.view.paint(field);
            canvas.paste(&tile, [left, top], layout.factor);
            canvas.frame([left, top], [tile.width() * layout.factor, tile.height() * layout.factor], GREY);
            if layout.drawing == Drawing::Large {
                let below = top + tile.height() * layout.factor + 3;
                let note = Font::Tiny.fit(&note(field), layout.pitch[0]);
                canvas.write(&note, [left, below], Font::Tiny, GREY);
            }
        }
        if layout.drawing == Drawing::Large {
            draw_key(&self.key(), [layout.right + KEY_GAP - GAP, top], height, canvas);
        }
    }
}

/// The range of the values themselves, before any normalisation.
fn note(field: &Field) -> String {
    let extent = field.extent();
    match extent.non_finite {
        0 => format!("{} to {}", brief(extent.low), brief(extent.high)),
        count => format!("{count} no number"),
    }
}

/// A number in at most six letters.
fn brief(value: f32) -> String {
    match value.abs() {
        size if size >= 1e4 || (size > 0.0 && size < 1e-2) => format!("{value:.0e}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A ramp with its greatest value on top.
fn draw_key(key: &Key, [left, top]: [usize; 2], height: usize, canvas: &mut Canvas) {
    for line in 0..height {
        let share = 1.0 - line as f32 / height.saturating_sub(1).max(1) as f32;
        canvas.fill([left, top + line], [RAMP, 1], key.ramp.at(share));
    }
    canvas.frame([left, top], [RAMP, height], GREY);
    let font = Font::Small;
    let beside = left + RAMP + 4;
    canvas.write(&key.high, [beside, top], font, BLACK);
    canvas.write(&key.middle, [beside, top + height.saturating_sub(font.height()) / 2], font, BLACK);
    canvas.write(&key.low, [beside, top + height.saturating_sub(font.height())], font, BLACK);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(columns: usize) -> Panel {
        let ramp = |offset: usize| {
            Field::new([1, 28, 28], (0..784).map(|index| ((index + offset) % 28) as f32 / 28.0).collect())
        };
        let fields: Vec<Field> = (0..columns).map(ramp).collect();
        Panel {
            name: "test".to_owned(),
            title: "A panel".to_owned(),
            caption: "For a test.".to_owned(),
            blocks: vec![Block {
                columns: (0..columns).map(|index| [format!("{index}"), "kind".to_owned()]).collect(),
                rows: vec![
                    Row { label: "input".to_owned(), view: View::Image, fields: fields.clone() },
                    Row { label: "exp(s)".to_owned(), view: View::AboutNeutral { neutral: 1.0 }, fields },
                ],
            }],
        }
    }

    #[test]
    fn nothing_touches_the_edge() {
        for drawing in [Drawing::Large, Drawing::Thumbnail] {
            let canvas = panel(16).draw(drawing);

            let white = |x: usize, y: usize| {
                let start = (y * canvas.width() + x) * 3;
                canvas.bytes()[start..start + 3] == WHITE
            };
            let (right, bottom) = (canvas.width() - 1, canvas.height() - 1);
            assert!((0..=right).all(|x| white(x, 0) && white(x, bottom)), "{drawing:?}");
            assert!((0..=bottom).all(|y| white(0, y) && white(right, y)), "{drawing:?}");
        }
    }

    #[test]
    fn title_has_room_over_a_narrow_grid() {
        let mut narrow = panel(1);
        narrow.title = "A title that is much longer than the one picture below it is wide, and is not cut".to_owned();

        assert!(narrow.draw(Drawing::Large).width() > Font::Title.width(&narrow.title));
    }

    #[test]
    fn thumbnail_is_smaller() {
        let (large, small) = (panel(8).draw(Drawing::Large), panel(8).draw(Drawing::Thumbnail));

        assert!(small.width() * 2 < large.width() * 2 && small.height() < large.height());
    }

    #[test]
    fn ranges_are_brief() {
        let texts = [0.0, 0.5, -2.944_44, 31.25, -123.4, 98765.0, 1e-5].map(brief);

        assert_eq!(texts, ["0.00", "0.50", "-2.94", "31.2", "-123", "1e5", "1e-5"]);
        assert_eq!(note(&Field::new([1, 1, 2], vec![f32::NAN, 1.0])), "1 no number");
    }
}
