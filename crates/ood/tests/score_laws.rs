//! Laws that hold for every score: an example's score is its own, whatever stands beside it and in which order; what only
//! changes units changes no order; and seeds fix what is random, for good.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use ood::{
    ComplexityGmm, Dose, DualThreshold, GradientNorm, ScoreTest, auroc, bootstrap_auroc, grouped_typicality, groups,
    input_complexity, latent_density, latent_ks, latent_norm, likelihood_ratio, log_determinant, log_likelihood,
    per_scale, typicality, waic,
};
use proptest::prelude::*;

/// Two statistics of each example, by columns.
type Columns = [Vec<f64>; 2];

/// Scores a set of examples.
type Score = Box<dyn Fn(&Columns) -> Vec<f64>>;

/// A reference of 64 examples, spread evenly and unevenly.
fn reference() -> Columns {
    let first = (0..64).map(|index| f64::from(index * 37 % 64) - 90.0).collect();
    let second = (0..64).map(|index| 1.0 + f64::from(index * index % 61)).collect();
    [first, second]
}

/// Every score of single examples, over the same two statistics.
fn single_scores() -> Vec<(&'static str, Score)> {
    let [a, b] = reference();
    let dose = Dose::fit(&[&a, &b]).unwrap();
    let mixture = ComplexityGmm::fit(&a, &b, 3).unwrap();
    let gradient = GradientNorm::fit(&[&b, &b]).unwrap();
    let test = ScoreTest::fit(&b, &a).unwrap();
    let dual = DualThreshold::fit(&a, &b).unwrap();
    vec![
        ("log-likelihood", Box::new(|x: &Columns| log_likelihood(&x[0])) as Score),
        ("latent-density", Box::new(|x| latent_density(&x[0]))),
        ("log-determinant", Box::new(|x| log_determinant(&x[0]))),
        ("latent-norm", Box::new(|x| latent_norm(&x[1], 30))),
        ("typicality", Box::new(move |x| typicality(&x[0], &a).unwrap())),
        ("complexity", Box::new(|x| input_complexity(&x[0], &x[1], 12))),
        ("scale", Box::new(|x| per_scale(&x[0], &x[1]))),
        ("likelihood-ratio", Box::new(|x| likelihood_ratio(&x[0], &x[1]))),
        ("waic", Box::new(|x| waic(&[&x[0], &x[1]]))),
        ("dose", Box::new(move |x| dose.score(&[&x[0], &x[1]]))),
        ("complexity-gmm", Box::new(move |x| mixture.score(&x[0], &x[1]))),
        ("gradient-norm", Box::new(move |x| gradient.score(&[&x[1], &x[1]]))),
        ("score-test", Box::new(move |x| test.score(&x[1], &x[0]))),
        ("local-dimension", Box::new(move |x| dual.score(&x[0], &x[1]))),
    ]
}

fn examples() -> impl Strategy<Value = Columns> {
    proptest::collection::vec((-120.0..0.0, 0.1..90.0), 1..12).prop_map(|rows: Vec<(f64, f64)>| {
        let (first, second) = rows.into_iter().unzip();
        [first, second]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_examples_score_does_not_depend_on_the_others(columns in examples()) {
        for (name, score) in single_scores() {
            let together = score(&columns);
            prop_assert_eq!(together.len(), columns[0].len());
            let reversed = score(&columns.clone().map(|column| column.into_iter().rev().collect()));
            for (index, together) in together.iter().enumerate() {
                let alone = score(&columns.clone().map(|column| vec![column[index]]))[0];
                prop_assert_eq!(*together, alone, "{}", name);
                prop_assert_eq!(*together, reversed[reversed.len() - 1 - index], "{}", name);
                prop_assert!(together.is_finite(), "{}", name);
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so_and_spoils_nothing_else(columns in examples(), column in 0_usize..2) {
        let mut broken = columns.clone();
        broken[column].push(f64::NAN);
        broken[1 - column].push(1.0);
        for (name, score) in single_scores() {
            let (whole, with) = (score(&columns), score(&broken));
            prop_assert_eq!(&with[..whole.len()], &whole[..], "{}", name);
            // A score over one of the statistics passes over the other one.
            let last = with[whole.len()];
            let uses_both = ["complexity", "scale", "likelihood-ratio", "waic", "dose", "complexity-gmm", "score-test", "local-dimension"];
            prop_assert!(last.is_nan() || !uses_both.contains(&name), "{}: {}", name, last);
        }
    }

    #[test]
    fn likelihoods_in_other_units_separate_as_well(inside in examples(), outside in examples()) {
        let bits = |values: &[f64]| values.iter().map(|value| value / std::f64::consts::LN_2).collect::<Vec<_>>();
        let nats = auroc(&log_likelihood(&inside[0]), &log_likelihood(&outside[0])).unwrap().value;
        let in_bits = auroc(&log_likelihood(&bits(&inside[0])), &log_likelihood(&bits(&outside[0]))).unwrap().value;
        prop_assert_eq!(nats, in_bits);
    }

    #[test]
    fn groups_are_scored_by_their_members_alone(columns in examples(), size in 1_usize..4, seed in 0_u64..9) {
        let partition = groups(columns[0].len(), size, seed);
        let scores = grouped_typicality(&columns[0], &reference()[0], &partition).unwrap();
        let distances = latent_ks(&columns[0], 1, &partition);
        prop_assert_eq!((scores.len(), distances.len()), (partition.len(), partition.len()));
        for ((group, score), distance) in partition.iter().zip(scores).zip(distances) {
            let members: Vec<f64> = group.iter().map(|&example| columns[0][example as usize]).collect();
            let all = groups(size, size, 0);
            let alone = grouped_typicality(&members, &reference()[0], &all).unwrap()[0];
            prop_assert!((score - alone).abs() < 1e-9);
            prop_assert!((distance - latent_ks(&members, 1, &all)[0]).abs() < 1e-12);
        }
    }
}

#[test]
fn group_scores_of_one_kind_of_example_do_not_separate_and_larger_groups_separate_better() {
    let inside: Vec<f64> = (0..600).map(|index| f64::from(index * 389 % 600) / 100.0).collect();
    let outside: Vec<f64> = inside.iter().map(|value| value - 1.5).collect();
    let separates = |size: usize, other: &[f64]| {
        let scores = |examples: &[f64]| grouped_typicality(examples, &inside, &groups(600, size, 1)).unwrap();
        auroc(&scores(&inside), &scores(other)).unwrap().value
    };

    assert_eq!(separates(5, &inside), 0.5);
    let by_size = [1, 5, 25].map(|size| separates(size, &outside));
    assert!(by_size[0] < by_size[1] && by_size[1] < by_size[2] && by_size[2] > 0.99, "{by_size:?}");
}

#[test]
fn what_seeds_give_is_pinned() {
    // Published intervals and group scores must come out again with every later version.
    let partition = groups(7, 3, 2026);
    let inside: Vec<f64> = (0..20).map(f64::from).collect();
    let outside: Vec<f64> = inside.iter().map(|score| score + 5.5).collect();

    let interval = bootstrap_auroc(&inside, &outside, 1000, 2026).unwrap();

    assert_eq!(partition.iter().collect::<Vec<_>>(), [[4_u32, 2, 0], [3, 5, 1]]);
    for (found, pinned) in [(interval.low, 0.577_437_5), (interval.high, 0.875_062_5)] {
        assert!((found - pinned).abs() < 1e-12, "{interval:?}");
    }
}
