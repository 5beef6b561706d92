//! The pictures that an experiment asks for: one refusal for each rule, defaults, identity, and the job they become.

mod documents;

use documents::{experiment, lines, parse, sweep_of, with};
use domain::{job::JobKind, spec::PartName};
use serde_json::{Value, json};

/// The experiment with an `inspection`.
fn inspecting(inspection: Value) -> Value {
    with(experiment(), "/inspection", inspection)
}

#[track_caller]
fn assert_refused(inspection: Value, refusals: &[&str]) {
    let spec = parse(&inspecting(inspection)).expect("it parses");

    let found = spec.validate("base").expect_err("a rule is broken");

    assert_eq!(lines(&found), refusals);
}

#[test]
fn each_rule_names_its_field() {
    assert_refused(
        json!({"datasets": []}),
        &["base.inspection.datasets: empty: name at least one dataset, or leave the field out"],
    );
    assert_refused(json!({"datasets": ["mnist", "mnist"]}), &["base.inspection.datasets[1]: `mnist` stands twice"]);
    assert_refused(
        json!({"images": []}),
        &["base.inspection.images: empty: give at least one index, or leave the field out"],
    );
    assert_refused(json!({"images": [4, 5, 4]}), &["base.inspection.images[2]: `4` stands twice"]);
    assert_refused(
        json!({"images": (0..65).collect::<Vec<_>>()}),
        &["base.inspection.images: 65 images: at most 64 allowed"],
    );
    assert_refused(
        json!({"images": (0..64).collect::<Vec<_>>(), "datasets": ["fashion-mnist", "mnist", "constant", "uniform-noise", "synthetic-shapes"]}),
        &["base.inspection: 64 images of 5 datasets are 320: at most 256 allowed; name fewer of either"],
    );
    assert_refused(
        json!({"images": [100_000_000]}),
        &["base.inspection.images[0]: 100000000 is out of range: 0 to 99999999 allowed"],
    );
    assert_refused(json!({"draws": 0}), &["base.inspection.draws: 0 is out of range: 1 to 1000 allowed"]);
    assert_refused(json!({"samples": 101}), &["base.inspection.samples: 101 is out of range: 1 to 100 allowed"]);
    assert_refused(
        json!({"parts": []}),
        &[
            "base.inspection.parts: empty: name at least one of latents, averaged-latents, scale-and-shift, activations, samples",
        ],
    );
    assert_refused(json!({"parts": ["samples", "samples"]}), &["base.inspection.parts[1]: `samples` stands twice"]);
}

#[test]
fn vectors_have_nothing_to_draw() {
    let of_vectors = with(inspecting(json!({})), "/data/dataset", json!("hepmass-0"));
    let of_vectors = with(of_vectors, "/evaluation/out", json!(["hepmass-1"]));

    let found = parse(&of_vectors).unwrap().validate("base").unwrap_err();

    let drawn = lines(&found).into_iter().find(|line| line.starts_with("base.inspection: ")).unwrap();
    assert!(drawn.contains("`hepmass-0`") && drawn.contains("only images can be drawn"), "{drawn}");
}

#[test]
fn unknown_fields_and_parts_are_refused_by_name() {
    let field = parse(&inspecting(json!({"picture": 1}))).unwrap_err();
    let part = parse(&inspecting(json!({"parts": ["portrait"]}))).unwrap_err();

    assert!(field.to_string().contains("unknown field `picture`"), "{field}");
    assert!(part.to_string().contains("base.inspection.parts[0]"), "{part}");
    let unknown = "portrait".parse::<PartName>().unwrap_err().to_string();
    assert_eq!(
        unknown,
        "unknown part `portrait`: one of latents, averaged-latents, scale-and-shift, activations, samples expected"
    );
}

#[test]
fn absent_inspection_leaves_no_trace_in_the_document() {
    let spec = parse(&experiment()).unwrap();

    assert!(!spec.to_canonical_json().contains("inspection"));
}

#[test]
fn defaults_are_written_out_and_change_nothing() {
    let short = parse(&inspecting(json!({}))).unwrap();
    let spelled_out = parse(&inspecting(json!({
        "datasets": ["fashion-mnist", "mnist"], "images": [0, 1, 2, 3, 4, 5, 6, 7], "draws": 40, "samples": 9,
        "parts": ["latents", "averaged-latents", "scale-and-shift", "activations", "samples"],
    })))
    .unwrap();

    short.validate("base").unwrap();

    assert_eq!(short.fingerprint(), spelled_out.fingerprint());
    assert_eq!(short.resolved().inspection, spelled_out.inspection);
}

#[test]
fn every_field_is_part_of_the_identity() {
    let documents = [
        experiment(),
        inspecting(json!({})),
        inspecting(json!({"datasets": ["mnist"]})),
        inspecting(json!({"images": [3]})),
        inspecting(json!({"draws": 2})),
        inspecting(json!({"samples": 4})),
        inspecting(json!({"parts": ["samples"]})),
    ];

    let distinct: std::collections::BTreeSet<_> =
        documents.iter().map(|document| parse(document).unwrap().fingerprint()).collect();

    assert_eq!(distinct.len(), documents.len());
}

#[test]
fn an_experiment_that_is_inspected_has_one_more_job() {
    let plain = sweep_of(experiment(), json!([1, 2]), json!({"grid": {"axes": []}})).expand().unwrap();
    let inspected = sweep_of(inspecting(json!({})), json!([1, 2]), json!({"grid": {"axes": []}})).expand().unwrap();

    assert_eq!((plain.job_count(), plain.jobs_of_kind(JobKind::Inspect)), (4, 0));
    assert_eq!((inspected.job_count(), inspected.jobs_of_kind(JobKind::Inspect)), (6, 2));
}
