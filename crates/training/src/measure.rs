//! From per-image statistics to the numbers that are published.

use domain::report::{Interval, Measurement, Metric};
use domain::spec::ScoreName;
use ood::{Auroc, BitsPerDimension, auroc, log_likelihood, summarise_bits_per_dimension};

use crate::statistics::{PerImage, Statistics};

/// Every number of an evaluation: the AUROC of each score, and the bits per dimension of each side.
pub fn measure(statistics: &Statistics, scores: &[ScoreName], dimensions: usize) -> Vec<Measurement> {
    let mut measurements: Vec<Measurement> = scores
        .iter()
        .filter(|score| **score == ScoreName::LogLikelihood)
        .map(|&score| separation(statistics, score))
        .collect();
    let inside = likelihoods(&statistics.inside, dimensions, |count| (count, 0));
    let outside = likelihoods(&statistics.outside, dimensions, |count| (0, count));
    measurements.extend(inside.into_iter().chain(outside));
    measurements
}

/// The AUROC of a score; without a value when some images have a score that is not a number (their count stands beside
/// it as [`Metric::NonFinite`]).
fn separation(statistics: &Statistics, score: ScoreName) -> Measurement {
    let scores = |images: &PerImage| match score {
        ScoreName::LogLikelihood => log_likelihood(&images.log_likelihood),
        _ => Vec::new(),
    };
    let (inside, outside) = (scores(&statistics.inside), scores(&statistics.outside));
    let found: Option<Auroc> = auroc(&inside, &outside).ok();
    Measurement {
        score,
        metric: Metric::Auroc,
        dataset: None,
        value: found.as_ref().map(|auroc| auroc.value),
        interval: found.map(|auroc| Interval {
            low: auroc.interval.low,
            high: auroc.interval.high,
            method: auroc.interval.method.to_string(),
        }),
        n_in: inside.len() as u64,
        n_out: outside.len() as u64,
    }
}

/// The bits per dimension of one side; `counts` puts its number of images in the column of its side.
fn likelihoods(images: &PerImage, dimensions: usize, counts: impl Fn(u64) -> (u64, u64)) -> Vec<Measurement> {
    let summary: BitsPerDimension = summarise_bits_per_dimension(&images.log_likelihood, dimensions);
    let (n_in, n_out) = counts(summary.count as u64);
    let metrics = [
        (Metric::BitsPerDimMean, summary.mean),
        (Metric::BitsPerDimMedian, summary.median),
        (Metric::BitsPerDimTrimmed, summary.trimmed),
        (Metric::Outliers, Some(summary.outliers as f64)),
        (Metric::NonFinite, Some(summary.non_finite as f64)),
    ];
    let measurement = |(metric, value)| Measurement {
        score: ScoreName::LogLikelihood,
        metric,
        dataset: Some(images.dataset.clone()),
        value,
        interval: None,
        n_in,
        n_out,
    };
    metrics.into_iter().map(measurement).collect()
}

#[cfg(test)]
mod tests {
    use domain::Digest;
    use domain::spec::DatasetName;

    use super::*;

    fn side(dataset: DatasetName, log_likelihood: &[f64]) -> PerImage {
        let zeros = vec![0.0; log_likelihood.len()];
        PerImage {
            dataset: dataset.into(),
            log_likelihood: log_likelihood.to_vec(),
            latent: zeros.clone(),
            log_det: zeros,
        }
    }

    fn measured(inside: &[f64], outside: &[f64]) -> Vec<Measurement> {
        let statistics = Statistics {
            checkpoint: Digest::of(b""),
            seed: 0,
            noise_draws: 1,
            precision: "float32".to_owned(),
            inside: side(DatasetName::SyntheticShapes, inside),
            outside: side(DatasetName::SyntheticStrokes, outside),
        };
        measure(&statistics, &[ScoreName::LogLikelihood], 4)
    }

    fn value(measurements: &[Measurement], metric: Metric, dataset: Option<DatasetName>) -> Option<f64> {
        measurements.iter().find(|m| m.metric == metric && m.dataset == dataset.map(Into::into)).unwrap().value
    }

    #[test]
    fn likelier_images_outside_give_an_auroc_below_one_half() {
        let measurements = measured(&[-3.0, -2.0], &[-1.0, -2.5]);

        let auroc = &measurements[0];
        assert_eq!((auroc.metric, auroc.value, auroc.n_in, auroc.n_out), (Metric::Auroc, Some(0.25), 2, 2));
        assert_eq!(auroc.interval.as_ref().unwrap().method, "delong");
        assert_eq!(measurements.len(), 11);
    }

    #[test]
    fn values_that_are_not_numbers_leave_no_auroc_and_are_counted() {
        let measurements = measured(&[f64::NAN, -2.0], &[-1.0, -2.5]);

        assert_eq!((measurements[0].value, &measurements[0].interval), (None, &None));
        assert_eq!(value(&measurements, Metric::NonFinite, Some(DatasetName::SyntheticShapes)), Some(1.0));
        assert_eq!(value(&measurements, Metric::NonFinite, Some(DatasetName::SyntheticStrokes)), Some(0.0));
    }
}
