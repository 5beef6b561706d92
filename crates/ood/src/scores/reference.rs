//! What scores learn of in-distribution examples: finite values, their moments, their empirical distribution.

use thiserror::Error;

/// Why a score cannot learn from the reference that it was given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FitError {
    /// Too few values are finite.
    #[error(
        "{what}: {finite} of {count} reference values are finite, and {needed} are needed; give more reference examples, or look why they are not finite"
    )]
    TooFew {
        /// The statistic.
        what: String,
        /// How many of its values are finite.
        finite: usize,
        /// How many there are.
        count: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The statistic is the same for all reference examples.
    #[error("{what} is the same for every reference example, and nothing can be learned from it")]
    Constant {
        /// The statistic.
        what: String,
    },
}

/// The finite values.
///
/// # Errors
/// [`FitError::TooFew`] if there are fewer than `needed`.
pub fn finite(values: &[f64], needed: usize, what: &str) -> Result<Vec<f64>, FitError> {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    enough(finite.len(), values.len(), needed, what)?;
    Ok(finite)
}

/// # Errors
/// [`FitError::TooFew`] if `finite` is less than `needed`.
pub fn enough(finite: usize, count: usize, needed: usize, what: &str) -> Result<(), FitError> {
    if finite < needed {
        return Err(FitError::TooFew { what: what.to_owned(), finite, count, needed });
    }
    Ok(())
}

/// Mean and standard deviation (divided by the count) of at least one value.
pub fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let scatter: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (scatter / count).sqrt())
}

/// Sorted reference values.
#[derive(Debug, Clone, PartialEq)]
pub struct Empirical {
    sorted: Vec<f64>,
}

impl Empirical {
    /// Keeps the finite values.
    ///
    /// # Errors
    /// [`FitError::TooFew`] if none is.
    pub fn fit(values: &[f64], what: &str) -> Result<Self, FitError> {
        let mut sorted = finite(values, 1, what)?;
        sorted.sort_unstable_by(f64::total_cmp);
        Ok(Self { sorted })
    }

    /// (1 + #{reference ≥ value})/(n + 1): how probable a value at least this large is if the example is one more of the
    /// reference's kind. Never 0 (Phipson & Smyth 2010). A value that is not a number stays one.
    pub fn upper_tail(&self, value: f64) -> f64 {
        if value.is_nan() {
            return value;
        }
        let below = self.sorted.partition_point(|&other| other < value);
        (1 + self.sorted.len() - below) as f64 / (self.sorted.len() + 1) as f64
    }

    /// (½ + #{reference < value} + ½ #{reference = value})/(n + 1): the share of the reference below, a mid-p value
    /// (Lancaster 1961), between 0 and 1 and never either. A value that is not a number stays one.
    pub fn share_below(&self, value: f64) -> f64 {
        if value.is_nan() {
            return value;
        }
        let below = self.sorted.partition_point(|&other| other < value);
        let not_above = self.sorted.partition_point(|&other| other <= value);
        (1 + below + not_above) as f64 / (2 * (self.sorted.len() + 1)) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_count_ties_and_never_reach_nothing() {
        let reference = Empirical::fit(&[1.0, 2.0, 2.0, f64::NAN, 3.0], "x").unwrap();

        assert_eq!(reference.upper_tail(2.0), 4.0 / 5.0);
        assert_eq!(reference.upper_tail(f64::INFINITY), 1.0 / 5.0);
        assert_eq!(reference.upper_tail(0.0), 1.0);
        assert_eq!(reference.share_below(2.0), (0.5 + 1.0 + 1.0) / 5.0);
        assert_eq!(reference.share_below(-9.0), 0.1);
        assert!(reference.upper_tail(f64::NAN).is_nan() && reference.share_below(f64::NAN).is_nan());
    }

    #[test]
    fn too_few_finite_values_are_counted() {
        let refusal = finite(&[f64::NAN, 1.0], 2, "the log-likelihood").unwrap_err();

        assert!(refusal.to_string().starts_with("the log-likelihood: 1 of 2 reference values are finite"), "{refusal}");
    }
}
