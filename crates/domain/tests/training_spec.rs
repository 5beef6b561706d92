//! The training section of the experiment document: objectives, decay, schedules, accumulation, divergence.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod documents;

use documents::{experiment, experiment_of_before, lines, parse, with};
use domain::spec::{Decay, DivergencePolicy, ObjectiveSpec, ScheduleSpec, TrainingSpec};
use serde_json::{Value, json};

/// The experiment with `value` as `field` of its training.
fn training_with(field: &str, value: Value) -> Value {
    with(experiment(), &format!("/training/{field}"), value)
}

fn training(document: &Value) -> TrainingSpec {
    let spec = parse(document).unwrap();
    spec.validate("base").unwrap();
    spec.training
}

#[track_caller]
fn assert_refused(field: &str, value: Value, refusals: &[&str]) {
    let document = training_with(field, value);
    let spec = parse(&document).unwrap_or_else(|refusal| panic!("{document} does not even parse: {refusal}"));

    let found = spec.validate("base").expect_err("a rule is broken");

    assert_eq!(lines(&found), refusals);
}

#[test]
fn documents_from_before_these_fields_keep_their_fingerprint() {
    let fingerprint = parse(&experiment_of_before()).unwrap().fingerprint().to_string();

    assert_eq!(fingerprint, "24754b113b8dc9d0dd7ea1647591c716e9485282af0b41b905fe5e630f9c1692");
}

#[test]
fn defaults_spelled_out_change_nothing() {
    let mut spelled_out = experiment();
    for (field, value) in [
        ("objective", json!("maximum-likelihood")),
        ("decay", json!("gains")),
        ("schedule", json!("constant")),
        ("accumulate", json!(1)),
        ("on_divergence", json!("fail")),
    ] {
        spelled_out = with(spelled_out, &format!("/training/{field}"), value);
    }

    let (short, long) = (parse(&experiment()).unwrap(), parse(&spelled_out).unwrap());

    assert_eq!(long.fingerprint(), short.fingerprint());
    assert_eq!(short.training.decays(&short.model), Decay::Gains);
}

#[test]
fn negative_training_takes_its_defaults_from_the_data() {
    let short = parse(&training_with("objective", json!({"negative": {"out": "mnist"}}))).unwrap();
    let long = json!({"negative": {"out": "mnist", "threshold_nats": -30_000, "out_batch_size": 32}});
    let long = parse(&training_with("objective", long)).unwrap();

    let ObjectiveSpec::Negative(negative) = short.resolved().training.objective else {
        panic!("the objective stays what it is")
    };
    assert_eq!((negative.threshold_nats, negative.out_batch_size), (Some(-30_000.0), Some(32)));
    assert_eq!(short.fingerprint(), long.fingerprint());
    assert_eq!(short.resolved(), parse(&serde_json::from_str(&short.to_canonical_json()).unwrap()).unwrap());
}

#[test]
fn every_field_is_part_of_the_identity() {
    let negative = |more: Value| {
        let mut negative = json!({"out": "mnist"});
        negative.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        training_with("objective", json!({"negative": negative}))
    };
    let restart = |fields: Value| training_with("on_divergence", json!({"restart": fields}));
    let cosine = |fields: Value| training_with("schedule", json!({"warm-up-cosine": fields}));
    let documents = [
        experiment(),
        negative(json!({})),
        negative(json!({"threshold_nats": -1})),
        negative(json!({"out_batch_size": 1})),
        negative(json!({"out_images": 1})),
        negative(json!({"out": "constant"})),
        training_with("decay", json!("all")),
        training_with("schedule", json!({"flows-ood-anneal": {}})),
        training_with("schedule", json!({"flows-ood-anneal": {"steps_per_epoch": 10}})),
        cosine(json!({"warm_up_steps": 0})),
        cosine(json!({"warm_up_steps": 1})),
        cosine(json!({"warm_up_steps": 0, "final_fraction": 0.5})),
        training_with("accumulate", json!(2)),
        restart(json!({})),
        restart(json!({"at_most": 1})),
        restart(json!({"learning_rate_factor": 0.1})),
        restart(json!({"checkpoint_steps": 10})),
        restart(json!({"loss_limit_nats": 1e6})),
        training_with("optimiser", json!({"adamw": {"learning_rate": 5e-4}})),
    ];

    let distinct: std::collections::BTreeSet<_> =
        documents.iter().map(|document| parse(document).unwrap().fingerprint()).collect();

    assert_eq!(distinct.len(), documents.len());
    documents.iter().for_each(|document| parse(document).unwrap().validate("base").unwrap());
}

#[test]
fn each_rule_of_negative_training_names_its_field() {
    let at = "base.training.objective.negative";
    for (negative, refusal) in [
        (json!({"out": "fashion-mnist"}), "out: `fashion-mnist` is the in-distribution dataset itself"),
        (json!({"out": "mnist", "out_images": 0}), "out_images: 0 is out of range: 1 to 100000000 allowed"),
        (json!({"out": "mnist", "out_batch_size": 0}), "out_batch_size: 0 is out of range: 1 to 65536 allowed"),
        (
            json!({"out": "mnist", "threshold_nats": 1e13}),
            "threshold_nats: 10000000000000 is out of range: -1000000000000 to 1000000000000 allowed",
        ),
    ] {
        assert_refused("objective", json!({"negative": negative}), &[&format!("{at}.{refusal}")]);
    }
}

#[test]
fn each_rule_of_the_schedules_names_its_field() {
    let at = "base.training.schedule";
    for (schedule, refusal) in [
        (
            json!({"flows-ood-anneal": {"steps_per_epoch": 0}}),
            "flows-ood-anneal.steps_per_epoch: 0 is out of range: 1 to 1000000000 allowed",
        ),
        (
            json!({"warm-up-cosine": {"warm_up_steps": 500}}),
            "warm-up-cosine.warm_up_steps: 500 steps of 500: fewer than the run's steps allowed",
        ),
        (
            json!({"warm-up-cosine": {"warm_up_steps": 1, "final_fraction": 2}}),
            "warm-up-cosine.final_fraction: 2 is out of range: 0 to 1 allowed",
        ),
    ] {
        assert_refused("schedule", schedule, &[&format!("{at}.{refusal}")]);
    }
}

#[test]
fn each_rule_of_accumulation_and_restarts_names_its_field() {
    for wrong in [0, 17] {
        let refusal = format!("base.training.accumulate: {wrong} is out of range: 1 to 16 allowed");
        assert_refused("accumulate", json!(wrong), &[&refusal]);
    }
    let at = "base.training.on_divergence.restart";
    for (restart, refusal) in [
        (json!({"at_most": 0}), "at_most: 0 is out of range: 1 to 100 allowed"),
        (json!({"learning_rate_factor": 0}), "learning_rate_factor: 0 is out of range: 0.001 to 0.99 allowed"),
        (json!({"learning_rate_factor": 1}), "learning_rate_factor: 1 is out of range: 0.001 to 0.99 allowed"),
        (json!({"checkpoint_steps": 0}), "checkpoint_steps: 0 is out of range: 1 to 1000000000 allowed"),
        (
            json!({"loss_limit_nats": 1e16}),
            "loss_limit_nats: 10000000000000000 is out of range: -1000000000000 to 1000000000000000 allowed",
        ),
    ] {
        assert_refused("on_divergence", json!({"restart": restart}), &[&format!("{at}.{refusal}")]);
    }
}

#[test]
fn unknown_choices_are_refused_with_the_known_ones() {
    for (field, wrong, part) in [
        ("objective", json!("luck"), "expected `maximum-likelihood` or `negative`"),
        ("decay", json!("biases"), "expected `gains` or `all`"),
        ("schedule", json!("steps"), "expected one of `constant`, `flows-ood-anneal`, `warm-up-cosine`"),
        ("on_divergence", json!("ignore"), "expected `fail` or `restart`"),
    ] {
        let found = parse(&training_with(field, wrong)).expect_err("the document does not parse");

        let found = lines(&found).join("; ");
        assert!(found.starts_with(&format!("base.training.{field}: ")) && found.contains(part), "{found}");
    }
}

#[test]
fn learning_rate_is_the_optimisers_times_schedule_times_restarts() {
    let mut training = training(&experiment());
    training.schedule = ScheduleSpec::FlowsOodAnneal(Default::default());
    training.on_divergence = DivergencePolicy::Restart(serde_json::from_value(json!({})).unwrap());

    assert_eq!(training.learning_rate(0, 0), 5e-4);
    assert_eq!(training.learning_rate(499, 0), 5e-4 / 4.0);
    assert_eq!(training.learning_rate(401, 2), 5e-4 / 8.0);
}
