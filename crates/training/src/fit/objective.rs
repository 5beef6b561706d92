//! What a step minimises, as sums over log-likelihoods: nothing here waits for the device.

use domain::spec::{Dataset, ObjectiveSpec};
use tch::Tensor;

/// The objective of a run, its defaults filled in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Objective {
    /// `mean_i(−LL_i)` over the in-distribution images.
    MaximumLikelihood,
    /// Negative training (reference section 4.4).
    Negative {
        /// The log-likelihood in nats above which an out-of-distribution image is pushed down.
        threshold: f64,
    },
}

impl Objective {
    /// The objective that a document names, for its in-distribution dataset.
    pub fn new(spec: &ObjectiveSpec, within: &Dataset) -> Self {
        match spec {
            ObjectiveSpec::MaximumLikelihood => Self::MaximumLikelihood,
            ObjectiveSpec::Negative(negative) => Self::Negative { threshold: negative.threshold_nats(within) },
        }
    }
}

/// The out-of-distribution images that are still too likely: J = {j : LL_j > threshold}.
///
/// A likelihood that is not a number counts as too likely, so that it shows in the loss.
pub struct TooLikely {
    /// The sum of their log-likelihoods, a scalar with a gradient; 0 when there are none.
    pub sum: Tensor,
    /// Their number, a scalar.
    pub count: Tensor,
}

impl TooLikely {
    /// Chooses among log-likelihoods `[m]`; m may be 0.
    pub fn among(log_likelihoods: &Tensor, threshold: f64) -> Self {
        let unlikely = log_likelihoods.le(threshold);
        let count = unlikely.logical_not().sum(log_likelihoods.kind());
        Self { sum: log_likelihoods.masked_fill(&unlikely, 0.0).sum(log_likelihoods.kind()), count }
    }
}

/// The factors of the two terms of negative training, as scalars without a gradient.
pub struct Weights {
    /// Of `mean_i(−LL_i)`: ½, or 1 when J is empty.
    pub inside: Tensor,
    /// Of `Σ_J LL_j`: 1 / (2 |J|), or 0 when J is empty.
    pub outside: Tensor,
}

impl Weights {
    /// The factors when `count` images are too likely (a scalar).
    pub fn when_too_likely(count: &Tensor) -> Self {
        let some = count.clamp_max(1.0);
        Self { inside: &some * -0.5 + 1.0, outside: some / (count.clamp_min(1.0) * 2.0) }
    }
}

/// The loss of negative training, `½ [mean_i(−LL_i) + mean_J(LL_j)]`, or `mean_i(−LL_i)` when J is empty.
///
/// `inside` is `mean_i(−LL_i)`, a scalar.
pub fn negative_loss(inside: &Tensor, outside: &TooLikely) -> Tensor {
    let weights = Weights::when_too_likely(&outside.count);
    inside * weights.inside + &outside.sum * weights.outside
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    fn loss(inside: &[f64], outside: &[f64]) -> f64 {
        let inside = -Tensor::from_slice(inside).mean(Kind::Double);
        negative_loss(&inside, &TooLikely::among(&Tensor::from_slice(outside), -1e5)).double_value(&[])
    }

    #[test]
    fn negative_loss_has_the_references_values() {
        // Reference section 8.1, G8.
        assert_eq!(loss(&[-2000.0, -3000.0], &[-1000.0, -150_000.0]), 750.0);
        assert_eq!(loss(&[-2000.0, -3000.0], &[-200_000.0, -150_000.0]), 2500.0);
    }

    #[test]
    fn images_at_the_threshold_are_left_alone() {
        assert_eq!(loss(&[-2000.0], &[-1e5, -1e5]), 2000.0);
        assert_eq!(loss(&[-2000.0], &[-1e5, -99_999.0]), 0.5 * (2000.0 - 99_999.0));
    }

    #[test]
    fn no_out_of_distribution_image_is_maximum_likelihood() {
        assert_eq!(loss(&[-2000.0], &[]), 2000.0);
    }

    #[test]
    fn likelihoods_that_are_not_numbers_show_in_the_loss() {
        assert!(loss(&[-2000.0], &[f64::NAN, -1.0]).is_nan());
        assert_eq!(loss(&[-2000.0], &[f64::NEG_INFINITY]), 2000.0);
    }

    #[test]
    fn gradient_is_the_formulas() {
        for (outside, expected) in [
            ([-1000.0, -150_000.0, -3000.0], [-0.25, -0.25, 0.25, 0.0, 0.25]),
            ([-150_000.0; 3], [-0.5, -0.5, 0.0, 0.0, 0.0]),
        ] {
            let all = [&[-2000.0, -3000.0], &outside[..]].concat();
            let all = Tensor::from_slice(&all).set_requires_grad(true);

            let outside = TooLikely::among(&all.narrow(0, 2, 3), -1e5);
            let loss = negative_loss(&-all.narrow(0, 0, 2).mean(Kind::Double), &outside);
            let gradient = Tensor::run_backward(&[&loss], &[&all], false, false).remove(0);

            assert_eq!(Vec::<f64>::try_from(gradient).unwrap(), expected);
        }
    }
}
