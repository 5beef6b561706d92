//! Histograms of two or more sides on one axis: likelihoods in and out of distribution, as in figure 1 of Kirichenko, Izmailov and Wilson (2020).

use kuva::{plot::line::LinePlot, render::plots::Plot};

use crate::{
    Picture, PictureError,
    frame::{self, Axis, Frame},
    style::{Look, check_count},
};

/// Fewest and most bins.
const BINS: std::ops::RangeInclusive<usize> = 20..=80;
/// Share of the values at each end that may lie beyond the axis, when they would squeeze the others together.
const TAIL: f64 = 0.005;
/// Most sides that are filled: more would hide one another.
const MAX_FILLED: usize = 4;
/// How many times wider than its bulk the axis may be before it is cut.
const WIDEST: f64 = 3.0;

/// Values of several datasets under one statistic.
#[derive(Debug, Clone)]
pub struct Histogram<'a> {
    /// What the picture is of.
    pub title: &'a str,
    /// What else a reader needs; empty for nothing.
    pub subtitle: &'a str,
    /// The statistic with its unit: `bits per dimension`, say.
    pub quantity: &'a str,
    /// One for each dataset, at most [`MAX_SERIES`](crate::MAX_SERIES).
    pub sides: Vec<Side<'a>>,
}

/// The values of one dataset.
#[derive(Debug, Clone)]
pub struct Side<'a> {
    /// What it is called.
    pub label: &'a str,
    /// One for each example. What is not finite is counted in the legend and not drawn.
    pub values: &'a [f64],
}

/// The finite values of a side, in order.
struct Sorted<'a> {
    label: &'a str,
    finite: Vec<f64>,
    not_finite: usize,
}

impl Histogram<'_> {
    /// Draws it: the share of each side's values in each bin, all sides in the same bins.
    ///
    /// # Errors
    /// [`PictureError`] when there are no sides or too many, or one has no finite values.
    pub fn draw(&self) -> Result<Picture, PictureError> {
        check_count(self.sides.len(), "no dataset was given")?;
        let sides = self.sides.iter().map(Sorted::of).collect::<Result<Vec<_>, _>>()?;
        let (low, high) = range(&sides);
        let bins = bins(&sides, low, high);
        let shares: Vec<Vec<f64>> = sides.iter().map(|side| side.shares(low, high, bins)).collect();
        let highest = shares.iter().flatten().fold(0.0, |highest: f64, share| highest.max(*share));

        let labels = frame::legend_labels(sides.iter().map(|side| (side.label, side.note(low, high))));
        let looks = || (0..sides.len()).map(Look::of);
        let filled = sides.len() <= MAX_FILLED;
        let plots = shares.iter().zip(looks()).map(|(share, look)| steps(share, (low, high), look, filled)).collect();
        let frame = Frame {
            title: self.title,
            subtitle: self.subtitle,
            x: Axis { label: self.quantity.to_owned(), range: (low, high) },
            y: Axis { label: "share of each dataset per bin (%)".to_owned(), range: (0.0, highest * 1.06) },
            legend: looks().zip(labels).map(|(look, label)| look.entry(label)).collect(),
            rules: Vec::new(),
            size: (frame::WIDTH, frame::HEIGHT),
        };
        Ok(frame.draw(plots))
    }
}

impl<'a> Sorted<'a> {
    fn of(side: &Side<'a>) -> Result<Self, PictureError> {
        let Side { label, values } = *side;
        if values.is_empty() {
            return Err(PictureError::EmptySide { side: label.to_owned() });
        }
        let mut finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        if finite.is_empty() {
            return Err(PictureError::NothingFinite { side: label.to_owned(), values: values.len() });
        }
        finite.sort_unstable_by(f64::total_cmp);
        let not_finite = values.len() - finite.len();
        Ok(Self { label, finite, not_finite })
    }

    fn quantile(&self, share: f64) -> f64 {
        let place = (self.finite.len() - 1) as f64 * share;
        self.finite[place.round() as usize]
    }

    /// Percent of all values, the drawn and the others, in each of the bins.
    fn shares(&self, low: f64, high: f64, bins: usize) -> Vec<f64> {
        let mut shares = vec![0.0; bins];
        let each = 100.0 / (self.finite.len() + self.not_finite) as f64;
        for value in self.finite.iter().filter(|value| (low..=high).contains(*value)) {
            let bin = ((value - low) / (high - low) * bins as f64) as usize;
            shares[bin.min(bins - 1)] += each;
        }
        shares
    }

    /// How many values there are, and what of them is not drawn.
    fn note(&self, low: f64, high: f64) -> String {
        let count = self.finite.len() + self.not_finite;
        let beyond = self.finite.iter().filter(|value| !(low..=high).contains(*value)).count();
        let mut entry = format!(" (n = {}", frame::grouped(count));
        if beyond > 0 {
            entry.push_str(&format!(", {beyond} beyond the axis"));
        }
        if self.not_finite > 0 {
            entry.push_str(&format!(", {} not finite", self.not_finite));
        }
        entry.push(')');
        entry
    }
}

/// From the least to the greatest value, or where the bulk of every side is, when a few values would squeeze the rest into a bin.
fn range(sides: &[Sorted]) -> (f64, f64) {
    let over = |quantile: f64, pick: fn(f64, f64) -> f64| {
        sides.iter().map(|side| side.quantile(quantile)).reduce(pick).unwrap_or_default()
    };
    let (least, greatest) = (over(0.0, f64::min), over(1.0, f64::max));
    let (low, high) = (over(TAIL, f64::min), over(1.0 - TAIL, f64::max));
    let bulk = high - low;
    // The difference of two finite numbers may be infinite.
    let room = if bulk.is_finite() { bulk * (WIDEST - 1.0) / 2.0 } else { 0.0 };
    let (low, high) = if bulk > 0.0 { (least.max(low - room), greatest.min(high + room)) } else { (low, high) };
    frame::padded(low.max(-f64::MAX / 4.0), high.min(f64::MAX / 4.0), 0.03)
}

/// As many bins as the rule of Freedman and Diaconis (1981) gives the side that wants most.
fn bins(sides: &[Sorted], low: f64, high: f64) -> usize {
    let wanted = sides.iter().map(|side| {
        let spread = side.quantile(0.75) - side.quantile(0.25);
        let width = 2.0 * spread / (side.finite.len() as f64).cbrt();
        if width > 0.0 { ((high - low) / width).ceil() as usize } else { *BINS.start() }
    });
    wanted.max().unwrap_or_default().clamp(*BINS.start(), *BINS.end())
}

/// The outline of a histogram, filled, if at all, thinly so that those below shine through.
fn steps(shares: &[f64], (low, high): (f64, f64), look: Look, filled: bool) -> Plot {
    let width = (high - low) / shares.len() as f64;
    let edge = |index: usize| low + width * index as f64;
    let mut outline = vec![(low, 0.0)];
    for (index, &share) in shares.iter().enumerate() {
        outline.extend([(edge(index), share), (edge(index + 1), share)]);
    }
    outline.push((high, 0.0));
    let line = LinePlot::new().with_data(outline).with_color(look.colour).with_line_style(look.line());
    let line = line.with_stroke_width(1.6);
    Plot::Line(if filled { line.with_fill().with_fill_opacity(0.18) } else { line })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side<'a>(label: &'a str, values: &'a [f64]) -> Side<'a> {
        Side { label, values }
    }

    fn drawn(sides: Vec<Side>) -> Result<Picture, PictureError> {
        Histogram { title: "cycle", subtitle: "", quantity: "bits per dimension", sides }.draw()
    }

    #[test]
    fn empty_sides_and_sides_of_no_numbers_are_refused_by_name() {
        let values = [1.0, 2.0];

        assert_eq!(drawn(vec![]), Err(PictureError::Empty("no dataset was given")));
        let empty = drawn(vec![side("in", &values), side("out", &[])]).unwrap_err();
        assert_eq!(empty, PictureError::EmptySide { side: "out".to_owned() });
        let infinite = drawn(vec![side("in", &values), side("out", &[f64::INFINITY, f64::NAN])]).unwrap_err();
        assert_eq!(infinite.to_string(), "none of the 2 values of `out` is finite");
    }

    #[test]
    fn what_is_not_drawn_is_counted_in_the_legend() {
        let mut values: Vec<f64> = (0..1000).map(|i| 3.0 + f64::from(i) * 1e-3).collect();
        values.extend([1e9, f64::INFINITY, f64::NAN]);

        let picture = drawn(vec![side("in", &values)]).unwrap();

        assert!(picture.svg().contains("in (n = 1,003, 1 beyond the axis, 2 not finite)"), "{}", picture.svg());
    }

    #[test]
    fn shares_of_a_side_sum_to_a_hundred() {
        let values: Vec<f64> = (0..997).map(|i| f64::from(i).sin()).collect();
        let sorted = Sorted::of(&side("in", &values)).unwrap();
        let (low, high) = range(&[Sorted::of(&side("in", &values)).unwrap()]);

        let sum: f64 = sorted.shares(low, high, 37).iter().sum();

        assert!((sum - 100.0).abs() < 1e-9, "{sum}");
    }

    #[test]
    fn degenerate_values_are_drawn() {
        for values in [&[3.5][..], &[2.0; 500], &[0.0; 3], &[f64::MAX, f64::MIN], &[1e-300, 2e-300]] {
            let picture = drawn(vec![side("in", values), side("out", &[3.0, 4.0, 4.5])]).unwrap();

            assert!(!picture.svg().contains("NaN") && !picture.svg().contains("inf"), "{values:?}");
        }
    }
}
