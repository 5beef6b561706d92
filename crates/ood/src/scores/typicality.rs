//! The typicality test (Nalisnick, Matsukawa, Teh & Lakshminarayanan 2019, "Detecting out-of-distribution inputs to deep
//! generative models using typicality").

use super::groups::Groups;
use super::reference::{FitError, finite, moments};
use crate::metrics::interval::quantile;
use crate::randomness::{Purpose, Stream, size};

/// Resampled groups, and the quantile of their scores, that bound what counts as typical (the paper's K and α).
const RESAMPLES: u64 = 50;
const CONFIDENCE: f64 = 0.99;

/// Scores each image by |−ℓ(x) − Ĥ| in nats (the paper's ε̂ for groups of one), with the entropy Ĥ estimated as
/// the mean −ℓ over the finite reference values. A value that is not a number stays one.
///
/// # Errors
/// [`FitError`] when no reference value is finite.
pub fn typicality(log_likelihood: &[f64], reference: &[f64]) -> Result<Vec<f64>, FitError> {
    let entropy = entropy(reference)?;
    Ok(log_likelihood.iter().map(|value| (-value - entropy).abs()).collect())
}

/// Scores each group by |mean −ℓ − Ĥ| in nats. One score a group, in the groups' order.
///
/// # Errors
/// [`FitError`] when no reference value is finite.
///
/// # Panics
/// When `groups` partitions another number of examples.
pub fn grouped_typicality(log_likelihood: &[f64], reference: &[f64], groups: &Groups) -> Result<Vec<f64>, FitError> {
    assert_eq!(groups.examples(), log_likelihood.len(), "the groups are of these examples");
    let entropy = entropy(reference)?;
    let score = |group: &[u32]| {
        let sum: f64 = group.iter().map(|&example| -log_likelihood[example as usize]).sum();
        (sum / group.len() as f64 - entropy).abs()
    };
    Ok(groups.iter().map(score).collect())
}

/// The score up to which a group of `group_size` counts as typical: the 0.99 quantile over 50 groups drawn with
/// replacement from `validation` (the paper's bootstrap). For a decision; metrics need no threshold.
///
/// # Errors
/// [`FitError`] when no value of the reference, or of `validation`, is finite.
///
/// # Panics
/// With groups of nothing.
pub fn typical_up_to(validation: &[f64], reference: &[f64], group_size: usize, seed: u64) -> Result<f64, FitError> {
    assert!(group_size > 0, "a group has members");
    let entropy = entropy(reference)?;
    let validation = finite(validation, 1, "the log-likelihood of the validation set")?;
    let count = size(validation.len());
    let resampled = |index| {
        let mut stream = Stream::new(Purpose::Typicality, seed, index);
        let sum: f64 = (0..group_size).map(|_| -validation[stream.below(count) as usize]).sum();
        (sum / group_size as f64 - entropy).abs()
    };
    let mut scores: Vec<f64> = (0..RESAMPLES).map(resampled).collect();
    scores.sort_unstable_by(f64::total_cmp);
    Ok(quantile(&scores, CONFIDENCE))
}

/// Ĥ in nats.
pub fn entropy(reference: &[f64]) -> Result<f64, FitError> {
    Ok(-moments(&finite(reference, 1, "the log-likelihood")?).0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::groups;

    #[test]
    fn likelihoods_too_high_and_too_low_are_untypical_alike() {
        let scores = typicality(&[-5.0, -7.0, -3.0, f64::NEG_INFINITY], &[-4.0, -6.0, f64::NAN]).unwrap();

        assert_eq!(scores, [0.0, 2.0, 2.0, f64::INFINITY]);
        assert!(typicality(&[1.0], &[f64::NAN]).is_err());
    }

    #[test]
    fn a_group_is_judged_by_its_mean() {
        let partition = groups(4, 4, 0);

        let scores = grouped_typicality(&[-1.0, -9.0, -2.0, -8.0], &[-4.0], &partition).unwrap();

        assert_eq!(scores, [1.0]);
    }

    #[test]
    fn most_groups_of_the_reference_are_typical() {
        let reference: Vec<f64> = (0..2000).map(|index| -f64::from(index * 7919 % 2000)).collect();

        let bound = typical_up_to(&reference, &reference, 10, 3).unwrap();

        let scores = grouped_typicality(&reference, &reference, &groups(2000, 10, 1)).unwrap();
        let typical = scores.iter().filter(|&&score| score <= bound).count();
        assert!(typical > 180, "{typical} of {}", scores.len());
        assert_eq!(bound, typical_up_to(&reference, &reference, 10, 3).unwrap());
    }

    proptest! {
        #[test]
        fn groups_of_one_are_the_single_scores_in_the_groups_order(
            log_likelihood in proptest::collection::vec(-100.0..0.0, 1..30), seed in 0_u64..100,
        ) {
            let single = typicality(&log_likelihood, &log_likelihood).unwrap();
            let partition = groups(log_likelihood.len(), 1, seed);
            let grouped = grouped_typicality(&log_likelihood, &log_likelihood, &partition).unwrap();
            let expected: Vec<f64> = partition.iter().map(|group| single[group[0] as usize]).collect();
            prop_assert_eq!(grouped, expected);
        }

        #[test]
        fn shifting_everything_changes_nothing(
            log_likelihood in proptest::collection::vec(-100.0..0.0, 1..30), shift in -50.0..50.0,
        ) {
            let shifted: Vec<f64> = log_likelihood.iter().map(|value| value + shift).collect();
            let before = typicality(&log_likelihood, &log_likelihood).unwrap();
            let after = typicality(&shifted, &shifted).unwrap();
            prop_assert!(before.iter().zip(after).all(|(before, after)| (before - after).abs() < 1e-9));
        }
    }
}
