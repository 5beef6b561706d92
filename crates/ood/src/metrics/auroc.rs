//! The area under the ROC curve: the probability that an out-of-distribution image scores higher than an
//! in-distribution one, ties counted half.

use thiserror::Error;

use super::delong;
use super::interval::{self, Interval, IntervalMethod, LEVEL};
use super::ties::Ties;

/// Why two sets of scores have no AUROC.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AurocError {
    /// A set has no scores.
    #[error("no scores to compare: {in_count} in-distribution and {out_count} out-of-distribution")]
    Empty {
        /// Number of in-distribution scores.
        in_count: usize,
        /// Number of out-of-distribution scores.
        out_count: usize,
    },
    /// Some scores are not numbers: ranking them would be an invention, and dropping them would hide a broken model.
    #[error("{in_count} in-distribution and {out_count} out-of-distribution scores are not numbers")]
    NotNumbers {
        /// Number of in-distribution scores that are not numbers.
        in_count: usize,
        /// Number of out-of-distribution scores that are not numbers.
        out_count: usize,
    },
}

/// An AUROC with its interval. Orientation: out-of-distribution is positive, a higher score is more
/// out-of-distribution; 0.5 is chance, below it the out-of-distribution images look more in-distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Auroc {
    /// P(s_out > s_in) + ½ P(s_out = s_in).
    pub value: f64,
    /// Two-sided 95 % interval over images; the spread over training seeds is usually larger.
    pub interval: Interval,
    /// DeLong's standard error; none when a set has a single score.
    pub standard_error: Option<f64>,
    /// Number of in-distribution scores.
    pub in_count: usize,
    /// Number of out-of-distribution scores.
    pub out_count: usize,
}

/// Computes the AUROC of scores exactly, with midranks for ties, in O(n log n); infinities rank as extremes.
///
/// # Errors
/// [`AurocError`] when a set is empty or has scores that are not numbers.
pub fn auroc(in_distribution: &[f64], out_of_distribution: &[f64]) -> Result<Auroc, AurocError> {
    Ok(Auroc::of(&Ties::count(in_distribution, out_of_distribution)?))
}

impl Auroc {
    /// The AUROC of sorted scores.
    pub(super) fn of(ties: &Ties) -> Self {
        let value = ties.auroc();
        let variance = delong::variance(ties);
        let interval = match variance {
            Some(variance) if variance > 0.0 => interval::normal(value, variance, [0.0, 1.0], LEVEL),
            _ => wilson_smaller_sample(value, ties.in_count, ties.out_count),
        };
        Self {
            value,
            interval,
            standard_error: variance.map(f64::sqrt),
            in_count: ties.in_count as usize,
            out_count: ties.out_count as usize,
        }
    }
}

/// The interval of an AUROC that holds whatever the distributions are.
pub(super) fn wilson_smaller_sample(value: f64, in_count: u64, out_count: u64) -> Interval {
    interval::wilson(value, in_count.min(out_count), LEVEL, IntervalMethod::WilsonSmallerSample)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::log_likelihood;

    fn value(in_distribution: &[f64], out_of_distribution: &[f64]) -> f64 {
        auroc(in_distribution, out_of_distribution).unwrap().value
    }

    /// P(s_out > s_in) + ½ P(=) by comparing every pair, and the structural components of every score.
    fn naive(inside: &[f64], outside: &[f64]) -> (f64, f64) {
        let wins = |out: f64, within: f64| match out.total_cmp(&within) {
            _ if out == within => 0.5,
            std::cmp::Ordering::Greater => 1.0,
            _ => 0.0,
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let variance_of_mean = |values: &[f64]| {
            let centre = mean(values);
            let scatter: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
            scatter / ((values.len() - 1) * values.len()) as f64
        };
        let v10: Vec<f64> = outside
            .iter()
            .map(|&out| mean(&inside.iter().map(|&within| wins(out, within)).collect::<Vec<_>>()))
            .collect();
        let v01: Vec<f64> = inside
            .iter()
            .map(|&within| mean(&outside.iter().map(|&out| wins(out, within)).collect::<Vec<_>>()))
            .collect();
        (mean(&v10), variance_of_mean(&v10) + variance_of_mean(&v01))
    }

    #[test]
    fn hand_cases() {
        assert_eq!(value(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
        assert_eq!(value(&[3.0, 4.0], &[1.0, 2.0]), 0.0);
        assert_eq!(value(&[1.0], &[1.0]), 0.5);
        // Pairs (out, in): 2>1, 2=2, 3>1, 3>2.
        assert_eq!(value(&[1.0, 2.0], &[2.0, 3.0]), 3.5 / 4.0);
        assert_eq!(value(&[0.0], &[-0.0]), 0.5);
    }

    #[test]
    fn published_orientation_agrees_with_the_reference_one() {
        // The reference labels in-distribution 1 and scores by the log-likelihood: P(LL_in > LL_ood) + ½P(=).
        let (inside, outside) = ([-1.0, -2.0, -3.0], [-2.5, -0.5, -3.0]);

        let reference = naive(&outside, &inside).0;

        assert_eq!(reference, 0.5);
        assert_eq!(value(&log_likelihood(&inside), &log_likelihood(&outside)), reference);
    }

    #[test]
    fn infinities_are_extremes_and_tie_among_themselves() {
        let infinity = f64::INFINITY;

        assert_eq!(value(&[0.0, infinity], &[1e300, infinity]), (1.0 + 0.0 + 1.0 + 0.5) / 4.0);
        assert_eq!(value(&[-infinity], &[-1e300]), 1.0);
    }

    #[test]
    fn scores_that_are_not_numbers_are_counted_and_refused() {
        let refusal = auroc(&[1.0, f64::NAN], &[f64::NAN, f64::NAN, 0.0]).unwrap_err();

        assert_eq!(refusal, AurocError::NotNumbers { in_count: 1, out_count: 2 });
        assert_eq!(auroc(&[], &[1.0]).unwrap_err(), AurocError::Empty { in_count: 0, out_count: 1 });
    }

    #[test]
    fn perfect_separation_has_an_interval_of_positive_width() {
        let perfect = auroc(&[1.0, 2.0, 3.0], &[4.0, 5.0]).unwrap();

        assert_eq!((perfect.value, perfect.standard_error), (1.0, Some(0.0)));
        assert_eq!(perfect.interval.method, IntervalMethod::WilsonSmallerSample);
        assert!(perfect.interval.low < 0.8 && perfect.interval.high == 1.0, "{perfect:?}");
    }

    #[test]
    fn single_score_has_no_standard_error() {
        let single = auroc(&[1.0, 3.0], &[2.0]).unwrap();

        assert_eq!((single.value, single.standard_error), (0.5, None));
        assert_eq!(single.interval.method, IntervalMethod::WilsonSmallerSample);
    }

    #[test]
    fn standard_error_has_the_size_that_planning_tables_give() {
        // Hanley & McNeil: 2,000 against 2,000 at an AUROC near 0.75 has a standard error near 0.0077. Two uniform
        // samples, the second shifted by 1 − √½, have an AUROC of 0.75.
        let inside: Vec<f64> = (0..2000).map(|index| f64::from(index) / 2000.0).collect();
        let outside: Vec<f64> = inside.iter().map(|score| score + 1.0 - 0.5_f64.sqrt()).collect();

        let result = auroc(&inside, &outside).unwrap();

        assert!((result.value - 0.75).abs() < 1e-3, "{result:?}");
        assert!((result.standard_error.unwrap() - 0.0077).abs() < 5e-4, "{result:?}");
        assert_eq!(result.interval.method, IntervalMethod::DeLong);
    }

    /// Scores on a coarse grid, so that ties are common, with the extremes.
    fn scores(sizes: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
        let score = prop_oneof![
            20 => (-6_i32..6).prop_map(f64::from),
            1 => Just(f64::INFINITY),
            1 => Just(f64::NEG_INFINITY),
        ];
        proptest::collection::vec(score, sizes)
    }

    proptest! {
        #[test]
        fn agrees_with_comparing_every_pair(inside in scores(2..40), outside in scores(2..40)) {
            let (expected, variance) = naive(&inside, &outside);

            let found = auroc(&inside, &outside).unwrap();

            prop_assert!((found.value - expected).abs() < 1e-12);
            prop_assert!((found.standard_error.unwrap().powi(2) - variance).abs() < 1e-12);
            prop_assert!(found.interval.low <= found.value && found.value <= found.interval.high);
        }

        #[test]
        fn swapping_the_sets_mirrors_it(inside in scores(1..40), outside in scores(1..40)) {
            let forward = value(&inside, &outside);
            prop_assert!((forward + value(&outside, &inside) - 1.0).abs() < 1e-12);
            prop_assert_eq!(forward, value(&log_likelihood(&outside), &log_likelihood(&inside)));
        }

        #[test]
        fn monotone_maps_leave_it_alone(inside in scores(1..40), outside in scores(1..40)) {
            let cube = |scores: &[f64]| scores.iter().map(|score| score.powi(3) + 7.0).collect::<Vec<_>>();
            prop_assert_eq!(auroc(&inside, &outside), auroc(&cube(&inside), &cube(&outside)));
        }

        #[test]
        fn order_of_the_scores_does_not_matter(inside in scores(1..40), outside in scores(1..40)) {
            let reversed = |scores: &[f64]| scores.iter().rev().copied().collect::<Vec<_>>();
            prop_assert_eq!(auroc(&inside, &outside), auroc(&reversed(&inside), &reversed(&outside)));
        }
    }
}
