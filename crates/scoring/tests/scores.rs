//! Scores and measurements of made-up statistics.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use domain::Digest;
use domain::report::{Measurement, Metric, Split};
use domain::spec::{Dataset, DatasetName, ScoreChoice, ScoreName, defaults};
use ood::{auroc, input_complexity};
use scoring::{Header, ScoreError, Sides, Statistics, column, measure, score};

use scene::{DIMENSIONS, SCALES, columns, header, sides, statistics};

/// The default scores of images under a flow of two scales.
fn defaults() -> Vec<ScoreName> {
    let names = |choice: &ScoreChoice| match choice {
        ScoreChoice::One(name) => vec![*name],
        ScoreChoice::PerScale => (0..SCALES).map(ScoreName::Scale).collect(),
    };
    defaults::scores().iter().flat_map(names).collect()
}

fn of<'a>([reference, inside, outside]: &'a [Statistics; 3]) -> Sides<'a> {
    Sides { reference, inside, outside }
}

fn find<'a>(found: &'a [Measurement], score: &str, metric: Metric, dataset: Option<DatasetName>) -> &'a Measurement {
    let score: ScoreName = score.parse().unwrap();
    let dataset = dataset.map(Dataset::from);
    let mut all = found.iter().filter(|one| one.score == score && one.metric == metric && one.dataset == dataset);
    let first = all.next().unwrap();
    assert!(all.next().is_none(), "it stands twice");
    first
}

#[test]
fn every_default_score_has_every_metric_once() {
    let all = sides(200);

    let found = measure(&of(&all), &defaults());

    assert_eq!(found.problems, Vec::<String>::new());
    assert_eq!(defaults().len(), 19);
    for name in defaults() {
        for metric in Metric::ALL.into_iter().filter(|metric| metric.compares_sides()) {
            let one = find(&found.measurements, &name.to_string(), metric, None);
            assert!((0.0..=1.0).contains(&one.value.unwrap()), "{one:?}");
            assert_eq!(one.interval.is_some(), metric == Metric::Auroc);
            let groups = 200 / u64::from(name.group());
            assert_eq!((one.n_in, one.n_out), (groups, groups), "{name}");
        }
        for dataset in [DatasetName::SyntheticShapes, DatasetName::SyntheticStrokes] {
            let one = find(&found.measurements, &name.to_string(), Metric::NonFinite, Some(dataset));
            assert_eq!(one.value, Some(0.0));
        }
    }
    assert_eq!(found.measurements.len(), 19 * (9 + 2) + 2 * 4);
}

#[test]
fn longer_latents_and_simpler_images_score_high() {
    let all = sides(200);
    let found = measure(&of(&all), &defaults()).measurements;

    for name in [
        "log-likelihood",
        "latent-density",
        "latent-norm",
        "typicality",
        "typicality-25",
        "complexity-png",
        "dose",
        "scale-0",
        "latent-ks-5",
        "complexity-gmm",
    ] {
        let value = find(&found, name, Metric::Auroc, None).value.unwrap();
        assert!(value > 0.9, "{name}: {value}");
    }
    // The determinants of both sides are the same numbers.
    assert_eq!(find(&found, "log-determinant", Metric::Auroc, None).value, Some(0.5));
}

#[test]
fn a_score_is_what_the_mathematics_says() {
    let all = sides(50);

    let scored = score(&of(&all), "complexity-webp".parse().unwrap()).unwrap();

    let lengths = all[2].column("code_length.webp").unwrap();
    assert_eq!(scored.outside, input_complexity(all[2].log_likelihood(), lengths, DIMENSIONS as usize));
    let found = measure(&of(&all), &["complexity-webp".parse().unwrap()]).measurements;
    let expected = auroc(&scored.inside, &scored.outside).unwrap();
    let one = find(&found, "complexity-webp", Metric::Auroc, None);
    assert_eq!((one.value, one.interval.as_ref().unwrap().low), (Some(expected.value), expected.interval.low));
}

#[test]
fn what_is_not_a_number_is_counted_and_leaves_no_metric() {
    let mut all = sides(50);
    let mut broken = columns(50, 20.0, 20.0);
    for name in [column::LOG_LIKELIHOOD, column::LATENT_LOG_DENSITY] {
        broken.values.get_mut(name).unwrap()[3] = f64::NAN;
        broken.values.get_mut(name).unwrap()[4] = f64::NEG_INFINITY;
    }
    all[2] = statistics(DatasetName::SyntheticStrokes, Split::Test, broken);

    let found = measure(&of(&all), &defaults());

    let auroc = |name| find(&found.measurements, name, Metric::Auroc, None).value;
    let outside = |name| find(&found.measurements, name, Metric::NonFinite, Some(DatasetName::SyntheticStrokes)).value;
    assert_eq!((auroc("log-likelihood"), outside("log-likelihood")), (None, Some(2.0)));
    assert_eq!((auroc("dose"), outside("dose")), (None, Some(2.0)));
    assert!(outside("typicality-10").unwrap() >= 1.0);
    assert!(auroc("log-determinant").is_some() && auroc("latent-norm").is_some());
    assert!(found.problems.iter().any(|problem| problem.starts_with("`log-likelihood`: ")), "{:?}", found.problems);
}

#[test]
fn infinite_likelihoods_rank_as_extremes() {
    let mut all = sides(50);
    let mut broken = columns(50, 20.0, 20.0);
    broken.values.get_mut(column::LOG_LIKELIHOOD).unwrap()[4] = f64::NEG_INFINITY;
    all[2] = statistics(DatasetName::SyntheticStrokes, Split::Test, broken);

    let found = measure(&of(&all), &[ScoreName::LogLikelihood]).measurements;

    assert!(find(&found, "log-likelihood", Metric::Auroc, None).value.unwrap() > 0.99);
}

#[test]
fn scores_that_cannot_be_computed_stand_without_values_and_say_why() {
    let mut all = sides(30);
    let mut vectors = columns(30, 20.0, 20.0);
    vectors.values.retain(|name, _| !name.starts_with("code_length"));
    vectors.projections = None;
    all[2] = statistics(DatasetName::SyntheticStrokes, Split::Test, vectors);
    let names = ["complexity-png", "latent-ks-5", "waic", "typicality-25"].map(|name| name.parse().unwrap());

    let found = measure(&of(&all), &names);

    for name in ["complexity-png", "latent-ks-5", "waic"] {
        let one = find(&found.measurements, name, Metric::Auroc, None);
        assert_eq!((one.value, one.n_in, one.n_out), (None, 0, 0));
    }
    assert_eq!(
        found.problems,
        [
            "`complexity-png` needs the column `code_length.png`, which the statistics of synthetic-strokes lack",
            "`latent-ks-5` needs the column `latent_projection`, which the statistics of synthetic-strokes lack",
            "`waic` does not follow from statistics: it is computed by a job of its own",
        ]
    );
    assert_eq!(find(&found.measurements, "typicality-25", Metric::Auroc, None).n_in, 1);
}

#[test]
fn a_reference_that_teaches_nothing_is_a_problem_and_no_panic() {
    let mut all = sides(30);
    let mut constant = columns(30, 8.0, 60.0);
    constant.values.values_mut().for_each(|values| values.fill(1.0));
    all[0] = statistics(DatasetName::SyntheticShapes, Split::Train, constant);

    let found = measure(&of(&all), &[ScoreName::Dose, ScoreName::ComplexityGmm]);

    assert_eq!(found.problems.len(), 2, "{:?}", found.problems);
}

#[test]
fn sides_of_two_flows_are_not_compared() {
    let mut all = sides(30);
    let other = Header { checkpoint: Digest::of(b"other"), ..header(DatasetName::Mnist, Split::Test, 30) };
    all[2] = Statistics::new(other, columns(30, 8.0, 60.0)).unwrap();

    let refusal = score(&of(&all), ScoreName::LogLikelihood).unwrap_err();

    assert!(matches!(refusal, ScoreError::Mixed { part: "flow", .. }), "{refusal}");
}
