//! Colours and strokes that tell series apart, also for those who see fewer colours, and on paper.

use kuva::plot::{
    legend::{LegendEntry, LegendShape},
    line::LineStyle,
    scatter::MarkerShape,
};

use crate::PictureError;

/// Most series of one picture.
pub const MAX_SERIES: usize = 12;

/// The colours of Okabe and Ito (2008), which people with any common colour vision deficiency tell apart; without their yellow, which is too light
/// for a line on white.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#e69f00", "#56b4e9", "#cc79a7", "#000000"];
/// Strokes, so that colour is never the only difference. Their number has no common divisor with that of the colours: twenty-eight series pass
/// before one looks like another.
const STROKES: [&str; 4] = ["", "8 4", "2 3", "9 3 2 3"];
/// The same, smaller: the sample in a legend is twelve pixels long.
const SAMPLES: [&str; 4] = ["", "3 1.5", "1.5 1.5", "4.5 1.5 1.5 1.5"];
/// Markers of points.
const MARKERS: [MarkerShape; 7] = [
    MarkerShape::Circle,
    MarkerShape::Square,
    MarkerShape::Triangle,
    MarkerShape::Diamond,
    MarkerShape::TriangleDown,
    MarkerShape::Pentagon,
    MarkerShape::Star,
];

/// Colour of rules that are no data.
pub const RULE: &str = "#767676";

/// How one series looks.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// A CSS colour.
    pub colour: &'static str,
    stroke: usize,
    /// The shape of its points.
    pub marker: MarkerShape,
}

impl Look {
    /// The look of the series at `index`.
    pub fn of(index: usize) -> Self {
        Self {
            colour: COLOURS[index % COLOURS.len()],
            stroke: index % STROKES.len(),
            marker: MARKERS[index % MARKERS.len()],
        }
    }

    /// The stroke of its lines.
    pub fn line(self) -> LineStyle {
        match STROKES[self.stroke] {
            "" => LineStyle::Solid,
            dashes => LineStyle::Custom(dashes.to_owned()),
        }
    }

    /// Its colour, mixed with white.
    pub fn tint(self) -> String {
        let part = |at: usize| u16::from_str_radix(&self.colour[at..at + 2], 16).map(|part| (part + 2 * 255) / 3);
        let parts = [part(1), part(3), part(5)].map(Result::unwrap_or_default);
        format!("#{:02x}{:02x}{:02x}", parts[0], parts[1], parts[2])
    }

    /// Its marker in a legend.
    pub fn marker_entry(self, label: String) -> LegendEntry {
        LegendEntry { label, color: self.colour.to_owned(), shape: LegendShape::Marker(self.marker), dasharray: None }
    }

    /// Its line in a legend.
    pub fn entry(self, label: String) -> LegendEntry {
        let dasharray = Some(SAMPLES[self.stroke]).filter(|dashes| !dashes.is_empty()).map(str::to_owned);
        LegendEntry { label, color: self.colour.to_owned(), shape: LegendShape::Line, dasharray }
    }
}

/// Refuses more series than can be told apart, and none at all.
pub fn check_count(found: usize, nothing: &'static str) -> Result<(), PictureError> {
    match found {
        0 => Err(PictureError::Empty(nothing)),
        1..=MAX_SERIES => Ok(()),
        _ => Err(PictureError::TooMany { found }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn series_differ_in_colour_and_stroke_and_neighbours_in_both() {
        let looks: Vec<_> = (0..MAX_SERIES).map(Look::of).collect();

        let distinct: BTreeSet<_> = looks.iter().map(|look| (look.colour, look.stroke)).collect();
        assert_eq!(distinct.len(), MAX_SERIES);
        assert!(looks.windows(2).all(|pair| pair[0].colour != pair[1].colour && pair[0].stroke != pair[1].stroke));
    }

    #[test]
    fn none_and_too_many_series_are_refused() {
        assert_eq!(check_count(0, "no curve"), Err(PictureError::Empty("no curve")));
        assert_eq!(check_count(MAX_SERIES, "no curve"), Ok(()));
        assert_eq!(check_count(13, "no curve"), Err(PictureError::TooMany { found: 13 }));
    }
}
