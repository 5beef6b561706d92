//! Student's paired t-test: whether two methods differ, from what both measured on the same seeds.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Why there is no test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PairedTError {
    /// One pair says nothing of the spread.
    #[error("{0} pairs: a paired t-test needs two")]
    TooFew(usize),
    /// NaN or infinite.
    #[error("a difference is not finite")]
    NotFinite,
}

/// The mean difference of pairs, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedT {
    /// Number of pairs.
    pub pairs: usize,
    /// Mean of the differences.
    pub difference: f64,
    /// Lower end of its confidence interval.
    pub low: f64,
    /// Upper end of its confidence interval.
    pub high: f64,
    /// Two-sided probability of a mean at least as far from 0, were the true one 0. Pairs that all differ by the same amount leave
    /// no spread to judge by: then it is 1, as if nothing had been seen, and the interval is that amount alone.
    pub p_value: f64,
}

/// Tests whether the mean of `differences` is 0: t = d̄ / (s / √n) with n − 1 degrees of freedom (Student 1908). The interval covers
/// the true mean with probability `level`.
///
/// # Errors
/// Fewer than two differences, or one that is not finite.
pub fn paired_t_test(differences: &[f64], level: f64) -> Result<PairedT, PairedTError> {
    let pairs = differences.len();
    if pairs < 2 {
        return Err(PairedTError::TooFew(pairs));
    }
    if differences.iter().any(|difference| !difference.is_finite()) {
        return Err(PairedTError::NotFinite);
    }
    let count = pairs as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let squares: f64 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    // Rounding leaves a spread where there is none.
    let largest = differences.iter().fold(0.0_f64, |largest, difference| largest.max(difference.abs()));
    if error <= largest * f64::EPSILON * count {
        return Ok(PairedT { pairs, difference: mean, low: mean, high: mean, p_value: 1.0 });
    }
    let distribution = StudentsT::new(0.0, 1.0, count - 1.0).expect("two pairs leave a degree of freedom");
    let margin = distribution.inverse_cdf(0.5 + level / 2.0) * error;
    let p_value = (2.0 * distribution.cdf(-(mean / error).abs())).min(1.0);
    Ok(PairedT { pairs, difference: mean, low: mean - margin, high: mean + margin, p_value })
}

/// Adjusts p-values of a family of tests by Holm's step-down method (Holm 1979): each may be compared with the level of the whole
/// family. Values come back in the order given; NaN is no test and stays NaN.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|&index| !p_values[index].is_nan()).collect();
    order.sort_by(|&one, &other| p_values[one].total_cmp(&p_values[other]));
    let mut adjusted = vec![f64::NAN; p_values.len()];
    let tests = order.len();
    let mut highest = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        highest = highest.max((p_values[index] * (tests - rank) as f64).min(1.0));
        adjusted[index] = highest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

    use super::*;

    /// The extra sleep of ten patients under two drugs (Student 1908; `sleep` in R). R's `t.test(paired = TRUE)` says
    /// t = -4.0621, df = 9, p-value = 0.002833, interval -2.4598858 to -0.7001142.
    #[test]
    fn sleep_of_student_is_as_r_has_it() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let differences: Vec<f64> = first.iter().zip(second).map(|(one, other)| one - other).collect();

        let test = paired_t_test(&differences, 0.95).unwrap();

        assert!((test.difference - -1.58).abs() < 1e-12, "{test:?}");
        assert!((test.p_value - 0.002_833).abs() < 5e-7, "{test:?}");
        assert!((test.low - -2.459_885_8).abs() < 1e-6 && (test.high - -0.700_114_2).abs() < 1e-6, "{test:?}");
    }

    #[test]
    fn pairs_without_spread_prove_nothing() {
        for differences in [&[0.0, 0.0, 0.0][..], &[0.1, 0.1, 0.1]] {
            let test = paired_t_test(differences, 0.95).unwrap();

            assert_eq!((test.p_value, test.low, test.high), (1.0, test.difference, test.difference));
        }
    }

    #[test]
    fn one_pair_and_values_that_are_no_numbers_are_refused() {
        assert_eq!(paired_t_test(&[0.1], 0.95), Err(PairedTError::TooFew(1)));
        assert_eq!(paired_t_test(&[0.1, f64::NAN], 0.95), Err(PairedTError::NotFinite));
    }

    /// R: `p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")` is 0.03 0.06 0.06 0.02.
    #[test]
    fn holm_is_as_r_has_it() {
        let adjusted = holm(&[0.01, 0.04, f64::NAN, 0.03, 0.005]);

        for (ours, theirs) in adjusted.iter().zip([0.03, 0.06, f64::NAN, 0.06, 0.02]) {
            assert!((ours - theirs).abs() < 1e-12 || (ours.is_nan() && theirs.is_nan()), "{adjusted:?}");
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }
}
