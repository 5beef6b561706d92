//! Scores with jobs of their own: what a document says of them, and the jobs and background models that follow.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod documents;

use documents::{experiment, sweep, with};
use domain::{
    job::JobKind,
    spec::{ExperimentSpec, ScoreName, parse_document},
    sweep::{Expanded, SweepSpec},
};
use serde_json::{Value, json};

const WIDTH: &str = "model.realnvp.st_network.resnet.width";

fn two_widths() -> Value {
    json!({"grid": {"axes": [{"field": WIDTH, "values": [16, 32]}]}})
}

fn with_evaluation(seeds: &[u64], changes: &Value) -> SweepSpec {
    let mut document = serde_json::to_value(sweep(json!(seeds), two_widths())).unwrap();
    for (field, value) in changes.as_object().unwrap() {
        document["base"]["evaluation"][field] = value.clone();
    }
    parse_document(&document, "").unwrap()
}

fn refusals(sweep: &SweepSpec) -> String {
    sweep.expand().unwrap_err().to_string()
}

fn counts(expanded: &Expanded) -> [usize; 5] {
    JobKind::ALL.map(|kind| expanded.jobs_of_kind(kind))
}

#[test]
fn opt_in_scores_have_jobs_beside_the_evaluations() {
    let scores = json!({"scores": ["log-likelihood", "waic", "gradient-norm", "score-test"]});

    let expanded = with_evaluation(&[1, 2, 3], &scores).expand().unwrap();

    let outs = expanded.variants[0].spec.evaluation.out.len();
    // Two variants of three seeds: WAIC once for each variant, both scores by gradients in one job for each experiment.
    assert_eq!(counts(&expanded), [6, 6 * outs, 0, 2 * outs, 6 * outs]);
    let spec = &expanded.variants[0].spec;
    assert_eq!(spec.scores(), [ScoreName::LogLikelihood]);
    assert_eq!(spec.opt_in_scores(), [ScoreName::Waic, ScoreName::GradientNorm, ScoreName::ScoreTest]);
}

#[test]
fn background_models_are_variants_behind_the_others() {
    let ratio = json!({
        "scores": ["log-likelihood", "likelihood-ratio"],
        "background": {"mutation": 0.2, "weight_decay": 0.01},
    });

    let expanded = with_evaluation(&[1, 2], &ratio).expand().unwrap();

    let labels: Vec<&str> = expanded.variants.iter().map(|variant| variant.label.as_str()).collect();
    assert_eq!(labels, ["width=16", "width=32", "background of width=16", "background of width=32"]);
    let [own, background] = [0, 2].map(|place: usize| &expanded.variants[place].spec);
    assert_eq!((background.data.mutation, background.training.weight_decay), (Some(0.2), 0.01));
    assert_eq!((background.scores(), background.opt_in_scores()), (vec![ScoreName::LogLikelihood], vec![]));
    assert_eq!(own.background().as_ref(), Some(background));
    assert_eq!(background.background(), None);
    let outs = own.evaluation.out.len();
    assert_eq!(counts(&expanded), [8, 8 * outs, 0, 4 * outs, 0]);
    let parsed: ExperimentSpec = serde_json::from_value(serde_json::to_value(background).unwrap()).unwrap();
    parsed.validate("base").unwrap();
}

#[test]
fn variants_that_compare_with_the_same_background_share_it() {
    let document = json!({"list": {"points": [
        {"evaluation.scores": ["log-likelihood", "likelihood-ratio"]},
        {"evaluation.scores": ["latent-norm", "likelihood-ratio"]},
    ]}});
    let mut sweep = serde_json::to_value(sweep(json!([1]), document)).unwrap();
    sweep["base"]["evaluation"]["scores"] = json!(["likelihood-ratio"]);
    sweep["base"]["evaluation"]["background"] = json!({"mutation": 0.1});
    let sweep: SweepSpec = parse_document(&sweep, "").unwrap();

    assert_eq!(sweep.expand().unwrap().variants.len(), 3);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let seeds = with_evaluation(&[1], &json!({"scores": ["waic"]}));
    assert_eq!(refusals(&seeds), "seeds: `waic` compares the models of 2 seeds at least: name more, or leave it out");

    let unused = with_evaluation(&[1], &json!({"background": {"mutation": 0.2}}));
    assert!(
        refusals(&unused).contains("base.evaluation.background: a model that no score uses"),
        "{}",
        refusals(&unused)
    );

    let ratio =
        |background: Value| with_evaluation(&[1], &json!({"scores": ["likelihood-ratio"], "background": background}));
    let all = refusals(&ratio(json!({"mutation": 1.0, "weight_decay": -1.0})));
    assert!(all.contains("base.evaluation.background.mutation: 1 is out of range"), "{all}");
    assert!(all.contains("base.evaluation.background.weight_decay: -1 is out of range"), "{all}");

    let mut early = serde_json::to_value(ratio(json!({"mutation": 0.2}))).unwrap();
    early["base"]["training"]["validation"] = json!({"every_steps": 10, "examples": 100});
    early["early_stopping"] = json!({"asha": {"metric": "bits-per-dim", "min_steps": 10}});
    let early: SweepSpec = parse_document(&early, "").unwrap();
    assert!(
        refusals(&early).contains("early_stopping: background models learn mutated images"),
        "{}",
        refusals(&early)
    );

    let subsample = with_evaluation(&[1], &json!({"subsample": 3}));
    assert!(refusals(&subsample).contains("base.evaluation.subsample: 3 is out of range"), "{}", refusals(&subsample));
}

#[test]
fn a_local_dimension_of_many_dimensions_is_refused_and_vectors_are_not_mutated() {
    let colour = with(experiment(), "/data/dataset", json!("cifar10"));
    let colour = with(colour, "/evaluation/out", json!(["svhn"]));
    let colour = with(colour, "/evaluation/scores", json!(["local-dimension"]));
    let spec: ExperimentSpec = parse_document(&colour, "").unwrap();
    let refusal = spec.validate("base").unwrap_err().to_string();
    assert!(refusal.contains("at each example, of at most 1024 dimensions: leave it out"), "{refusal}");

    let vectors = json!({
        "model": {"tabular": {"couplings": 2, "st_network": {"mlp": {"width": 4, "layers": 1}}}},
        "data": {"dataset": "synthetic-clusters-0", "mutation": 0.2},
        "training": {"steps": 4, "batch_size": 12, "optimiser": {"adam": {"learning_rate": 1e-3}}},
        "evaluation": {"out": ["synthetic-clusters-1"]},
    });
    let spec: ExperimentSpec = parse_document(&vectors, "").unwrap();
    let refusal = spec.validate("base").unwrap_err().to_string();
    assert!(refusal.contains("base.data.mutation: `synthetic-clusters-0` has vectors"), "{refusal}");
}

#[test]
fn subsamples_follow_the_score_and_the_document() {
    let spec: ExperimentSpec = parse_document(&experiment(), "").unwrap();
    let with = |subsample| {
        let mut spec = spec.clone();
        (spec.evaluation.subsample, spec.evaluation.images) = (subsample, Some(500));
        [ScoreName::GradientNorm, ScoreName::LocalDimension].map(|score| spec.subsample_of(score))
    };

    assert_eq!(with(None), [500, 100], "no more than are evaluated");
    assert_eq!(with(Some(64)), [64, 64]);
}
