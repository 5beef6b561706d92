//! The local intrinsic dimension of what a flow generates around an image (Kamkari, Ross, Cresswell, Caterini, Krishnan &
//! Loaiza-Ganem 2024, "A geometric explanation of the likelihood OOD detection paradox").

use super::reference::{Empirical, FitError};

/// The number of singular values of the generator's Jacobian ∂x/∂z, at the image's latent, that exceed `threshold`: the
/// directions along which the flow generates anything larger than it. What is not a number exceeds nothing.
#[must_use]
pub fn dimension_above(singular_values: &[f64], threshold: f64) -> usize {
    singular_values.iter().filter(|&&value| value > threshold).count()
}

/// The dimension at the scale r: D + ∂/∂r log (p ∗ N(0, e²ʳ I))(x), of the flow made linear at the image's latent z
/// (Tempczyk et al. 2022; the linearisation of Kamkari et al.).
///
/// With the singular values σᵢ of the Jacobian and wᵢ = vᵢᵀz, the latent along its right singular vectors, the smoothed
/// density is that of N(0, σᵢ² + e²ʳ) at σᵢwᵢ in each direction, whose slope adds up to
/// Σᵢ [σᵢ²/(σᵢ² + e²ʳ) + σᵢ² wᵢ² e²ʳ/(σᵢ² + e²ʳ)²].
///
/// # Panics
/// When singular values and coordinates are of other numbers.
#[must_use]
pub fn dimension_at_scale(singular_values: &[f64], latent_coordinates: &[f64], log_scale: f64) -> f64 {
    assert_eq!(singular_values.len(), latent_coordinates.len(), "one coordinate along each singular vector");
    let noise = (2.0 * log_scale).exp();
    let direction = |(sigma, w): (&f64, &f64)| {
        let signal = sigma * sigma;
        let share = signal / (signal + noise);
        share + share * w * w * noise / (signal + noise)
    };
    singular_values.iter().zip(latent_coordinates).map(direction).sum()
}

/// The dimension from log-densities of the flow smoothed at several scales: D plus the least-squares slope of log-density
/// over log-scale r; none with fewer than two distinct scales.
///
/// # Panics
/// When scales and log-densities are of other numbers.
#[must_use]
pub fn dimension_from_slope(dimensions: usize, log_scales: &[f64], log_densities: &[f64]) -> Option<f64> {
    assert_eq!(log_scales.len(), log_densities.len(), "one log-density at each scale");
    let count = log_scales.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (mean_scale, mean_density) = (mean(log_scales), mean(log_densities));
    let spread: f64 = log_scales.iter().map(|scale| (scale - mean_scale).powi(2)).sum();
    let pairs = log_scales.iter().zip(log_densities);
    let product: f64 = pairs.map(|(scale, density)| (scale - mean_scale) * (density - mean_density)).sum();
    (spread > 0.0).then(|| dimensions as f64 + product / spread)
}

/// The paper's dual threshold as one number: in-distribution is what has both a likely and a large-dimensional
/// neighbourhood.
///
/// The paper accepts where ℓ > a and LID > b, and reports the best over all pairs (a, b), chosen with the
/// out-of-distribution examples at hand: an optimistic bound. This score fixes the pairs in advance: a and b at the same
/// quantile of the reference's values, so that one number sweeps over them (Tippett's combination of two one-sided
/// p-values). It needs no out-of-distribution example and can only be worse than the paper's bound.
#[derive(Debug, Clone, PartialEq)]
pub struct DualThreshold {
    log_likelihood: Empirical,
    dimension: Empirical,
}

impl DualThreshold {
    /// Fits both empirical distributions.
    ///
    /// # Errors
    /// [`FitError`] when a statistic has no finite value.
    pub fn fit(log_likelihood: &[f64], local_dimension: &[f64]) -> Result<Self, FitError> {
        Ok(Self {
            log_likelihood: Empirical::fit(log_likelihood, "the log-likelihood")?,
            dimension: Empirical::fit(local_dimension, "the local dimension")?,
        })
    }

    /// Scores each example by 1 − min(F̂(ℓ), F̂(LID)), with the reference's shares below (ties half): between 0 and 1. A
    /// statistic that is not a number gives none.
    ///
    /// # Panics
    /// When the statistics are of other numbers of examples.
    #[must_use]
    pub fn score(&self, log_likelihood: &[f64], local_dimension: &[f64]) -> Vec<f64> {
        assert_eq!(log_likelihood.len(), local_dimension.len(), "both statistics of each example");
        let score = |(&log_likelihood, &dimension): (&f64, &f64)| {
            let shares = [self.log_likelihood.share_below(log_likelihood), self.dimension.share_below(dimension)];
            // `min` would pass over what is not a number.
            if shares.iter().any(|share| share.is_nan()) { f64::NAN } else { 1.0 - shares[0].min(shares[1]) }
        };
        log_likelihood.iter().zip(local_dimension).map(score).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// log N(x; 0, σᵢ² + e²ʳ) at σᵢwᵢ, summed: what the slope is of.
    fn smoothed(singular_values: &[f64], coordinates: &[f64], log_scale: f64) -> f64 {
        let direction = |(sigma, w): (&f64, &f64)| {
            let variance = sigma * sigma + (2.0 * log_scale).exp();
            -0.5 * ((2.0 * std::f64::consts::PI * variance).ln() + (sigma * w).powi(2) / variance)
        };
        singular_values.iter().zip(coordinates).map(direction).sum()
    }

    #[test]
    fn singular_values_above_the_threshold_are_counted() {
        assert_eq!(dimension_above(&[3.0, 0.5, 1e-4, f64::NAN, 0.0], 1e-2), 2);
    }

    #[test]
    fn a_flat_flow_has_its_few_dimensions_at_small_scales() {
        // Two directions of size 1, three that are hardly there.
        let (sigma, w) = ([1.0, 1.0, 1e-6, 1e-6, 1e-6], [0.3, -1.0, 0.5, 2.0, -0.1]);

        assert!((dimension_at_scale(&sigma, &w, -5.0) - 2.0).abs() < 1e-3);
        assert!((dimension_at_scale(&sigma, &w, -30.0) - 5.0).abs() < 1e-3);
        assert!(dimension_at_scale(&sigma, &w, 10.0) < 1e-3);
    }

    #[test]
    fn slope_of_a_line_is_found() {
        // −7 r + 2 in 10 dimensions.
        assert_eq!(dimension_from_slope(10, &[-2.0, -1.0, 0.0], &[16.0, 9.0, 2.0]), Some(3.0));
        assert_eq!(dimension_from_slope(10, &[-2.0, -2.0], &[1.0, 2.0]), None);
        assert_eq!(dimension_from_slope(10, &[], &[]), None);
    }

    #[test]
    fn unlikely_and_small_dimensional_examples_both_score_high() {
        let reference: Vec<f64> = (0..99).map(f64::from).collect();
        let fitted = DualThreshold::fit(&reference, &reference).unwrap();

        let scores = fitted.score(&[49.0, -5.0, 200.0, 200.0], &[49.0, 49.0, -5.0, 200.0]);

        assert!((scores[0] - 0.5).abs() < 0.01, "{scores:?}");
        assert_eq!((scores[1], scores[2]), (0.995, 0.995));
        assert!(scores[3] < 0.01, "{scores:?}");
        assert!(fitted.score(&[f64::NAN], &[50.0])[0].is_nan());
    }

    proptest! {
        #[test]
        fn dimension_at_a_scale_is_the_slope_of_the_smoothed_density(
            pairs in proptest::collection::vec((0.01..3.0, -2.0..2.0), 1..6), log_scale in -2.0..1.0,
        ) {
            let (sigma, w): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let step = 1e-4;
            let scales = [log_scale - step, log_scale + step];
            let densities = scales.map(|scale| smoothed(&sigma, &w, scale));
            let slope = dimension_from_slope(sigma.len(), &scales, &densities).unwrap();
            prop_assert!((slope - dimension_at_scale(&sigma, &w, log_scale)).abs() < 1e-5);
        }
    }
}
