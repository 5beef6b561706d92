//! ROC curves with confidence bands.

use kuva::{
    plot::{band::BandPlot, line::LinePlot},
    render::plots::Plot,
};

use crate::{
    Picture, PictureError,
    curves::thinned,
    frame::{self, Axis, Frame},
    style::{Look, RULE, check_count},
};

/// Most points of a drawn curve: less than a pixel apart.
const MAX_POINTS: usize = 600;
/// Height of the picture, so that both rates have nearly the same scale.
const HEIGHT: f64 = 640.0;
/// The range of both axes: a little more than rates take, so that a line along an edge is whole.
const RATES: (f64, f64) = (-0.005, 1.005);
/// Most curves whose bands are drawn: more would hide one another.
const MAX_BANDS: usize = 6;

/// ROC curves, one for each variant or score. Out-of-distribution is the positive class.
#[derive(Debug, Clone)]
pub struct RocPlot<'a> {
    /// What the picture is of.
    pub title: &'a str,
    /// What else a reader needs; empty for nothing.
    pub subtitle: &'a str,
    /// At most [`MAX_SERIES`](crate::MAX_SERIES).
    pub curves: Vec<RocSeries<'a>>,
}

/// One curve.
#[derive(Debug, Clone)]
pub struct RocSeries<'a> {
    /// What it is called.
    pub label: &'a str,
    /// What the legend says behind that: its AUROC and interval.
    pub note: String,
    /// False and true positive rates, both between 0 and 1 and never falling.
    pub points: Vec<(f64, f64)>,
    /// Where the curve may lie; nothing when it is not known.
    pub band: Option<Band>,
}

/// A confidence band.
#[derive(Debug, Clone, Default)]
pub struct Band {
    /// False positive rate, and the least and greatest true positive rate there; rates never fall.
    pub points: Vec<(f64, f64, f64)>,
}

impl RocPlot<'_> {
    /// Draws it. Bands are left out when there are more than six curves.
    ///
    /// # Errors
    /// [`PictureError`] when there are no curves or too many, or one has fewer than two points or one that is not finite.
    pub fn draw(&self) -> Result<Picture, PictureError> {
        check_count(self.curves.len(), "no ROC curve was given")?;
        let labels = frame::legend_labels(self.curves.iter().map(|curve| (curve.label, curve.note.clone())));
        let mut bands = Vec::new();
        let mut lines = vec![chance()];
        let mut legend = Vec::new();
        for (index, (curve, label)) in self.curves.iter().zip(labels).enumerate() {
            let look = Look::of(index);
            lines.push(Plot::Line(line(&curve.checked()?, look)));
            if let Some(band) = curve.band.as_ref().filter(|_| self.curves.len() <= MAX_BANDS) {
                bands.push(Plot::Band(shade(&band.checked(curve.label)?, look)));
            }
            legend.push(look.entry(label));
        }
        let frame = Frame {
            title: self.title,
            subtitle: self.subtitle,
            x: Axis { label: "false positive rate (in-distribution flagged)".to_owned(), range: RATES },
            y: Axis { label: "true positive rate (OOD found)".to_owned(), range: RATES },
            legend,
            rules: Vec::new(),
            size: (frame::WIDTH, HEIGHT),
        };
        bands.extend(lines);
        Ok(frame.draw(bands))
    }
}

impl RocSeries<'_> {
    fn checked(&self) -> Result<Vec<(f64, f64)>, PictureError> {
        if self.points.len() < 2 {
            return Err(PictureError::EmptySide { side: self.label.to_owned() });
        }
        if self.points.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
            return Err(PictureError::NotFinite { series: self.label.to_owned() });
        }
        Ok(thinned(&self.points, MAX_POINTS, |(x, y)| x + y))
    }
}

impl Band {
    fn checked(&self, label: &str) -> Result<Vec<(f64, f64, f64)>, PictureError> {
        if self.points.iter().any(|(x, low, high)| !x.is_finite() || !low.is_finite() || !high.is_finite()) {
            return Err(PictureError::NotFinite { series: label.to_owned() });
        }
        Ok(thinned(&self.points, MAX_POINTS, |(x, low, high)| x + low + high))
    }
}

/// The curve of a score that knows nothing.
fn chance() -> Plot {
    let line = LinePlot::new().with_data([(0.0, 0.0), (1.0, 1.0)]).with_color(RULE);
    Plot::Line(line.with_stroke_width(1.0).with_line_style(kuva::plot::line::LineStyle::Custom("3 3".to_owned())))
}

fn line(points: &[(f64, f64)], look: Look) -> LinePlot {
    let line = LinePlot::new().with_data(points.iter().copied()).with_color(look.colour);
    line.with_line_style(look.line()).with_stroke_width(1.8)
}

fn shade(points: &[(f64, f64, f64)], look: Look) -> BandPlot {
    let x = points.iter().map(|point| point.0);
    let low = points.iter().map(|point| point.1);
    let high = points.iter().map(|point| point.2);
    BandPlot::new(x, low, high).with_color(look.colour).with_opacity(0.18)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: Vec<(f64, f64)>) -> RocSeries<'static> {
        RocSeries { label: "cycle", note: ": 0.5".to_owned(), points, band: None }
    }

    #[test]
    fn curves_without_points_or_with_infinite_ones_are_refused_by_name() {
        let drawn = |points| RocPlot { title: "t", subtitle: "", curves: vec![series(points)] }.draw().map(|_| ());

        assert_eq!(drawn(vec![]), Err(PictureError::EmptySide { side: "cycle".to_owned() }));
        let infinite = vec![(0.0, 0.0), (f64::NAN, 1.0)];
        assert_eq!(drawn(infinite), Err(PictureError::NotFinite { series: "cycle".to_owned() }));
        assert_eq!(drawn(vec![(0.0, 0.0), (1.0, 1.0)]), Ok(()));
    }

    #[test]
    fn curve_of_a_million_points_makes_a_small_picture() {
        let points: Vec<_> = (0..=1_000_000).map(|i| f64::from(i) / 1e6).map(|x| (x, x.sqrt())).collect();

        let picture = RocPlot { title: "t", subtitle: "", curves: vec![series(points)] }.draw().unwrap();

        assert!(picture.svg().len() < 40_000, "{} bytes", picture.svg().len());
    }
}
