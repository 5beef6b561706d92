//! DeLong's test against the definition: every pair compared, covariances of the components written out.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use ood::{IntervalMethod, PairedError, PairedMethod, Scores, auroc, delong_test};
use proptest::prelude::*;

/// ψ of DeLong et al. 1988, equation 1.
fn psi(out: f64, within: f64) -> f64 {
    match out.partial_cmp(&within).unwrap() {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// V₁₀ and V₀₁.
fn components(scores: Scores<'_>) -> [Vec<f64>; 2] {
    let v10 = |&out: &f64| mean(&scores.inside.iter().map(|&within| psi(out, within)).collect::<Vec<_>>());
    let v01 = |&within: &f64| mean(&scores.outside.iter().map(|&out| psi(out, within)).collect::<Vec<_>>());
    [scores.outside.iter().map(v10).collect(), scores.inside.iter().map(v01).collect()]
}

fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / (a.len() - 1) as f64
}

/// Difference and variance in O(n²).
fn naive(first: Scores<'_>, second: Scores<'_>) -> (f64, f64) {
    let ([v10, v01], [w10, w01]) = (components(first), components(second));
    let part = |v: &[f64], w: &[f64]| (covariance(v, v) + covariance(w, w) - 2.0 * covariance(v, w)) / v.len() as f64;
    (mean(&v10) - mean(&w10), part(&v10, &w10) + part(&v01, &w01))
}

type Sides = [Vec<f64>; 2];

/// Two scores of the same examples, on a coarse grid so that ties are common, and of different sizes on each side.
fn pairs() -> impl Strategy<Value = (Sides, Sides)> {
    let score = || prop_oneof![20 => (-5_i32..5).prop_map(f64::from), 1 => Just(f64::INFINITY)];
    let side = move |size| proptest::collection::vec(score(), size);
    (2_usize..30, 2_usize..30)
        .prop_flat_map(move |(inside, outside)| ([side(inside), side(outside)], [side(inside), side(outside)]))
}

fn scores([inside, outside]: &Sides) -> Scores<'_> {
    Scores { inside, outside }
}

proptest! {
    #[test]
    fn test_agrees_with_the_definition((first, second) in pairs()) {
        let (difference, variance) = naive(scores(&first), scores(&second));

        let found = delong_test(scores(&first), scores(&second)).unwrap();

        prop_assert!((found.difference - difference).abs() < 1e-12);
        if found.method == PairedMethod::DeLong {
            prop_assert!((found.z.unwrap() - difference / variance.sqrt()).abs() < 1e-6 * (1.0 + found.z.unwrap().abs()));
        } else {
            prop_assert!(variance < 1e-12);
        }
        prop_assert!((0.0..=1.0).contains(&found.p));
        prop_assert!(found.interval.low <= found.difference && found.difference <= found.interval.high);
        prop_assert_eq!(found.first, auroc(&first[0], &first[1]).unwrap().value);
    }

    #[test]
    fn exchanging_the_scores_mirrors_the_test((first, second) in pairs()) {
        let forward = delong_test(scores(&first), scores(&second)).unwrap();
        let backward = delong_test(scores(&second), scores(&first)).unwrap();

        prop_assert_eq!(forward.difference, -backward.difference);
        prop_assert_eq!(forward.method, backward.method);
        prop_assert!((forward.p - backward.p).abs() < 1e-12);
        prop_assert!((forward.interval.low + backward.interval.high).abs() < 1e-12);
    }

    #[test]
    fn order_of_the_examples_does_not_matter_as_long_as_both_keep_it((first, second) in pairs()) {
        let reversed = |sides: &Sides| sides.clone().map(|side| side.into_iter().rev().collect::<Vec<_>>());
        let forward = delong_test(scores(&first), scores(&second)).unwrap();
        prop_assume!(matches!(forward.method, PairedMethod::DeLong | PairedMethod::BoundedVariance));
        let (first, second) = (reversed(&first), reversed(&second));

        prop_assert_eq!(forward, delong_test(scores(&first), scores(&second)).unwrap());
    }

    #[test]
    fn a_score_does_not_differ_from_an_increasing_map_of_it((first, _) in pairs()) {
        let cubed = first.clone().map(|side| side.into_iter().map(|score| score.powi(3) + 1.0).collect::<Vec<_>>());

        let found = delong_test(scores(&first), scores(&cubed)).unwrap();

        prop_assert_eq!((found.difference, found.p), (0.0, 1.0));
        prop_assert_eq!(found.method, PairedMethod::BoundedVariance);
    }
}

#[test]
fn correlated_scores_are_told_apart_where_independent_ones_would_not_be() {
    // The second score is the first with a tenth of the out-of-distribution examples moved to the very bottom.
    let inside: Vec<f64> = (0..200).map(f64::from).collect();
    let outside: Vec<f64> = (0..200).map(|index| f64::from(index) + 20.5).collect();
    let worse: Vec<f64> = outside.iter().enumerate().map(|(i, s)| if i % 10 == 0 { -1.0 } else { *s }).collect();
    let (first, second) = (Scores { inside: &inside, outside: &outside }, Scores { inside: &inside, outside: &worse });

    let paired = delong_test(first, second).unwrap();

    let errors = [&outside, &worse].map(|side| auroc(&inside, side).unwrap().standard_error.unwrap());
    let independent = paired.difference / errors[0].hypot(errors[1]);
    assert!(paired.z.unwrap() > 3.0 && independent < 2.0, "{paired:?} {independent}");
    assert!(paired.p < 0.001 && paired.interval.low > 0.0, "{paired:?}");
}

#[test]
fn two_perfect_scores_do_not_differ_and_the_interval_says_how_little_few_examples_prove() {
    let scores = Scores { inside: &[1.0, 2.0, 3.0], outside: &[4.0, 5.0] };

    let found = delong_test(scores, scores).unwrap();

    assert_eq!((found.difference, found.p, found.z), (0.0, 1.0, Some(0.0)));
    assert_eq!(found.method, PairedMethod::BoundedVariance);
    assert_eq!(found.interval.method, IntervalMethod::NewcombeSmallerSample);
    assert!(found.interval.low < -0.5 && found.interval.high > 0.5, "{found:?}");
}

#[test]
fn perfect_against_chance_on_one_example_a_side_proves_nothing_and_on_many_everything() {
    let compare = |count: usize| {
        let (inside, outside) = (vec![0.0; count], vec![1.0; count]);
        let perfect = Scores { inside: &inside, outside: &outside };
        delong_test(perfect, Scores { inside: &inside, outside: &inside }).unwrap()
    };

    let (one, many) = (compare(1), compare(1000));

    // Every resample repeats the same difference of ½, so that resampling would call both certain.
    assert_eq!((one.difference, one.method), (0.5, PairedMethod::BoundedVariance));
    assert!(one.p > 0.3, "{one:?}");
    assert!(many.p < 1e-12 && many.interval.low > 0.4, "{many:?}");
}

#[test]
fn resampling_stands_in_where_delongs_variance_is_none_and_the_scores_differ() {
    // One out-of-distribution example leaves the variance undefined.
    let inside: Vec<f64> = (0..30).map(f64::from).collect();
    let other: Vec<f64> = (0..30).map(|index| f64::from(index * 7 % 30)).collect();
    let (first, second) = (Scores { inside: &inside, outside: &[20.5] }, Scores { inside: &other, outside: &[12.5] });

    let found = delong_test(first, second).unwrap();

    assert_eq!(found.method, PairedMethod::Bootstrap { resamples: 2000, seed: 0 });
    assert_eq!((found.z, found.method.to_string()), (None, "paired-bootstrap-2000-seed-0".to_owned()));
    assert!(found.p > 0.0 && found.p < 0.2 && found.interval.low <= found.difference, "{found:?}");
}

#[test]
fn scores_of_other_examples_are_refused() {
    let first = Scores { inside: &[1.0, 2.0], outside: &[3.0] };
    let refusal = delong_test(first, Scores { inside: &[1.0], outside: &[3.0] }).unwrap_err();

    assert_eq!(refusal, PairedError::Unpaired { first: [2, 1], second: [1, 1] });
    let broken = delong_test(first, Scores { inside: &[1.0, f64::NAN], outside: &[3.0] }).unwrap_err();
    assert!(broken.to_string().contains("the second scores: 1 in-distribution"), "{broken}");
    assert!(matches!(
        delong_test(Scores { inside: &[], outside: &[] }, Scores { inside: &[], outside: &[] }),
        Err(PairedError::First(_))
    ));
}
