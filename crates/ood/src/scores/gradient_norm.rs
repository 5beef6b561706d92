//! The size of the likelihood's gradient, layer by layer (Dauncey, Holmes, Williams & Falck 2024, "Approximations to the
//! Fisher information metric of deep generative models for out-of-distribution detection").

use super::reference::{FitError, enough, moments};

/// Fewest reference examples with a gradient.
const NEEDED: usize = 2;

/// The squared norm that stands for none: the logarithm of 0 would be infinite.
const LEAST: f64 = f64::MIN_POSITIVE;

/// How large the gradients of in-distribution examples are, for each parameter tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientNorm {
    /// Mean and standard deviation of log gⱼ; none for a tensor whose gradient tells nothing.
    tensors: Vec<Option<(f64, f64)>>,
}

impl GradientNorm {
    /// Fits log gⱼ ~ N(μⱼ, σⱼ²) for each parameter tensor j, with gⱼ = ‖∂ℓ/∂θⱼ‖² of each reference example.
    ///
    /// Gradients that are 0 or not finite have no part in the fit. A tensor whose gradient is the same for all reference
    /// examples, or 0 for all of them, is left out; [`GradientNorm::left_out`] lists them.
    ///
    /// # Errors
    /// [`FitError`] when a tensor has a gradient for a single reference example, or all tensors are left out.
    pub fn fit(squared_norms: &[&[f64]]) -> Result<Self, FitError> {
        let mut tensors = Vec::with_capacity(squared_norms.len());
        for (index, norms) in squared_norms.iter().enumerate() {
            let usable = norms.iter().filter(|norm| norm.is_finite() && **norm > 0.0);
            let logarithms: Vec<f64> = usable.map(|norm| norm.ln()).collect();
            if logarithms.is_empty() && norms.contains(&0.0) {
                tensors.push(None);
                continue;
            }
            let what = format!("the gradient of parameter tensor {index}, counted from 0");
            enough(logarithms.len(), norms.len(), NEEDED, &what)?;
            let (mean, deviation) = moments(&logarithms);
            tensors.push((deviation > 0.0).then_some((mean, deviation)));
        }
        if tensors.iter().all(Option::is_none) {
            return Err(FitError::Constant { what: "the gradient of every parameter tensor".to_owned() });
        }
        Ok(Self { tensors })
    }

    /// The tensors, by index, that have no part in the score.
    #[must_use]
    pub fn left_out(&self) -> Vec<usize> {
        (0..self.tensors.len()).filter(|&index| self.tensors[index].is_none()).collect()
    }

    /// Scores each example by −Σⱼ log N(log gⱼ; μⱼ, σⱼ²), in nats. A gradient of 0 counts as the smallest positive number;
    /// an infinite one scores infinity, and one that is not a number gives none.
    ///
    /// # Panics
    /// With other tensors than were fitted, or of other numbers of examples.
    #[must_use]
    pub fn score(&self, squared_norms: &[&[f64]]) -> Vec<f64> {
        assert_eq!(squared_norms.len(), self.tensors.len(), "the tensors that were fitted");
        let count = squared_norms.first().map_or(0, |norms| norms.len());
        assert!(squared_norms.iter().all(|norms| norms.len() == count), "every tensor's gradient for each example");
        let mut scores = vec![0.0; count];
        for (tensor, norms) in self.tensors.iter().zip(squared_norms) {
            let Some((mean, deviation)) = tensor else { continue };
            for (score, &norm) in scores.iter_mut().zip(*norms) {
                // `max` would turn what is not a number into the smallest.
                let logarithm = if norm < LEAST { LEAST.ln() } else { norm.ln() };
                let distance = (logarithm - mean) / deviation;
                *score += 0.5 * distance * distance + deviation.ln() + 0.5 * (2.0 * std::f64::consts::PI).ln();
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squared norms whose logarithms are −1 and 1: mean 0, deviation 1.
    fn unit() -> [f64; 2] {
        [(-1_f64).exp(), 1_f64.exp()]
    }

    #[test]
    fn score_is_the_negative_log_density_of_the_logarithms() {
        let fitted = GradientNorm::fit(&[&unit(), &unit()]).unwrap();

        let scores = fitted.score(&[&[1.0, 2_f64.exp()], &[1.0, 1.0]]);

        let at_mean = 0.5 * (2.0 * std::f64::consts::PI).ln();
        assert!((scores[0] - 2.0 * at_mean).abs() < 1e-12, "{scores:?}");
        assert!((scores[1] - 2.0 * at_mean - 2.0).abs() < 1e-12, "{scores:?}");
    }

    #[test]
    fn gradients_too_small_and_too_large_score_high() {
        let fitted = GradientNorm::fit(&[&unit()]).unwrap();

        let scores = fitted.score(&[&[1.0, 1e-9, 1e9, 0.0, f64::INFINITY, f64::NAN]]);

        assert!(scores[1] > scores[0] && scores[2] > scores[0] && scores[3].is_finite(), "{scores:?}");
        assert!(scores[4] == f64::INFINITY && scores[5].is_nan(), "{scores:?}");
    }

    #[test]
    fn tensors_that_tell_nothing_are_left_out() {
        let fitted = GradientNorm::fit(&[&unit(), &[0.0, 0.0], &[3.0, 3.0]]).unwrap();

        assert_eq!(fitted.left_out(), [1, 2]);
        let alone = GradientNorm::fit(&[&unit()]).unwrap().score(&[&[2.0]]);
        assert_eq!(fitted.score(&[&[2.0], &[5.0], &[7.0]]), alone);
        assert!(matches!(GradientNorm::fit(&[&[0.0, 0.0]]), Err(FitError::Constant { .. })));
        assert!(matches!(GradientNorm::fit(&[&[f64::NAN, 1.0]]), Err(FitError::TooFew { finite: 1, .. })));
    }
}
