//! Bits per dimension of a dataset: its mean, its median, and what a mean alone would hide.

/// How many median absolute deviations beyond the median an image counts as an outlier.
const OUTLIER_DEVIATIONS: f64 = 10.0;

/// The share of the least likely images that the trimmed mean leaves out: the reference's, in its histograms.
const TRIMMED_SHARE: f64 = 0.05;

/// Bits per dimension −ℓ/(D ln 2) of one image with log-likelihood ℓ in nats (already including −D ln 256).
#[must_use]
pub fn bits_per_dimension(log_likelihood: f64, dimensions: usize) -> f64 {
    -log_likelihood / (dimensions as f64 * std::f64::consts::LN_2)
}

/// Bits per dimension of a set of images. A flow with batch normalisation can be off by orders of magnitude on a few
/// images in evaluation mode, which then dominate the mean: hence the median and the counts beside it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BitsPerDimension {
    /// Mean over the finite values, outliers included; none if no value is finite.
    pub mean: Option<f64>,
    /// Median of the finite values; none if no value is finite.
    pub median: Option<f64>,
    /// Mean over the finite values but the ⌊0.05 n⌋ least likely of n, a one-sided trimmed mean; none if no value is
    /// finite.
    pub trimmed: Option<f64>,
    /// Finite values more than ten median absolute deviations above the median.
    pub outliers: usize,
    /// Values that are infinite or not numbers.
    pub non_finite: usize,
    /// Number of images.
    pub count: usize,
}

/// Summarises the bits per dimension of images from their log-likelihoods in nats.
#[must_use]
pub fn summarise_bits_per_dimension(log_likelihoods: &[f64], dimensions: usize) -> BitsPerDimension {
    let mut finite: Vec<f64> = log_likelihoods
        .iter()
        .map(|&value| bits_per_dimension(value, dimensions))
        .filter(|value| value.is_finite())
        .collect();
    let count = log_likelihoods.len();
    let non_finite = count - finite.len();
    if finite.is_empty() {
        return BitsPerDimension { mean: None, median: None, trimmed: None, outliers: 0, non_finite, count };
    }

    let all = mean(&finite);
    let centre = median(&mut finite);
    let trimmed = mean(likeliest(&finite));
    let mut deviations: Vec<f64> = finite.iter().map(|value| (value - centre).abs()).collect();
    let limit = centre + OUTLIER_DEVIATIONS * median(&mut deviations);
    let outliers = finite.iter().filter(|&&value| value > limit).count();
    BitsPerDimension { mean: all, median: Some(centre), trimmed, outliers, non_finite, count }
}

/// What a trimmed mean is over, of sorted values.
fn likeliest(sorted: &[f64]) -> &[f64] {
    let dropped = (TRIMMED_SHARE * sorted.len() as f64) as usize;
    &sorted[..sorted.len() - dropped]
}

/// The mean, if there are values.
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The median of at least one value; sorts them.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[middle - 1], values[middle]) } else { values[middle] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_normal_at_its_mode_has_the_known_value() {
        // z = 0 and no log-determinant in D dimensions: 8 + ½ log2 2π bits per dimension.
        let dimensions = 784;
        let log_likelihood = -784.0 * (0.5 * (2.0 * std::f64::consts::PI).ln() + 256_f64.ln());

        assert!((bits_per_dimension(log_likelihood, dimensions) - 9.325_748).abs() < 1e-6);
    }

    #[test]
    fn catastrophic_images_move_the_mean_and_not_the_median() {
        let mut log_likelihoods: Vec<f64> = (0..99).map(|index| -1700.0 - f64::from(index)).collect();
        log_likelihoods.push(-1.4e6);

        let summary = summarise_bits_per_dimension(&log_likelihoods, 784);

        assert_eq!((summary.outliers, summary.non_finite, summary.count), (1, 0, 100));
        assert!((summary.median.unwrap() - bits_per_dimension(-1749.5, 784)).abs() < 1e-12);
        assert!(summary.mean.unwrap() > 25.0);
    }

    #[test]
    fn trimmed_mean_drops_the_least_likely_twentieth() {
        let log_likelihoods: Vec<f64> = (0..119).map(|index| -f64::from(index)).collect();

        let summary = summarise_bits_per_dimension(&log_likelihoods, 1);

        // ⌊5.95⌋ = 5 of them go: 0 to 113 are left.
        assert!((summary.trimmed.unwrap() - 56.5 / std::f64::consts::LN_2).abs() < 1e-12, "{summary:?}");
    }

    #[test]
    fn trimmed_mean_ignores_catastrophic_images_and_values_that_are_not_finite() {
        let mut log_likelihoods = vec![-2.0; 97];
        log_likelihoods.extend([-1e9, f64::NEG_INFINITY, -3.0]);

        let summary = summarise_bits_per_dimension(&log_likelihoods, 1);

        // Four of 99 finite values go, the two outliers among them.
        assert!((summary.trimmed.unwrap() - 2.0 / std::f64::consts::LN_2).abs() < 1e-12, "{summary:?}");
    }

    #[test]
    fn trimmed_mean_of_few_images_is_their_mean() {
        let summary = summarise_bits_per_dimension(&[-1.0, -9.0], 1);

        assert_eq!(summary.trimmed, summary.mean);
    }

    #[test]
    fn unusually_likely_images_are_no_outliers() {
        let summary = summarise_bits_per_dimension(&[-10.0, -11.0, -12.0, 1e9], 1);

        assert_eq!(summary.outliers, 0);
    }

    #[test]
    fn values_that_are_not_finite_are_counted() {
        let summary = summarise_bits_per_dimension(&[f64::NAN, -2.0, f64::NEG_INFINITY, -4.0], 1);

        assert_eq!((summary.non_finite, summary.count), (2, 4));
        assert!((summary.mean.unwrap() - 3.0 / std::f64::consts::LN_2).abs() < 1e-12);
    }

    #[test]
    fn nothing_finite_has_no_mean() {
        let summary = summarise_bits_per_dimension(&[f64::NAN], 4);

        assert_eq!((summary.mean, summary.median, summary.non_finite), (None, None, 1));
        assert_eq!(summary.trimmed, None);
        assert_eq!(summarise_bits_per_dimension(&[], 4).count, 0);
    }
}
