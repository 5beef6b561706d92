//! Sweeps that cannot be expanded: one refusal for each rule, by its field's path and with what is allowed.

mod documents;

use documents::{experiment, lines, sweep, sweep_of, with};
use domain::{
    spec::parse_document,
    sweep::{MAX_JOBS, SweepSpec},
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

#[track_caller]
fn assert_refused(sweep: &SweepSpec, refusals: &[&str]) {
    assert_eq!(lines(&sweep.expand().expect_err("the sweep is refused")), refusals);
}

#[test]
fn variants_that_are_the_same_experiment_are_refused() {
    assert_refused(
        &sweep(json!([0]), json!({"list": {"points": [{}, {"model.realnvp.scales": 2}]}})),
        &["expansion: variant `scales=2` is the same experiment as `base`: leave one out"],
    );
    assert_refused(
        &sweep(json!([0]), json!({"grid": {"axes": [{"field": "training.weight_decay", "values": [1, 1.0]}]}})),
        &["expansion: variant `weight_decay=1.0` is the same experiment as `weight_decay=1`: leave one out"],
    );
}

#[test]
fn axes_without_values_or_twice_the_same_are_refused() {
    let axes = json!([
        {"field": MASK, "values": []},
        {"field": WIDTH, "values": [1, 2, 1]},
        {"field": MASK, "values": ["cycle"]},
    ]);

    for kind in ["grid", "random"] {
        let mut expansion = json!({kind: {"axes": axes}});
        if kind == "random" {
            expansion = with(with(expansion, "/random/draws", json!(1)), "/random/seed", json!(0));
        }
        assert_refused(
            &sweep(json!([0]), expansion),
            &[
                &format!("expansion.{kind}.axes[0].values: empty: give at least one value for `{MASK}`"),
                &format!("expansion.{kind}.axes[1].values[2]: 1 stands twice"),
                &format!("expansion.{kind}.axes[2].field: `{MASK}` is already an axis"),
            ],
        );
    }
}

#[test]
fn empty_lists_and_draws_are_refused() {
    assert_refused(
        &sweep(json!([0]), json!({"list": {"points": []}})),
        &["expansion.list.points: empty: give at least one point, or leave the expansion out"],
    );
    assert_refused(
        &sweep(json!([0]), json!({"random": {"axes": [], "draws": 1, "seed": 0}})),
        &["expansion.random.axes: empty: give at least one axis to draw from"],
    );
    for draws in [0, 7] {
        let expansion = json!({"random": {"axes": masks_by_widths(), "draws": draws, "seed": 0}});
        assert_refused(
            &sweep(json!([0]), expansion),
            &[&format!("expansion.random.draws: {draws} is out of range: 1 to 6 allowed")],
        );
    }
}

#[test]
fn unknown_fields_of_an_axis_are_refused_with_the_known_ones() {
    let refusal = |field: &str| {
        let axes = json!([{"field": MASK, "values": ["cycle"]}, {"field": field, "values": [1]}]);
        let refused = sweep(json!([0]), json!({"grid": {"axes": axes}})).expand().unwrap_err();
        assert_eq!(refused.len(), 1, "{refused}");
        refused.to_string()
    };

    assert_eq!(
        refusal("model.realnvp.st_network.resnet.widht"),
        "expansion.grid.axes[1].values[0]: `model.realnvp.st_network.resnet.widht`: unknown field `widht`, \
         expected one of `width`, `blocks`, `batch_norm`, `skip`"
    );
    assert_eq!(
        refusal("model.realnpv.mask"),
        "expansion.grid.axes[1].values[0]: `model.realnpv.mask` names no field: `base.model` has realnvp"
    );
    assert_eq!(
        refusal("optimiser.adam.beta1"),
        "expansion.grid.axes[1].values[0]: `optimiser.adam.beta1` names no field: the base experiment has \
         data, evaluation, model, training"
    );
    assert_eq!(
        refusal("training.steps.each"),
        "expansion.grid.axes[1].values[0]: `training.steps.each` names no field: `base.training.steps` has no fields at all"
    );
    for (field, part) in [
        ("seed", "`seed`: unknown field `seed`, expected one of `model`, `data`, `training`, `evaluation`"),
        ("model.glow", "`model`: "),
        ("", "unknown field ``"),
    ] {
        let text = refusal(field);
        assert!(text.starts_with("expansion.grid.axes[1].values[0]: ") && text.contains(part), "{text}");
    }
}

#[test]
fn wrong_values_of_an_axis_are_refused_with_the_allowed_ones() {
    let axes = json!([
        {"field": MASK, "values": ["checkerboard", "stripes"]},
        {"field": WIDTH, "values": [16]},
    ]);
    assert_refused(
        &sweep(json!([0]), json!({"grid": {"axes": axes}})),
        &[
            "expansion.grid.axes[0].values[1]: `model.realnvp.mask`: unknown choice `stripes`, expected `checkerboard`, \
         `horizontal`, `vertical`, `cycle`, `sub-quadrant`, `centre` or a list with one mask for each coupling layer",
        ],
    );

    let points = json!([{WIDTH: 8}, {WIDTH: 0}, {WIDTH: "wide"}]);
    assert_refused(
        &sweep(json!([0]), json!({"list": {"points": points}})),
        &[
            &format!("expansion.list.points[1].{WIDTH}: `{WIDTH}`: 0 is out of range: 1 to 4096 allowed"),
            &format!("expansion.list.points[2].{WIDTH}: `{WIDTH}`: invalid type: string \"wide\", expected u32"),
        ],
    );
}

#[test]
fn settings_that_contradict_the_base_name_the_variant() {
    let base = with(experiment(), "/model/realnvp/scales", json!(2));
    let axes = json!([{"field": MASK, "values": ["checkerboard", "cycle"]}]);

    assert_refused(
        &sweep_of(base, json!([0]), json!({"grid": {"axes": axes}})),
        &[
            "base.model.realnvp.scales: 2 scales need mask = \"checkerboard\"; other masks allow 1 (in variant `mask=cycle`)",
        ],
    );
}

#[test]
fn base_is_checked_like_any_experiment() {
    let base = with(experiment(), "/training/steps", json!(0));

    assert_refused(
        &sweep_of(base, json!([0]), json!({"grid": {"axes": []}})),
        &[
            "base.training.steps: 0 is out of range: 1 to 1000000000 allowed, or 0 to evaluate initial_weights as they are",
        ],
    );
}

#[test]
fn sweeps_over_the_size_limit_are_refused_before_they_are_built() {
    let thousands: Vec<u32> = (1..=4000).collect();
    let axes = json!([
        {"field": WIDTH, "values": thousands},
        {"field": "training.steps", "values": thousands},
        {"field": "training.batch_size", "values": thousands},
        {"field": "evaluation.images", "values": thousands},
        {"field": "data.train_images", "values": thousands},
        {"field": "model.realnvp.couplings", "values": thousands},
    ]);
    let why = "jobs or more: at most 10000 allowed; split the sweep or draw at random";
    assert_refused(
        &sweep(json!([0, 1]), json!({"grid": {"axes": axes}})),
        &[&format!("expansion: {} {why}", u64::MAX)],
    );

    let expansion = json!({"random": {"axes": axes, "draws": 5001, "seed": 0}});
    assert_refused(&sweep(json!([0]), expansion), &[&format!("expansion: 10002 {why}")]);

    let seeds: Vec<usize> = (0..=MAX_JOBS / 2).collect();
    assert_refused(&sweep(json!(seeds), json!({"grid": {"axes": []}})), &[&format!("expansion: 10002 {why}")]);

    // Two datasets to evaluate against make three jobs of each experiment.
    let base = with(experiment(), "/evaluation/out", json!(["mnist", "constant"]));
    assert_refused(
        &sweep_of(base, json!(seeds[..5000]), json!({"grid": {"axes": []}})),
        &[&format!("expansion: 15000 {why}")],
    );
}

#[test]
fn more_axes_than_an_experiment_has_fields_are_refused() {
    let axes: Vec<Value> = (0..65).map(|index| json!({"field": format!("f{index}"), "values": [1]})).collect();
    let point: serde_json::Map<String, Value> = (0..65).map(|index| (format!("f{index}"), json!(1))).collect();

    assert_refused(
        &sweep(json!([0]), json!({"grid": {"axes": axes}})),
        &["expansion.grid.axes: 65 axes: at most 64 allowed"],
    );
    assert_refused(
        &sweep(json!([0]), json!({"list": {"points": [{}, point]}})),
        &["expansion.list.points[1]: 65 fields: at most 64 allowed"],
    );
}

#[test]
fn seeds_must_be_given_once_and_fit_the_database() {
    let axes = json!({"grid": {"axes": []}});

    assert_refused(&sweep(json!([]), axes.clone()), &["seeds: empty: give at least one seed"]);
    assert_refused(&sweep(json!([4, 5, 4]), axes.clone()), &["seeds[2]: 4 stands twice"]);
    assert_refused(
        &sweep(json!([9_223_372_036_854_775_808_u64]), axes),
        &["seeds[0]: 9223372036854775808 is out of range: 0 to 9223372036854775807 allowed"],
    );
}

#[test]
fn names_descriptions_and_execution_are_checked() {
    let mut sweep = sweep(json!([0]), json!({"grid": {"axes": []}}));
    sweep.description = format!("{}\0", "x".repeat(4096));
    sweep.execution.priority = 101;
    sweep.execution.checkpoint_secs = 0;
    sweep.execution.max_failures = 0;
    sweep.execution.max_infrastructure_failures = 1001;
    sweep.execution.max_crashes = 101;
    assert_refused(
        &sweep,
        &[
            "description: 4097 bytes: at most 4096 allowed",
            "description: holds a NUL byte, which the database cannot store",
            "execution.priority: 101 is out of range: 0 to 100 allowed",
            "execution.checkpoint_secs: 0 is out of range: 1 to 86400 allowed",
            "execution.max_failures: 0 is out of range: 1 to 100 allowed",
            "execution.max_infrastructure_failures: 1001 is out of range: 1 to 1000 allowed",
            "execution.max_crashes: 101 is out of range: 1 to 100 allowed",
        ],
    );

    for name in ["", "Masks", "a b", "a\0", &"x".repeat(65)] {
        let mut renamed = documents::sweep(json!([0]), json!({"grid": {"axes": []}}));
        renamed.name = name.to_owned();
        let refused = renamed.expand().unwrap_err();
        assert_eq!((refused.iter().next().unwrap().field.as_str(), refused.len()), ("name", 1), "{refused}");
    }
}

#[test]
fn unknown_fields_of_a_sweep_are_refused_with_the_known_ones() {
    let document = json!({"name": "one", "seeds": [3], "base": experiment(), "axes": []});

    let refused = parse_document::<SweepSpec>(&document, "").unwrap_err();

    assert_eq!(
        refused.to_string(),
        "axes: unknown field `axes`, expected one of `name`, `description`, `seeds`, `base`, `expansion`, `execution`, `early_stopping`, `budget`"
    );
}
