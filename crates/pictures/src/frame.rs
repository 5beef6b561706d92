//! What all pictures share: the sheet, its letters, its axes and its legend.

use kuva::{
    TickFormat,
    backend::svg::SvgBackend,
    plot::{
        annotations::ReferenceLine,
        legend::{LegendEntry, LegendPosition},
    },
    render::{layout::Layout, plots::Plot, render::render_multiple},
};

use crate::{Picture, letters};

/// Width of a picture, in units that are pixels at scale 1.
pub const WIDTH: f64 = 760.0;
/// Height of the part that shows data and axes.
pub const HEIGHT: f64 = 430.0;
/// Height of a line of the legend.
const LEGEND_LINE: f64 = 18.0;

/// Height of the line below a title.
const SUBTITLE_LINE: f64 = 15.0;

/// Size of a title, in pixels.
const TITLE_SIZE: u32 = 16;
/// Size of the line below a title.
const SUBTITLE_SIZE: u32 = 12;
/// Size of the words at axes.
const LABEL_SIZE: u32 = 13;
/// Size of ticks and legends.
pub const TEXT_SIZE: u32 = 12;
/// Width left for words beside a legend's sample, and its margins.
const LEGEND_ROOM: f64 = WIDTH - 120.0;

/// Width left for a title, which stands in the middle above the axis.
pub const TITLE_ROOM: f64 = WIDTH - 110.0;

/// One axis.
#[derive(Debug, Clone)]
pub struct Axis {
    /// Its name and unit.
    pub label: String,
    /// Where it begins and ends.
    pub range: (f64, f64),
}

/// A sheet to draw on.
pub struct Frame<'a> {
    /// What the picture is of.
    pub title: &'a str,
    /// What else a reader needs; empty for nothing.
    pub subtitle: &'a str,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What each look stands for.
    pub legend: Vec<LegendEntry>,
    /// Rules across the sheet.
    pub rules: Vec<ReferenceLine>,
    /// Its width and height, without title and legend.
    pub size: (f64, f64),
}

impl Frame<'_> {
    /// Draws `plots` between the axes.
    pub fn draw(self, plots: Vec<Plot>) -> Picture {
        let Self { title, subtitle, x, y, legend, rules, size: (width, height) } = self;
        let name = if subtitle.is_empty() { title.to_owned() } else { format!("{title}: {subtitle}") };
        let below_title = if subtitle.is_empty() { 0.0 } else { SUBTITLE_LINE };
        let mut layout = styled(Layout::auto_from_plots(&plots), title, subtitle)
            .with_width(width)
            .with_height(height + below_title + LEGEND_LINE * legend.len() as f64)
            .with_x_label(x.label)
            .with_x_axis_min(x.range.0)
            .with_x_axis_max(x.range.1)
            .with_y_label(y.label)
            .with_y_axis_min(y.range.0)
            .with_y_axis_max(y.range.1);
        for rule in rules {
            layout = layout.with_reference_line(rule);
        }
        if legend.is_empty() {
            layout.show_legend = false;
        } else {
            layout = layout
                .with_legend_position(LegendPosition::OutsideBottomColumns)
                .with_legend_col_limit(1)
                .with_legend_box(false)
                .with_legend_entries(legend);
        }
        let scene = render_multiple(plots, layout);
        Picture::from_drawing(&SvgBackend::new().render_scene(&scene), scene.width, scene.height, &name)
    }
}

/// Sizes, letters and colours of every picture.
fn styled(layout: Layout, title: &str, subtitle: &str) -> Layout {
    let title = letters::fitted(title, f64::from(TITLE_SIZE), TITLE_ROOM);
    let mut layout = layout
        .with_title(title)
        .with_font_family(letters::FAMILY)
        .with_title_size(TITLE_SIZE)
        .with_label_size(LABEL_SIZE)
        .with_tick_size(TEXT_SIZE)
        .with_body_size(TEXT_SIZE)
        .with_tick_format(TickFormat::Custom(std::sync::Arc::new(tick)));
    if !subtitle.is_empty() {
        let subtitle = letters::fitted(subtitle, f64::from(SUBTITLE_SIZE), TITLE_ROOM);
        layout = layout.with_subtitle(subtitle).with_subtitle_size(SUBTITLE_SIZE);
    }
    layout.theme.grid_color = "#e3e3e3".to_owned();
    layout
}

/// A number beside a tick: no more digits than it takes, powers of ten where zeros would be counted.
fn tick(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if (1e-4..1e6).contains(&size) {
        let decimals = if size >= 100.0 { 1 } else { 4 };
        let text = format!("{value:.decimals$}");
        return text.trim_end_matches('0').trim_end_matches('.').replace('-', "−");
    }
    format!("{value:.3e}").replace(".000e", "e").replace('-', "−")
}

/// Labels for a legend, one for each series: what it is called, cut where it is too long, and what is said of it, which never is.
pub fn legend_labels<'a>(series: impl IntoIterator<Item = (&'a str, String)>) -> Vec<String> {
    let (labels, notes): (Vec<&str>, Vec<String>) = series.into_iter().unzip();
    let size = f64::from(TEXT_SIZE);
    let widest = notes.iter().map(|note| letters::width(note, size)).fold(0.0, f64::max);
    let fitted = letters::fitted_apart(&labels, size, LEGEND_ROOM - widest);
    fitted.into_iter().zip(notes).map(|(label, note)| label + &note).collect()
}

/// A count with its thousands apart: `10,000`.
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The range of `values` with a margin on both sides, never of no width.
pub fn padded(low: f64, high: f64, share: f64) -> (f64, f64) {
    let width = high - low;
    // Constant data, or so nearly that the difference is lost in rounding.
    let least = (low.abs().max(high.abs()) * 1e-6).max(1e-9);
    let margin = if width > least { width * share } else { (low.abs() * 0.05).max(0.5) };
    (low - margin, high + margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_have_no_more_digits_than_they_take() {
        for (value, shown) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (-1.5, "−1.5"),
            (2000.0, "2000"),
            (0.0001, "0.0001"),
            (2_500_000.0, "2.500e6"),
            (-1e9, "−1e9"),
            (0.000_02, "2e−5"),
        ] {
            assert_eq!(tick(value), shown);
        }
    }

    #[test]
    fn thousands_stand_apart() {
        for (count, shown) in [(0, "0"), (999, "999"), (10_000, "10,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), shown);
        }
    }

    #[test]
    fn ranges_are_never_of_no_width() {
        assert_eq!(padded(0.0, 10.0, 0.1), (-1.0, 11.0));
        for value in [0.0, 3.0, -1e12, 1e-12] {
            let (low, high) = padded(value, value, 0.1);
            assert!(low < value && value < high, "{value}");
        }
    }
}
