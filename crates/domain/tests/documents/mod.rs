//! Documents that the tests vary.

#![allow(dead_code, reason = "each test program uses its part")]

use domain::{
    spec::{ExperimentSpec, Violations, parse_document},
    sweep::SweepSpec,
};
use serde_json::{Value, json};

/// A small sound experiment without a single optional field.
pub fn experiment() -> Value {
    json!({
        "model": {"realnvp": {"mask": "checkerboard", "st_network": {"resnet": {"width": 16, "blocks": 2}}}},
        "data": {"dataset": "fashion-mnist"},
        "training": {"steps": 500, "batch_size": 32, "optimiser": {"adam": {"learning_rate": 5e-4}}},
        "evaluation": {"out": ["mnist"]},
    })
}

/// [`experiment`] as documents were when there was one score, which was the default.
pub fn experiment_of_before() -> Value {
    with(experiment(), "/evaluation/scores", json!(["log-likelihood"]))
}

/// The document with `value` at `path`, a JSON pointer.
pub fn with(mut document: Value, path: &str, value: Value) -> Value {
    let mut place = &mut document;
    for key in path.split('/').skip(1) {
        place = match key.parse::<usize>() {
            Ok(index) => &mut place[index],
            Err(_) => &mut place[key],
        };
    }
    *place = value;
    document
}

/// A RealNVP over images with these fields of its own.
pub fn realnvp(changes: Value) -> Value {
    let table = json!({"mask": "checkerboard", "st_network": {"resnet": {"width": 64, "blocks": 6}}});
    json!({ "realnvp": changed(table, changes) })
}

/// A Glow with these fields of its own.
pub fn glow(changes: Value) -> Value {
    json!({ "glow": changed(json!({"st_network": {"highway": {"width": 200, "blocks": 3}}}), changes) })
}

/// A model over vectors with these fields of its own.
pub fn tabular(changes: Value) -> Value {
    json!({ "tabular": changed(json!({"st_network": {"mlp": {"width": 256, "layers": 1}}}), changes) })
}

fn changed(mut table: Value, changes: Value) -> Value {
    if let (Value::Object(fields), Value::Object(changes)) = (&mut table, changes) {
        fields.extend(changes);
    }
    table
}

/// The document as an experiment.
pub fn parse(document: &Value) -> Result<ExperimentSpec, Violations> {
    parse_document(document, "base")
}

/// A sweep of [`experiment`] with the given seeds and expansion.
pub fn sweep(seeds: Value, expansion: Value) -> SweepSpec {
    sweep_of(experiment(), seeds, expansion)
}

/// A sweep of `base` with the given seeds and expansion.
pub fn sweep_of(base: Value, seeds: Value, expansion: Value) -> SweepSpec {
    let document = json!({"name": "masks", "seeds": seeds, "base": base, "expansion": expansion});
    parse_document(&document, "").expect("the sweep parses")
}

/// Each violation as `path: message`.
pub fn lines(violations: &Violations) -> Vec<String> {
    violations.iter().map(ToString::to_string).collect()
}
