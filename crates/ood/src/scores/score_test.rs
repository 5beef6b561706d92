//! Rao's score test and the typicality test together (Bergamin, Mattei, Havtorn, Senetaire, Schmutz, Maaløe, Hauberg &
//! Frellsen 2022, "Model-agnostic out-of-distribution detection using combined statistical tests").

use super::reference::{Empirical, FitError};
use super::typicality::{entropy, typicality};

/// How both statistics spread over in-distribution examples.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreTest {
    entropy: f64,
    statistic: Empirical,
    typicality: Empirical,
}

impl ScoreTest {
    /// Fits both empirical distributions: of Rao's statistic ∇ℓᵀ F⁻¹ ∇ℓ and, from the log-likelihoods in nats, of the
    /// typicality |−ℓ − Ĥ|. The reference must be held out from training, or its p-values are too large.
    ///
    /// # Errors
    /// [`FitError`] when a statistic has no finite value.
    pub fn fit(statistic: &[f64], log_likelihood: &[f64]) -> Result<Self, FitError> {
        Ok(Self {
            entropy: entropy(log_likelihood)?,
            statistic: Empirical::fit(statistic, "the statistic of the score test")?,
            typicality: Empirical::fit(&typicality(log_likelihood, log_likelihood)?, "the typicality")?,
        })
    }

    /// Scores each example by Fisher's statistic −2 (log p₁ + log p₂), with the one-sided p-value of each statistic among the
    /// reference's values. It is at most 4 log(n + 1) for n reference examples, so that everything beyond all of them ties.
    /// A statistic that is not a number gives none.
    ///
    /// # Panics
    /// When the statistics are of other numbers of examples.
    #[must_use]
    pub fn score(&self, statistic: &[f64], log_likelihood: &[f64]) -> Vec<f64> {
        assert_eq!(statistic.len(), log_likelihood.len(), "both statistics of each example");
        let score = |(&statistic, &log_likelihood): (&f64, &f64)| {
            let typicality = (-log_likelihood - self.entropy).abs();
            fisher(&[self.statistic.upper_tail(statistic), self.typicality.upper_tail(typicality)])
        };
        statistic.iter().zip(log_likelihood).map(score).collect()
    }
}

/// Fisher's statistic −2 Σ log pᵢ (Fisher 1925, section 21.1).
#[must_use]
pub fn fisher(p_values: &[f64]) -> f64 {
    -2.0 * p_values.iter().map(|p| p.ln()).sum::<f64>()
}

/// The p-value of Fisher's statistic of `tests` independent tests: the upper tail of χ² with twice as many degrees of
/// freedom, e^(−x/2) Σᵢ (x/2)ⁱ/i! over i below `tests`. The two tests of [`ScoreTest`] are not independent: there it orders
/// examples and is no error rate.
#[must_use]
pub fn fisher_p(statistic: f64, tests: usize) -> f64 {
    let half = statistic / 2.0;
    let mut term = (-half).exp();
    let mut sum = 0.0;
    for index in 0..tests {
        sum += term;
        term *= half / (index + 1) as f64;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fishers_statistic_of_one_test_gives_back_its_p_value() {
        for p in [1.0, 0.5, 0.003] {
            assert!((fisher_p(fisher(&[p]), 1) - p).abs() < 1e-15);
        }
        // p (1 − log p) for two tests with the product p.
        let expected = 0.02 * (1.0 - 0.02_f64.ln());
        assert!((fisher_p(fisher(&[0.1, 0.2]), 2) - expected).abs() < 1e-15);
    }

    #[test]
    fn either_test_raises_the_score_and_both_raise_it_more() {
        let statistic: Vec<f64> = (0..99).map(f64::from).collect();
        let log_likelihood: Vec<f64> = (0..99).map(|index| -f64::from(index * 37 % 99)).collect();
        let fitted = ScoreTest::fit(&statistic, &log_likelihood).unwrap();

        let scores = fitted.score(&[0.0, 1e6, 0.0, 1e6], &[-49.0, -49.0, -1e6, -1e6]);

        assert_eq!(scores[0], 0.0);
        assert!((scores[1] - 2.0 * 100_f64.ln()).abs() < 1e-12, "{scores:?}");
        assert!((scores[3] - scores[1] - scores[2]).abs() < 1e-12, "{scores:?}");
        assert!(fitted.score(&[f64::NAN], &[-49.0])[0].is_nan());
        assert!(ScoreTest::fit(&[f64::NAN], &[1.0]).is_err());
    }

    #[test]
    fn increasing_maps_of_the_score_statistic_change_nothing() {
        let statistic: Vec<f64> = (0..50).map(|index| f64::from(index * 7 % 50)).collect();
        let log_likelihood: Vec<f64> = (0..50).map(|index| f64::from(index * 3 % 50)).collect();
        let cubes: Vec<f64> = statistic.iter().map(|value| value.powi(3)).collect();

        let before = ScoreTest::fit(&statistic, &log_likelihood).unwrap().score(&statistic, &log_likelihood);
        let after = ScoreTest::fit(&cubes, &log_likelihood).unwrap().score(&cubes, &log_likelihood);

        assert_eq!(before, after);
    }
}
