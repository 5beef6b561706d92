//! From scores to the numbers that are published.

use domain::report::{Interval, Measurement, Metric};
use domain::spec::{Dataset, ScoreName};
use ood::{BitsPerDimension, Separation, SeparationMetric, separation, summarise_bits_per_dimension};

use crate::score::{Scored, Sides, score};
use crate::statistics::Statistics;

/// The numbers of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// For each score every metric of both sides and each side's values that are not finite; of the likelihood the bits per
    /// dimension of each side too.
    pub measurements: Vec<Measurement>,
    /// Why scores have no numbers, or metrics no value, for people.
    pub problems: Vec<String>,
}

/// Measures how well each score separates both sides, and what the flow makes of each of them.
///
/// Nothing is dropped in silence. Infinities rank as extremes; where a score is not a number, no metric of both sides has a value,
/// and the counts of such examples stand beside them as [`Metric::NonFinite`]. A score that cannot be computed has its metrics
/// without values, over no examples.
#[must_use]
pub fn measure(sides: &Sides<'_>, scores: &[ScoreName]) -> Measured {
    let mut found = Measured { measurements: Vec::new(), problems: Vec::new() };
    for &name in scores {
        let scored = score(sides, name).unwrap_or_else(|problem| {
            found.problems.push(problem.to_string());
            Scored { inside: Vec::new(), outside: Vec::new() }
        });
        found.compare(name, &scored);
        if name != ScoreName::LogLikelihood {
            found.count_non_finite([sides.inside, sides.outside].map(|side| &side.header().dataset), name, &scored);
        }
    }
    found.describe(sides.inside, |count| (count, 0));
    found.describe(sides.outside, |count| (0, count));
    found
}

/// As [`measure`] for scores that were computed already, of the learned dataset and of the OOD one, and without what the flow makes of
/// either.
#[must_use]
pub fn measure_scored(name: ScoreName, scored: &Scored, inside: &Dataset, outside: &Dataset) -> Measured {
    let mut found = Measured { measurements: Vec::new(), problems: Vec::new() };
    found.compare(name, scored);
    found.count_non_finite([inside, outside], name, scored);
    found
}

impl Measured {
    /// Every metric that compares both sides.
    fn compare(&mut self, name: ScoreName, Scored { inside, outside }: &Scored) {
        let (n_in, n_out) = (inside.len() as u64, outside.len() as u64);
        let separation = separation(inside, outside);
        if let Err(problem) = &separation
            && n_in > 0
            && n_out > 0
        {
            self.problems.push(format!("`{name}`: {problem}"));
        }
        let separation = separation.ok();
        for metric in SeparationMetric::ALL {
            self.measurements.push(Measurement {
                score: name,
                metric: published(metric),
                dataset: None,
                // Sums of areas may round to a little more than the whole.
                value: separation.as_ref().map(|separation| separation.value(metric).clamp(0.0, 1.0)),
                interval: separation.as_ref().and_then(|separation| interval(separation, metric)),
                n_in,
                n_out,
            });
        }
    }

    /// How many examples of each side, or groups of them, have no finite score.
    fn count_non_finite(&mut self, datasets: [&Dataset; 2], name: ScoreName, Scored { inside, outside }: &Scored) {
        let (n_in, n_out) = (inside.len() as u64, outside.len() as u64);
        let [of_inside, of_outside] = datasets;
        for (dataset, scores, n_in, n_out) in [(of_inside, inside, n_in, 0), (of_outside, outside, 0, n_out)] {
            let count = scores.iter().filter(|score| !score.is_finite()).count();
            self.measurements.push(Measurement {
                score: name,
                metric: Metric::NonFinite,
                dataset: Some(dataset.clone()),
                value: Some(count as f64),
                interval: None,
                n_in,
                n_out,
            });
        }
    }

    /// The bits per dimension of one side; `counts` puts its number of examples in the column of its side.
    fn describe(&mut self, side: &Statistics, counts: impl Fn(u64) -> (u64, u64)) {
        let dimensions = usize::try_from(side.header().dimensions).unwrap_or(usize::MAX);
        let summary: BitsPerDimension = summarise_bits_per_dimension(side.log_likelihood(), dimensions);
        let (n_in, n_out) = counts(summary.count as u64);
        let metrics = [
            (Metric::BitsPerDimMean, summary.mean),
            (Metric::BitsPerDimMedian, summary.median),
            (Metric::BitsPerDimTrimmed, summary.trimmed),
            (Metric::Outliers, Some(summary.outliers as f64)),
            (Metric::NonFinite, Some(summary.non_finite as f64)),
        ];
        self.measurements.extend(metrics.into_iter().map(|(metric, value)| Measurement {
            score: ScoreName::LogLikelihood,
            metric,
            dataset: Some(side.header().dataset.clone()),
            value,
            interval: None,
            n_in,
            n_out,
        }));
    }
}

fn published(metric: SeparationMetric) -> Metric {
    match metric {
        SeparationMetric::Auroc => Metric::Auroc,
        SeparationMetric::AuprOut => Metric::AuprOut,
        SeparationMetric::AuprIn => Metric::AuprIn,
        SeparationMetric::ApOut => Metric::ApOut,
        SeparationMetric::ApIn => Metric::ApIn,
        SeparationMetric::FprInAt95Out => Metric::FprInAt95Out,
        SeparationMetric::FprOutAt95In => Metric::FprOutAt95In,
        SeparationMetric::DetectionError => Metric::DetectionError,
        SeparationMetric::DetectionErrorAt95In => Metric::DetectionErrorAt95In,
    }
}

/// The interval of the AUROC; the other metrics have none.
fn interval(separation: &Separation, metric: SeparationMetric) -> Option<Interval> {
    let ood::Interval { low, high, method, .. } =
        (metric == SeparationMetric::Auroc).then_some(&separation.auroc.interval)?;
    Some(Interval { low: *low, high: *high, method: method.to_string() })
}
