//! Training curves: the loss against the step, for several variants with several seeds each.

use kuva::{
    plot::{line::LinePlot, scatter::ScatterPlot},
    render::plots::Plot,
};

use crate::{
    Picture, PictureError,
    curves::thinned,
    frame::{self, Axis, Frame},
    style::{Look, check_count},
};

/// Most points of a drawn curve.
const MAX_POINTS: usize = 300;
/// Share of the points that may lie above the axis: the first steps of a training are off any scale.
const ABOVE: f64 = 0.05;

/// Training curves of variants.
#[derive(Debug, Clone)]
pub struct TrainingPlot<'a> {
    /// What the picture is of.
    pub title: &'a str,
    /// What else a reader needs; empty for nothing.
    pub subtitle: &'a str,
    /// The vertical axis and its unit: `bits per dimension`, say.
    pub quantity: &'a str,
    /// At most [`MAX_SERIES`](crate::MAX_SERIES).
    pub variants: Vec<TrainingSeries<'a>>,
}

/// The curves of one variant.
#[derive(Debug, Clone)]
pub struct TrainingSeries<'a> {
    /// What it is called.
    pub label: &'a str,
    /// One for each seed.
    pub seeds: Vec<SeedCurve>,
}

/// The curves of one seed: steps and values. Values that are not finite are left out.
#[derive(Debug, Clone, Default)]
pub struct SeedCurve {
    /// What the training saw, by step.
    pub training: Vec<(f64, f64)>,
    /// What held-out examples said, by step.
    pub validation: Vec<(f64, f64)>,
}

impl TrainingPlot<'_> {
    /// Draws it: each seed as a thin line and, where there are several, their mean over the steps that all have as a thick one; validation
    /// points as markers.
    ///
    /// # Errors
    /// [`PictureError`] when there are no variants or too many, or no curve has a finite point.
    pub fn draw(&self) -> Result<Picture, PictureError> {
        check_count(self.variants.len(), "no training curve was given")?;
        let variants: Vec<Vec<SeedCurve>> = self.variants.iter().map(TrainingSeries::finite).collect();
        let all = || variants.iter().flatten().flat_map(|seed| seed.training.iter().chain(&seed.validation)).copied();
        if all().next().is_none() {
            return Err(PictureError::Empty("no training has reported a finite loss yet"));
        }
        let last_step = all().fold(0.0, |last: f64, (step, _)| last.max(step));
        let (range, above) = range(all().map(|(_, value)| value).collect());

        let mut thin = Vec::new();
        let mut thick = Vec::new();
        for (index, seeds) in variants.iter().enumerate() {
            plot_variant(seeds, Look::of(index), &mut thin, &mut thick);
        }
        let mut quantity = self.quantity.to_owned();
        if above > 0 {
            quantity.push_str(&format!(" ({above} points above the axis)"));
        }
        let named = self.variants.iter().zip(&variants);
        let labels = frame::legend_labels(named.map(|(variant, seeds)| (variant.label, note(seeds))));
        let mut legend: Vec<_> =
            labels.into_iter().enumerate().map(|(index, label)| Look::of(index).entry(label)).collect();
        if variants.iter().flatten().any(|seed| !seed.validation.is_empty()) {
            let each = if variants.len() > 1 { ", each variant with its own marker" } else { "" };
            legend.push(Look::of(0).marker_entry(format!("held-out examples (mean over seeds){each}")));
        }
        let frame = Frame {
            title: self.title,
            subtitle: self.subtitle,
            x: Axis { label: "optimiser step".to_owned(), range: (0.0, last_step.max(1.0) * 1.02) },
            y: Axis { label: quantity, range },
            legend,
            rules: Vec::new(),
            size: (frame::WIDTH, frame::HEIGHT),
        };
        thin.extend(thick);
        Ok(frame.draw(thin))
    }
}

impl TrainingSeries<'_> {
    fn finite(&self) -> Vec<SeedCurve> {
        let kept = |points: &[(f64, f64)]| {
            let finite = points.iter().copied().filter(|(step, value)| step.is_finite() && value.is_finite());
            thinned(&finite.collect::<Vec<_>>(), MAX_POINTS, |(step, _)| step)
        };
        let seed = |seed: &SeedCurve| SeedCurve { training: kept(&seed.training), validation: kept(&seed.validation) };
        self.seeds.iter().map(seed).collect()
    }
}

/// What is said of a variant in the legend.
fn note(seeds: &[SeedCurve]) -> String {
    match seeds.iter().filter(|seed| !seed.training.is_empty()).count() {
        0 => " (no points yet)".to_owned(),
        1 => String::new(),
        trained => format!(" (mean of {trained} seeds; thin: each)"),
    }
}

/// Draws one variant: lines of seeds and markers below, the mean above.
fn plot_variant(seeds: &[SeedCurve], look: Look, thin: &mut Vec<Plot>, thick: &mut Vec<Plot>) {
    let line = |points: &[(f64, f64)]| LinePlot::new().with_data(points.iter().copied());
    let main = |points: &[(f64, f64)]| match points {
        // A line has two points.
        [_] => marks(points, look, 2.5),
        _ => Plot::Line(line(points).with_color(look.colour).with_line_style(look.line()).with_stroke_width(1.8)),
    };
    let trained: Vec<&SeedCurve> = seeds.iter().filter(|seed| !seed.training.is_empty()).collect();
    match trained.as_slice() {
        [] => {}
        [only] => thick.push(main(&only.training)),
        several => {
            let each = several.iter().map(|seed| line(&seed.training).with_color(look.tint()).with_stroke_width(0.7));
            thin.extend(each.map(Plot::Line));
            let curves: Vec<_> = several.iter().map(|seed| seed.training.as_slice()).collect();
            thick.push(main(&mean(&curves)));
        }
    }
    let validated: Vec<_> =
        seeds.iter().map(|seed| seed.validation.as_slice()).filter(|points| !points.is_empty()).collect();
    if !validated.is_empty() {
        thick.push(marks(&mean(&validated), look, 3.5));
    }
}

/// Points without a line.
fn marks(points: &[(f64, f64)], look: Look, size: f64) -> Plot {
    let points = ScatterPlot::new().with_data(points.iter().copied()).with_color(look.colour);
    Plot::Scatter(points.with_marker(look.marker).with_size(size))
}

/// The mean over the steps that every curve has.
fn mean(curves: &[&[(f64, f64)]]) -> Vec<(f64, f64)> {
    let Some((first, others)) = curves.split_first() else { return Vec::new() };
    let at = |curve: &[(f64, f64)], step: f64| {
        let place = curve.binary_search_by(|point| point.0.total_cmp(&step)).ok()?;
        Some(curve[place].1)
    };
    let mean_at = |&(step, value): &(f64, f64)| {
        let sum = others.iter().try_fold(value, |sum, curve| Some(sum + at(curve, step)?))?;
        Some((step, sum / curves.len() as f64))
    };
    first.iter().filter_map(mean_at).collect()
}

/// The vertical range, and how many values lie above it.
fn range(mut values: Vec<f64>) -> ((f64, f64), usize) {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len() - 1;
    let (least, greatest) = (values[0], values[last]);
    let bulk = values[(last as f64 * (1.0 - ABOVE)).floor() as usize];
    // A few values above the rest are left out only where they would squeeze it.
    let top =
        if greatest - least > 2.0 * (bulk - least) && bulk > least { bulk + (bulk - least) * 0.3 } else { greatest };
    let above = values.iter().filter(|value| **value > top).count();
    (frame::padded(least, top, 0.05), above)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: &[f64]) -> SeedCurve {
        let training = values.iter().enumerate().map(|(index, &value)| ((index + 1) as f64 * 10.0, value)).collect();
        SeedCurve { training, validation: Vec::new() }
    }

    #[test]
    fn mean_is_taken_where_every_seed_has_a_point() {
        let (long, short) = (curve(&[4.0, 3.0, 2.0]), curve(&[2.0, 1.0]));

        assert_eq!(mean(&[&long.training, &short.training]), [(10.0, 3.0), (20.0, 2.0)]);
    }

    #[test]
    fn first_losses_off_the_scale_are_counted_and_not_drawn() {
        let mut values = vec![1e9];
        values.extend((0..200).map(|i| 4.0 - f64::from(i) / 200.0));

        let ((low, high), above) = range(values);

        assert!(low > 2.9 && high < 10.0, "{low} to {high}");
        assert_eq!(above, 1, "the billion");
    }

    #[test]
    fn trainings_without_a_finite_point_are_refused() {
        let drawn = |seeds| {
            let variants = vec![TrainingSeries { label: "cycle", seeds }];
            TrainingPlot { title: "t", subtitle: "", quantity: "bits per dimension", variants }.draw().map(|_| ())
        };

        for nothing in [vec![], vec![SeedCurve::default()], vec![curve(&[f64::NAN, f64::INFINITY])]] {
            assert_eq!(drawn(nothing), Err(PictureError::Empty("no training has reported a finite loss yet")));
        }
        assert_eq!(drawn(vec![curve(&[f64::NAN, 3.0]), curve(&[])]), Ok(()));
    }
}
