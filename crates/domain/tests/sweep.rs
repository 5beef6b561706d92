//! Sweeps: expansion into variants and experiments, labels and identity.

mod documents;

use std::collections::BTreeSet;

use documents::{experiment, sweep, with};
use domain::{
    Digest,
    spec::{MaskScheme, MaskSpec, parse_document},
    sweep::{Expanded, MAX_JOBS, SweepSpec},
};
use serde_json::{Value, json};

const MASK: &str = "model.realnvp.mask";
const WIDTH: &str = "model.realnvp.st_network.resnet.width";

fn masks_by_widths() -> Value {
    json!([
        {"field": MASK, "values": ["checkerboard", "horizontal", "cycle"]},
        {"field": WIDTH, "values": [16, 32]},
    ])
}

fn labels(expanded: &Expanded) -> Vec<&str> {
    expanded.variants.iter().map(|variant| variant.label.as_str()).collect()
}

#[test]
fn grid_varies_its_last_axis_fastest() {
    let expanded = sweep(json!([0]), json!({"grid": {"axes": masks_by_widths()}})).expand().unwrap();

    assert_eq!(
        labels(&expanded),
        [
            "mask=checkerboard, width=16",
            "mask=checkerboard, width=32",
            "mask=horizontal, width=16",
            "mask=horizontal, width=32",
            "mask=cycle, width=16",
            "mask=cycle, width=32",
        ]
    );
    let domain::spec::ModelSpec::RealNvp(last) = &expanded.variants[5].spec.model else {
        panic!("another architecture: {:?}", expanded.variants[5]);
    };
    assert_eq!(last.mask, MaskSpec::Scheme(MaskScheme::Cycle));
    assert_eq!(last.scales, Some(1), "variants are resolved");
}

#[test]
fn every_variant_is_trained_once_per_seed_in_order() {
    let expanded =
        sweep(json!([7, 0]), json!({"grid": {"axes": [{"field": WIDTH, "values": [1, 2]}]}})).expand().unwrap();

    let planned: Vec<_> = expanded.experiments.iter().map(|experiment| (experiment.variant, experiment.seed)).collect();
    let identities: BTreeSet<Digest> = expanded.experiments.iter().map(|experiment| experiment.fingerprint).collect();
    assert_eq!(planned, [(0, 7), (0, 0), (1, 7), (1, 0)]);
    assert_eq!(identities.len(), 4);
}

#[test]
fn jobs_are_one_train_and_one_evaluate_for_each_dataset() {
    let axes = json!([{"field": "evaluation.out", "values": [["mnist"], ["mnist", "constant", "uniform-noise"]]}]);

    let expanded = sweep(json!([0, 1]), json!({"grid": {"axes": axes}})).expand().unwrap();

    assert_eq!(expanded.job_count(), 2 * (1 + 1) + 2 * (1 + 3));
}

#[test]
fn sweep_without_expansion_is_its_base_alone() {
    let document = json!({"name": "one", "seeds": [3], "base": experiment()});
    let sweep: SweepSpec = parse_document(&document, "").unwrap();

    let expanded = sweep.expand().unwrap();

    assert_eq!(labels(&expanded), ["base"]);
    assert_eq!(expanded.variants[0].spec, sweep.base.resolved());
    assert_eq!(expanded.variants[0].fingerprint, sweep.base.fingerprint());
}

#[test]
fn list_keeps_its_order_and_its_points() {
    let points = json!([{MASK: "cycle"}, {}, {WIDTH: 8, MASK: "horizontal"}]);

    let expanded = sweep(json!([0]), json!({"list": {"points": points}})).expand().unwrap();

    assert_eq!(labels(&expanded), ["mask=cycle", "base", "mask=horizontal, width=8"]);
}

#[test]
fn random_draw_is_decided_by_its_seed_alone() {
    let draw = |seed: u64| {
        let widths: Vec<u32> = (1..=500).collect();
        let axes = json!([{"field": WIDTH, "values": widths}, {"field": "training.steps", "values": [1, 2]}]);
        let expansion = json!({"random": {"axes": axes, "draws": 12, "seed": seed}});
        sweep(json!([0]), expansion).expand().unwrap()
    };

    let first = draw(11);

    let distinct: BTreeSet<Digest> = first.variants.iter().map(|variant| variant.fingerprint).collect();
    assert_eq!(distinct.len(), 12);
    assert_eq!(first, draw(11));
    assert_ne!(labels(&first), labels(&draw(12)));
    // The draw of a stored sweep must never change, whatever is upgraded.
    assert_eq!(labels(&first)[..2], ["width=13, steps=1", "width=110, steps=2"]);
}

#[test]
fn expansion_is_the_same_every_time() {
    let sweep = sweep(json!([0, 1]), json!({"grid": {"axes": masks_by_widths()}}));

    assert_eq!(sweep.expand().unwrap(), sweep.expand().unwrap());
}

#[test]
fn whole_choices_can_be_swept() {
    let optimisers = json!([{"adam": {"learning_rate": 1e-3}}, {"rmsprop": {"learning_rate": 1e-3}}]);
    let axes = json!([{"field": "training.optimiser", "values": optimisers}]);

    let expanded = sweep(json!([0]), json!({"grid": {"axes": axes}})).expand().unwrap();

    assert_eq!(labels(&expanded), ["optimiser=adam(learning_rate=0.001)", "optimiser=rmsprop(learning_rate=0.001)"]);
}

#[test]
fn optional_fields_that_the_base_leaves_out_can_be_swept() {
    let axes = json!([{"field": "data.train_images", "values": [null, 100]}]);

    let expanded = sweep(json!([0]), json!({"grid": {"axes": axes}})).expand().unwrap();

    assert_eq!(labels(&expanded), ["train_images=null", "train_images=100"]);
    assert_eq!(expanded.variants[1].spec.data.train_images, Some(100));
}

#[test]
fn largest_sweep_expands() {
    let seeds: Vec<usize> = (0..MAX_JOBS / 2).collect();

    let expanded = sweep(json!(seeds), json!({"grid": {"axes": []}})).expand().unwrap();

    assert_eq!(expanded.job_count(), MAX_JOBS);
}

#[test]
fn equal_sweep_documents_have_equal_fingerprints() {
    let document = json!({"name": "one", "seeds": [3], "base": experiment()});
    let spelled_out = json!({
        "execution": {"max_crashes": 3, "device": "any", "priority": 50, "checkpoint_secs": 30},
        "expansion": {"grid": {"axes": []}}, "base": experiment(), "seeds": [3], "description": "", "name": "one",
    });
    let fingerprint = |document: &Value| parse_document::<SweepSpec>(document, "").unwrap().fingerprint();

    assert_eq!(fingerprint(&document), fingerprint(&spelled_out));
    for (field, value) in [
        ("/name", json!("two")),
        ("/description", json!("x")),
        ("/seeds", json!([4])),
        ("/base/training/steps", json!(1)),
        ("/expansion", json!({"list": {"points": [{}]}})),
        ("/execution/priority", json!(51)),
    ] {
        assert_ne!(fingerprint(&document), fingerprint(&with(spelled_out.clone(), field, value)), "{field}");
    }
}

#[test]
fn an_experiment_is_the_same_in_every_sweep() {
    let grid = sweep(json!([1]), json!({"grid": {"axes": masks_by_widths()}})).expand().unwrap();

    let list = sweep(json!([0, 1]), json!({"list": {"points": [{MASK: "cycle", WIDTH: 32}]}})).expand().unwrap();

    assert_eq!(grid.variants[5].fingerprint, list.variants[0].fingerprint);
    assert_eq!(grid.experiments[5].fingerprint, list.experiments[1].fingerprint);
    assert_ne!(grid.experiments[5].fingerprint, list.experiments[0].fingerprint);
}
