//! What breaks a rule is refused, by the path of its field and with what is allowed.

use domain::{
    Digest, Epoch, JobId, SessionId, Timestamp,
    job::FailureKind,
    lease::Directive,
    report::{Attempt, Completion, Failure},
    spec::{
        ConvolutionSpec, CouplingMask, DatasetName, EvaluationSpec, ExperimentSpec, GlowSpec, MaskOrder, MaskScheme,
        ModelSpec, OptimiserSpec, ParitySpec, RealNvpSpec, SplitPriorSpec, SqueezeSpec, StNetworkSpec, TabularSpec,
        TrainingSpec, TransformSpec,
    },
    sweep::{ExecutionSpec, Expansion, SweepSpec, Variant},
};
use serde_json::Value;

use super::{documents, refusals_of};
use crate::{
    convert::{self, ToWire},
    v1,
};

#[test]
fn absent_messages_are_all_named_at_once() {
    assert_eq!(
        refusals_of::<ExperimentSpec>(v1::ExperimentSpec::default(), "base"),
        ["base.model: missing", "base.data: missing", "base.training: missing", "base.evaluation: missing",]
    );
    assert_eq!(refusals_of::<SweepSpec>(v1::SweepSpec::default(), ""), ["base: missing"]);
    assert_eq!(
        refusals_of::<Variant>(v1::VariantSummary::default(), "variants[0]"),
        [
            "variants[0].fingerprint: `` is not a SHA-256 digest: 64 hexadecimal digits (32 bytes) expected",
            "variants[0].spec: missing",
        ]
    );
}

#[test]
fn absent_choices_list_what_is_allowed() {
    assert_eq!(
        refusals_of::<ModelSpec>(v1::ModelSpec::default(), "m"),
        ["m: missing: one of realnvp, glow, tabular expected"]
    );
    assert_eq!(
        refusals_of::<StNetworkSpec>(v1::StNetworkSpec::default(), "s"),
        [
            "s: missing: one of resnet, highway, convnet, glow-convnet, autoencoder, autoencoder-old, resnet-autoencoder, mlp expected"
        ]
    );
    assert_eq!(
        refusals_of::<CouplingMask>(v1::CouplingMask::default(), "mask[3]"),
        ["mask[3]: missing: one of checkerboard, horizontal, vertical, quadrants, sub_quadrant, centre expected"]
    );
    assert_eq!(
        refusals_of::<TransformSpec>(v1::TransformSpec::default(), "t"),
        ["t: missing: one of affine, additive, spline expected"]
    );
    assert_eq!(
        refusals_of::<ConvolutionSpec>(v1::ConvolutionSpec::default(), "c"),
        ["c: missing: one of full, lu, householder expected"]
    );
    assert_eq!(
        refusals_of::<OptimiserSpec>(v1::OptimiserSpec::default(), "o"),
        ["o: missing: one of adam, rmsprop, adamw expected"]
    );
    assert_eq!(
        refusals_of::<Expansion>(v1::Expansion::default(), "expansion"),
        ["expansion: missing: one of grid, list, random, sobol expected"]
    );
    assert_eq!(
        refusals_of::<Directive>(v1::Directive::default(), "directives[2]"),
        ["directives[2]: missing: one of abandon, drain, session_lost, preempt expected"]
    );
    assert_eq!(
        refusals_of::<Completion>(None, ""),
        ["result: missing: one of train, evaluate, inspect, score expected"]
    );
}

#[test]
fn unknown_and_unspecified_enum_numbers_list_what_is_allowed() {
    let schemes = "one of checkerboard, horizontal, vertical, cycle, sub-quadrant, centre expected";
    assert_eq!(refusals_of::<MaskScheme>(0, "mask"), [format!("mask: missing: {schemes}, or a list of masks")]);
    assert_eq!(refusals_of::<MaskScheme>(99, "mask"), [format!("mask: unknown mask scheme 99: {schemes}")]);
    assert_eq!(refusals_of::<MaskOrder>(3, "o"), ["o: unknown mask order 3: one of plain, reversed expected"]);
    assert_eq!(
        refusals_of::<ParitySpec>(3, "parity"),
        ["parity: unknown parity 3: one of corrected, flows-ood expected"]
    );
    assert_eq!(refusals_of::<SqueezeSpec>(-1, "s"), ["s: unknown squeeze -1: one of pixels, haar expected"]);
    assert_eq!(refusals_of::<SplitPriorSpec>(7, "p"), ["p: unknown split prior 7: one of standard, learned expected"]);
    let known = "one of permanent, own, infrastructure, crash expected";
    assert_eq!(refusals_of::<FailureKind>(0, "kind"), [format!("kind: missing: {known}")]);
    assert_eq!(refusals_of::<FailureKind>(-1, "kind"), [format!("kind: unknown failure kind -1: {known}")]);
    assert_eq!(refusals_of::<Failure>((0, String::new()), ""), [format!("kind: missing: {known}")]);
}

#[test]
fn every_field_of_a_model_is_refused_at_its_path() {
    let nan = v1::TransformSpec {
        kind: Some(v1::transform_spec::Kind::Spline(v1::SplineSpec { bins: None, bound: Some(f64::NAN) })),
    };
    let wire = v1::RealNvpSpec {
        mask: v1::MaskScheme::Cycle.into(),
        masks: vec![
            v1::CouplingMask { kind: Some(v1::coupling_mask::Kind::Horizontal(9)) },
            v1::CouplingMask::default(),
        ],
        transform: Some(nan),
        squeeze: 9,
        split_prior: 9,
        ..Default::default()
    };
    let fields: Vec<String> = refusals_of::<RealNvpSpec>(wire, "r")
        .iter()
        .map(|refusal| refusal.split_once(": ").unwrap().0.to_owned())
        .collect();
    let glow =
        v1::GlowSpec { transform: Some(nan), convolution: Some(v1::ConvolutionSpec::default()), ..Default::default() };
    let tabular = v1::TabularSpec { transform: Some(nan), ..Default::default() };

    assert_eq!(
        fields,
        [
            "r.mask",
            "r.mask[0].horizontal",
            "r.mask[1]",
            "r.st_network",
            "r.transform.spline.bound",
            "r.squeeze",
            "r.split_prior"
        ]
    );
    assert_eq!(
        refusals_of::<GlowSpec>(glow, "g"),
        [
            "g.st_network: missing",
            "g.convolution: missing: one of full, lu, householder expected",
            "g.transform.spline.bound: NaN is not a number that can be kept: finite ones allowed",
        ]
    );
    assert_eq!(refusals_of::<TabularSpec>(tabular, "t").len(), 2);
}

#[test]
fn refusals_deep_in_a_sweep_carry_the_whole_path() {
    let mut wire = documents::sweeps()[2].to_wire();
    let base = wire.base.as_mut().unwrap();
    base.data.as_mut().unwrap().dataset = "cifar".to_owned();
    base.evaluation.as_mut().unwrap().out = vec!["mnist".to_owned(), "nope".to_owned()];
    base.training.as_mut().unwrap().optimiser = Some(v1::OptimiserSpec {
        kind: Some(v1::optimiser_spec::Kind::Adam(v1::AdamSpec { learning_rate: f64::NAN, ..Default::default() })),
    });
    let Some(v1::Expansion { kind: Some(v1::expansion::Kind::Grid(grid)) }) = wire.expansion.as_mut() else {
        panic!("the sweep has a grid")
    };
    grid.axes[1].values[0] = prost_types::Value { kind: None };
    grid.axes[2].values[2] = f64::INFINITY.into();
    wire.execution.as_mut().unwrap().device = Some("tpu".to_owned());

    let refusals = refusals_of::<SweepSpec>(wire, "");

    let known = DatasetName::ALL.map(DatasetName::as_str).join(", ");
    assert_eq!(
        refusals,
        [
            format!("base.data.dataset: unknown dataset `cifar`: one of {known} expected"),
            "base.training.optimiser.adam.learning_rate: NaN is not a number that can be kept: finite ones allowed"
                .to_owned(),
            format!("base.evaluation.out[1]: unknown dataset `nope`: one of {known} expected"),
            "expansion.grid.axes[1].values[0]: missing: a value expected, or null".to_owned(),
            "expansion.grid.axes[2].values[2]: inf is not a number that can be kept: finite ones allowed".to_owned(),
            "execution.device: unknown device `tpu`: one of any, cpu, cuda expected".to_owned(),
        ]
    );
}

#[test]
fn free_values_are_refused_at_any_depth() {
    let inner = prost_types::Struct { fields: [("deep".to_owned(), f64::NAN.into())].into() };
    let list =
        prost_types::ListValue { values: vec![true.into(), prost_types::value::Kind::StructValue(inner).into()] };

    let refusals = refusals_of::<Value>(prost_types::value::Kind::ListValue(list).into(), "v");

    assert_eq!(refusals, ["v[1].deep: NaN is not a number that can be kept: finite ones allowed"]);
}

#[test]
fn numbers_too_large_for_their_field_are_refused_with_the_range() {
    let wire = v1::ExecutionSpec {
        priority: Some(70_000),
        max_failures: Some(0),
        max_infrastructure_failures: Some(1001),
        max_crashes: Some(u32::MAX),
        ..Default::default()
    };

    assert_eq!(
        refusals_of::<ExecutionSpec>(wire, "execution"),
        [
            "execution.priority: 70000 is out of range: 0 to 100 allowed",
            "execution.max_failures: 0 is out of range: 1 to 100 allowed",
            "execution.max_infrastructure_failures: 1001 is out of range: 1 to 1000 allowed",
            "execution.max_crashes: 4294967295 is out of range: 1 to 100 allowed",
        ]
    );
}

#[test]
fn experiment_numbers_that_are_not_finite_are_refused() {
    let mut wire = documents::experiment().training.to_wire();
    (wire.weight_decay, wire.gradient_clip_norm) = (Some(f64::NEG_INFINITY), Some(f64::NAN));
    let kind = v1::optimiser_spec::Kind::Rmsprop(v1::RmsPropSpec {
        learning_rate: f64::INFINITY,
        alpha: Some(f64::NAN),
        epsilon: Some(f64::NAN),
    });
    wire.optimiser = Some(v1::OptimiserSpec { kind: Some(kind) });

    let why = "is not a number that can be kept: finite ones allowed";
    assert_eq!(
        refusals_of::<TrainingSpec>(wire, "t"),
        [
            format!("t.optimiser.rmsprop.learning_rate: inf {why}"),
            format!("t.optimiser.rmsprop.alpha: NaN {why}"),
            format!("t.optimiser.rmsprop.epsilon: NaN {why}"),
            format!("t.weight_decay: -inf {why}"),
            format!("t.gradient_clip_norm: NaN {why}"),
        ]
    );
}

#[test]
fn unknown_scores_are_refused() {
    let (out, scores) = (vec!["mnist".to_owned()], vec!["dose".to_owned(), "luck".to_owned()]);
    let wire = v1::EvaluationSpec { out, scores, ..Default::default() };

    let refusals = refusals_of::<EvaluationSpec>(wire, "e");

    assert_eq!(refusals.len(), 1);
    assert!(refusals[0].starts_with("e.scores[1]: unknown score `luck`: one of log-likelihood, "), "{refusals:?}");
}

#[test]
fn identifiers_that_name_nothing_are_refused() {
    assert_eq!(refusals_of::<JobId>(0, "job_id"), [format!("job_id: 0 is out of range: 1 to {} allowed", i64::MAX)]);
    assert_eq!(refusals_of::<Epoch>(-1, "epoch"), [format!("epoch: -1 is out of range: 0 to {} allowed", i32::MAX)]);
    assert_eq!(refusals_of::<Attempt>(v1::Attempt { job_id: -5, epoch: -1 }, "attempt").len(), 2);
    assert_eq!(refusals_of::<SessionId>(String::new(), "session_id"), ["session_id: missing: a uuid expected"]);
    let nil = "00000000-0000-0000-0000-000000000000";
    for text in ["x\0y", nil] {
        let named = format!("session_id: `{}` is not a uuid that names anything", text.escape_default());
        assert_eq!(refusals_of::<SessionId>(text.to_owned(), "session_id"), [named]);
    }
    assert_eq!(
        refusals_of::<Digest>(vec![0; 31], "digest"),
        ["digest: 31 bytes: the 32 bytes of a SHA-256 digest expected"]
    );
    assert!(convert::seed_from_wire(i64::MAX.unsigned_abs() + 1, "seed").is_err());
    assert_eq!(convert::seed_from_wire(i64::MAX.unsigned_abs(), "seed").unwrap(), i64::MAX.unsigned_abs());
}

#[test]
fn times_out_of_range_are_refused() {
    let wire = prost_types::Timestamp { seconds: i64::MAX, nanos: -1 };

    let refusals = refusals_of::<Timestamp>(wire, "created_at");

    assert_eq!(refusals.len(), 2);
    assert!(refusals[0].starts_with("created_at.nanos: -1 is out of range"), "{refusals:?}");
    assert!(refusals[1].starts_with("created_at.seconds: "), "{refusals:?}");
}
