//! Early stopping, validation, budgets and drawn ranges as documents: what is accepted, what is refused, and what stays
//! the same for documents that have none of them.

mod documents;

use documents::{experiment, experiment_of_before, lines, sweep, sweep_of, with};
use domain::{
    spec::{canonical, parse_document},
    stopping::{Asha, EarlyStopping, StoppingMetric},
    sweep::SweepSpec,
};
use serde_json::{Value, json};

/// A sweep of one experiment of 500 steps that is validated every 50 of them.
fn validated(changes: &[(&str, Value)]) -> SweepSpec {
    let base = with(experiment(), "/training/validation", json!({"every_steps": 50, "examples": 100}));
    let document = json!({"name": "stopping", "seeds": [0], "base": base});
    let document = changes.iter().fold(document, |document, (path, value)| with(document, path, value.clone()));
    parse_document(&document, "").expect("the sweep parses")
}

#[track_caller]
fn assert_refused(sweep: &SweepSpec, refusals: &[&str]) {
    assert_eq!(lines(&sweep.expand().expect_err("the sweep is refused")), refusals);
}

#[test]
fn documents_without_the_new_fields_keep_their_bytes() {
    let axes = json!([{"field": "training.steps", "values": [10, 20]}]);
    let old = sweep_of(experiment_of_before(), json!([0]), json!({"random": {"axes": axes, "draws": 1, "seed": 0}}));

    let stored = canonical::to_string(&old);

    // Computed before validation existed.
    let fingerprint = "24754b113b8dc9d0dd7ea1647591c716e9485282af0b41b905fe5e630f9c1692";
    assert_eq!(old.base.fingerprint().to_string(), fingerprint);
    for field in ["validation", "early_stopping", "budget", "range"] {
        assert!(!stored.contains(field), "{field} is in {stored}");
    }
    assert!(stored.contains(
        r#""expansion":{"random":{"axes":[{"field":"training.steps","values":[10,20]}],"draws":1,"seed":0}}"#
    ));
}

#[test]
fn validation_is_part_of_an_experiment_s_identity() {
    let plain: SweepSpec = parse_document(&json!({"name": "plain", "seeds": [0], "base": experiment()}), "").unwrap();
    let [fifty, hundred] = [50, 100].map(|steps| validated(&[("/base/training/validation/every_steps", json!(steps))]));

    assert_ne!(fifty.base.fingerprint(), plain.base.fingerprint());
    assert_ne!(fifty.base.fingerprint(), hundred.base.fingerprint());
    // The held-out examples are not learned.
    let learned = |sweep: &SweepSpec| sweep.base.workload("base").unwrap().examples_per_epoch;
    assert_eq!((learned(&plain), learned(&fifty)), (Some(60_000), Some(59_900)));
}

#[test]
fn rules_have_defaults_and_are_accepted() {
    let asha = validated(&[("/early_stopping", json!({"asha": {"min_steps": 50}}))]);
    let median = validated(&[("/early_stopping", json!({"median": {"after_steps": 100, "every_steps": 50}}))]);

    let rule = Asha { metric: StoppingMetric::BitsPerDim, min_steps: 50, reduction_factor: 3 };
    assert_eq!(asha.early_stopping, Some(EarlyStopping::Asha(rule)));
    assert!(asha.expand().is_ok() && median.expand().is_ok());
}

#[test]
fn a_rule_without_what_it_compares_is_refused() {
    let mut unvalidated = validated(&[("/early_stopping", json!({"asha": {"min_steps": 50}}))]);
    unvalidated.base.training.validation = None;
    assert_refused(
        &unvalidated,
        &[
            "base.training.validation: missing: early_stopping compares what validation measures; give every_steps and examples",
        ],
    );
    assert_refused(
        &validated(&[("/early_stopping", json!({"asha": {"metric": "auroc", "min_steps": 50}}))]),
        &[
            "base.training.validation.out: missing: early_stopping compares AUROCs; name the dataset that they are against",
        ],
    );
}

#[test]
fn steps_that_validation_does_not_measure_are_refused() {
    assert_refused(
        &validated(&[("/early_stopping", json!({"asha": {"min_steps": 75}}))]),
        &["early_stopping.asha.min_steps: 75 is no multiple of base.training.validation.every_steps, 50"],
    );
    assert_refused(
        &validated(&[("/early_stopping", json!({"median": {"after_steps": 1, "every_steps": 20}}))]),
        &["early_stopping.median.every_steps: 20 is no multiple of base.training.validation.every_steps, 50"],
    );
    assert_refused(
        &validated(&[("/early_stopping", json!({"asha": {"min_steps": 500}}))]),
        &["early_stopping.asha.min_steps: an experiment of 500 steps is never judged: the first time is at 500 steps"],
    );
}

#[test]
fn the_variant_that_breaks_the_rule_is_named_once() {
    let axes =
        json!([{"field": "training.steps", "values": [50, 500]}, {"field": "training.batch_size", "values": [8, 16]}]);

    assert_refused(
        &validated(&[
            ("/early_stopping", json!({"asha": {"min_steps": 50}})),
            ("/expansion", json!({"grid": {"axes": axes}})),
        ]),
        &["early_stopping.asha.min_steps: an experiment of 50 steps is never judged: the first time is at 50 steps \
           (in variant `steps=50, batch_size=8`)"],
    );
}

#[test]
fn numbers_out_of_range_are_refused() {
    assert_refused(
        &validated(&[
            ("/early_stopping", json!({"asha": {"min_steps": 0, "reduction_factor": 1}})),
            ("/budget", json!({"experiments": 0, "device_hours": -1.0})),
            ("/base/training/validation", json!({"every_steps": 0, "examples": 60_000, "out": "cifar10"})),
        ]),
        &[
            "early_stopping.asha.min_steps: 0 is out of range: 1 to 1000000000 allowed",
            "early_stopping.asha.reduction_factor: 1 is out of range: 2 to 100 allowed",
            "budget.experiments: 0 is out of range: 1 to 1000000 allowed",
            "budget.device_hours: -1 is out of range: above 0 to 10000000 allowed",
            "base.training.validation.every_steps: 0 is out of range: 1 to 1000000000 allowed",
            "base.training.validation.examples: 60000 held out of 60000 examples leave none to learn from",
            "base.training.validation.out: `cifar10` has 3×32×32, and `fashion-mnist`, which is learned, 1×28×28",
        ],
    );
    assert_refused(
        &validated(&[("/budget", json!({}))]),
        &["budget: empty: give experiments or device_hours, or leave the budget out"],
    );
}

#[test]
fn datasets_that_tell_nothing_in_validation_are_refused() {
    let negative = json!({"negative": {"out": "mnist"}});
    for (out, refusal) in [
        ("fashion-mnist", "`fashion-mnist` is the in-distribution dataset itself"),
        ("notmnist", "`notmnist` has a test split only, which validation never touches"),
        ("mnist", "training makes `mnist` unlikely, so that its AUROC would tell little"),
    ] {
        let sweep =
            validated(&[("/base/training/validation/out", json!(out)), ("/base/training/objective", negative.clone())]);
        assert_refused(&sweep, &[&format!("base.training.validation.out: {refusal}")]);
    }
}

#[test]
fn unknown_metrics_and_rules_are_refused_with_the_known_ones() {
    let parse = |rule: Value| {
        let document = json!({"name": "x", "seeds": [0], "base": experiment(), "early_stopping": rule});
        parse_document::<SweepSpec>(&document, "").unwrap_err().to_string()
    };

    let metric = parse(json!({"asha": {"metric": "loss", "min_steps": 1}}));
    let rule = parse(json!({"hyperband": {}}));

    assert!(metric.contains("unknown variant `loss`, expected `bits-per-dim` or `auroc`"), "{metric}");
    assert!(rule.contains("unknown variant `hyperband`, expected `asha` or `median`"), "{rule}");
}

fn drawn(kind: &str, axes: &Value, draws: u32) -> SweepSpec {
    sweep(json!([0]), json!({kind: {"axes": axes, "draws": draws, "seed": 1}}))
}

#[test]
fn ranges_are_drawn_beside_values() {
    let axes = json!([
        {"field": "training.optimiser.adam.learning_rate", "range": {"low": 1e-5, "high": 1e-2, "scale": "log"}},
        {"field": "training.batch_size", "range": {"low": 8, "high": 64, "integer": true}},
        {"field": "model.realnvp.mask", "values": ["checkerboard", "cycle"]},
    ]);

    for kind in ["random", "sobol"] {
        let expanded = drawn(kind, &axes, 8).expand().unwrap();

        assert_eq!(expanded.variants.len(), 8);
        assert_eq!(expanded.variants, drawn(kind, &axes, 8).expand().unwrap().variants, "{kind}");
        let rates: Vec<f64> =
            expanded.variants.iter().map(|variant| variant.spec.training.optimiser.learning_rate()).collect();
        assert!(rates.iter().all(|rate| (1e-5..=1e-2).contains(rate)), "{kind}: {rates:?}");
        assert!(expanded.variants.iter().all(|variant| (8..=64).contains(&variant.spec.training.batch_size)));
    }
    // Eight points of a Sobol sequence: one in each eighth of the rates' logarithms.
    let sobol = drawn("sobol", &axes, 8).expand().unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "numbers between 0 and 8")]
    let eighth = |rate: f64| ((rate / 1e-5).log10() / 3.0 * 8.0) as i64;
    let mut eighths: Vec<i64> =
        sobol.variants.iter().map(|variant| eighth(variant.spec.training.optimiser.learning_rate())).collect();
    eighths.sort_unstable();
    assert_eq!(eighths, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn drawn_points_are_pinned() {
    let axes = json!([{"field": "training.optimiser.adam.learning_rate", "range": {"low": 1e-5, "high": 1e-2, "scale": "log"}}]);
    let labels = |kind| -> Vec<String> {
        drawn(kind, &axes, 3).expand().unwrap().variants.into_iter().map(|variant| variant.label).collect()
    };

    // A stored sweep expands to the same experiments in every version.
    assert_eq!(labels("sobol"), ["learning_rate=0.000138042", "learning_rate=0.0012892", "learning_rate=0.0000432705"]);
    assert_eq!(
        labels("random"),
        ["learning_rate=0.000161234", "learning_rate=0.0000174241", "learning_rate=0.000616142"]
    );
}

#[test]
fn ranges_that_make_no_sense_are_refused() {
    let axis = |range: Value| json!([{"field": "training.batch_size", "range": range}]);
    let grid = sweep(json!([0]), json!({"grid": {"axes": axis(json!({"low": 1, "high": 2}))}}));
    assert_refused(
        &grid,
        &["expansion.grid.axes[0].range: a grid takes every value: give `values`, or draw with random or sobol"],
    );
    for (range, refusal) in [
        (json!({"low": 2, "high": 2}), "range.high: 2 is not above low, 2"),
        (
            json!({"low": 0, "high": 2, "scale": "log"}),
            "range.low: 0 has no place on a log scale: give a number above 0",
        ),
        (
            json!({"low": 0.5, "high": 2, "integer": true}),
            "range.low: 0.5 is no bound of integers: whole numbers allowed",
        ),
    ] {
        assert_refused(&drawn("sobol", &axis(range), 1), &[&format!("expansion.sobol.axes[0].{refusal}")]);
    }
    let both = json!([{"field": "training.batch_size", "values": [1], "range": {"low": 1, "high": 2}}]);
    assert_refused(
        &drawn("random", &both, 1),
        &["expansion.random.axes[0].range: stands beside `values`: give one of them"],
    );
    assert_refused(
        &drawn("sobol", &axis(json!({"low": 2, "high": 4, "integer": true})), 4),
        &["expansion.sobol.draws: 4 is out of range: 1 to 3 allowed"],
    );
}
