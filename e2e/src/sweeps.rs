//! Sweeps small enough for tests, on built-in data.

use domain::sweep::SweepSpec;
use serde_json::json;

/// A sweep of one small cycle-mask flow per seed, trained for `steps` steps with a checkpoint every second.
///
/// Two sweeps that differ in their names alone have the same experiments, so that their results must be equal.
#[must_use]
pub fn tiny_sweep(name: &str, seeds: &[u64], steps: u32) -> SweepSpec {
    let document = json!({
        "name": name,
        "seeds": seeds,
        "base": {
            "model": {"realnvp": {"mask": "cycle", "couplings": 4, "st_network": {"resnet": {"width": 4, "blocks": 1}}}},
            "data": {"dataset": "synthetic-shapes", "train_images": 512},
            "training": {"steps": steps, "batch_size": 16, "optimiser": {"adam": {"learning_rate": 1e-3}}},
            "evaluation": {"out": ["synthetic-strokes"], "images": 64},
        },
        "execution": {"checkpoint_secs": 1},
    });
    domain::spec::parse_document(&document, "").expect("the document above is sound")
}

/// A sweep of one small model over built-in data: `model` and `within` against `out`.
#[must_use]
pub fn tiny_model(name: &str, model: &serde_json::Value, [within, out]: [&str; 2]) -> SweepSpec {
    let document = json!({
        "name": name,
        "seeds": [1],
        "base": {
            "model": model,
            "data": {"dataset": within, "train_images": 256},
            "training": {"steps": 10, "batch_size": 16, "optimiser": {"rmsprop": {"learning_rate": 1e-4}}},
            "evaluation": {"out": [out], "images": 64},
        },
    });
    domain::spec::parse_document(&document, "").expect("the document above is sound")
}
