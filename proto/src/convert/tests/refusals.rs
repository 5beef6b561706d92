//! What breaks a rule is refused, by the path of its field and with what is allowed.

use domain::{
    Digest, Epoch, JobId, SessionId, Timestamp,
    fleet::Offer,
    job::FailureKind,
    lease::{Directive, LeaseTerms},
    report::{Assignment, Attempt, Completion, CurvePoint, Failure, Measurement, Progress, Provenance, Task},
    spec::{EvaluationSpec, ExperimentSpec, MaskScheme, ModelSpec, OptimiserSpec, StNetworkSpec, TrainingSpec},
    sweep::{ExecutionSpec, Expansion, SweepSpec, Variant},
};
use serde_json::Value;

use super::{documents, refusals_of};
use crate::{
    convert::{self, FromWire, ToWire},
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
    assert_eq!(refusals_of::<ModelSpec>(v1::ModelSpec::default(), "m"), ["m: missing: realnvp expected"]);
    assert_eq!(refusals_of::<StNetworkSpec>(v1::StNetworkSpec::default(), "s"), ["s: missing: resnet expected"]);
    assert_eq!(
        refusals_of::<OptimiserSpec>(v1::OptimiserSpec::default(), "o"),
        ["o: missing: one of adam, rmsprop expected"]
    );
    assert_eq!(
        refusals_of::<Expansion>(v1::Expansion::default(), "expansion"),
        ["expansion: missing: one of grid, list, random expected"]
    );
    assert_eq!(
        refusals_of::<Directive>(v1::Directive::default(), "directives[2]"),
        ["directives[2]: missing: one of abandon, drain, session_lost expected"]
    );
    assert_eq!(refusals_of::<Completion>(None, ""), ["result: missing: one of train, evaluate expected"]);
}

#[test]
fn unknown_and_unspecified_enum_numbers_list_what_is_allowed() {
    assert_eq!(
        refusals_of::<MaskScheme>(0, "mask"),
        ["mask: missing: one of checkerboard, horizontal, cycle expected"]
    );
    assert_eq!(
        refusals_of::<MaskScheme>(99, "mask"),
        ["mask: unknown mask scheme 99: one of checkerboard, horizontal, cycle expected"]
    );
    let known = "one of permanent, own, infrastructure, crash expected";
    assert_eq!(refusals_of::<FailureKind>(0, "kind"), [format!("kind: missing: {known}")]);
    assert_eq!(refusals_of::<FailureKind>(-1, "kind"), [format!("kind: unknown failure kind -1: {known}")]);
    assert_eq!(refusals_of::<Failure>((0, String::new()), ""), [format!("kind: missing: {known}")]);
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

    let known = "fashion-mnist, mnist, synthetic-shapes, synthetic-strokes, uniform-noise, constant";
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
    let wire = v1::EvaluationSpec { out: vec!["mnist".to_owned()], images: None, scores: vec!["luck".to_owned()] };

    assert_eq!(
        refusals_of::<EvaluationSpec>(wire, "e"),
        ["e.scores[0]: unknown score `luck`: one of log-likelihood expected"]
    );
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

#[test]
fn leases_that_would_always_run_out_are_refused() {
    let wire = v1::LeaseTerms { ttl_millis: 1000, beat_millis: 1000, grace_millis: 0 };
    assert_eq!(refusals_of::<LeaseTerms>(wire, "lease"), ["lease.beat_millis: 1000 is out of range: 1 to 999 allowed"]);

    let endless = v1::LeaseTerms { ttl_millis: u64::MAX, beat_millis: 1, grace_millis: u64::MAX };
    assert_eq!(refusals_of::<LeaseTerms>(endless, "lease").len(), 2);
}

#[test]
fn assignments_name_every_field_that_is_wrong() {
    let task = Task::Evaluate { checkpoint: documents::checkpoint(), out: domain::spec::DatasetName::Mnist };
    let mut wire = documents::assignment(task).to_wire();
    wire.attempt = None;
    wire.sweep_id = "masks".to_owned();
    wire.experiment_id = 0;
    wire.seed = u64::MAX;
    wire.task = Some(v1::assignment::Task::Evaluate(v1::EvaluateTask { checkpoint: None, out_dataset: String::new() }));

    let refusals = refusals_of::<Assignment>(wire.clone(), "assignment");

    let paths: Vec<&str> = refusals.iter().map(|refusal| refusal.split(": ").next().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "assignment.attempt",
            "assignment.sweep_id",
            "assignment.experiment_id",
            "assignment.seed",
            "assignment.evaluate.checkpoint",
            "assignment.evaluate.out_dataset",
        ]
    );
    wire.task = None;
    assert!(refusals_of::<Assignment>(wire, "a").contains(&"a: missing: one of train, evaluate expected".to_owned()));
}

#[test]
fn checkpoints_to_resume_from_are_named_by_their_index() {
    let bad = v1::CheckpointRef { digest: vec![1], step: u64::MAX };
    let wire = v1::assignment::Task::Train(v1::TrainTask {
        resume: vec![documents::checkpoint().to_wire(), bad],
        checkpoint_secs: 30,
    });

    let refusals = refusals_of::<Task>(wire, "");

    assert!(refusals[0].starts_with("train.resume[1].digest: 1 bytes"), "{refusals:?}");
    assert!(refusals[1].starts_with("train.resume[1].step: "), "{refusals:?}");
}

#[test]
fn offers_of_unknown_devices_are_refused() {
    let wire = v1::Offer { device: "any".to_owned(), memory_bytes: u64::MAX };

    let refusals = refusals_of::<Offer>(wire, "offer");

    assert_eq!(refusals[0], "offer.device: unknown device `any`: one of cpu, cuda expected");
    assert!(refusals[1].starts_with("offer.memory_bytes: "), "{refusals:?}");
}

#[test]
fn progress_and_curves_with_nan_or_infinity_are_refused() {
    let progress = v1::Progress {
        attempt: Some(documents::attempt().to_wire()),
        done: 1,
        total: 2,
        images_per_second: f64::INFINITY,
        bits_per_dim: Some(f64::NAN),
    };
    let why = "is not a number that can be kept: finite ones allowed";
    assert_eq!(
        refusals_of::<Progress>(progress, "progress[0]"),
        [format!("progress[0].images_per_second: inf {why}"), format!("progress[0].bits_per_dim: NaN {why}"),]
    );

    let point =
        v1::CurvePoint { step: 0, loss_nats: f64::NAN, bits_per_dim: f64::NEG_INFINITY, gradient_norm: f64::INFINITY };
    assert_eq!(
        refusals_of::<CurvePoint>(point, "curve[3]"),
        [
            format!("curve[3].step: 0 is out of range: 1 to {} allowed", i64::MAX),
            format!("curve[3].loss_nats: NaN {why}"),
            format!("curve[3].bits_per_dim: -inf {why}"),
            format!("curve[3].gradient_norm: inf {why}"),
        ]
    );
}

#[test]
fn measurements_that_cannot_be_are_refused() {
    let wire = v1::Measurement {
        score: "luck".to_owned(),
        metric: "auroc".to_owned(),
        dataset: "cifar".to_owned(),
        value: Some(1.5),
        interval: Some(v1::Interval { low: 0.9, high: 0.1, method: "\0".to_owned() }),
        n_in: u64::MAX,
        n_out: 0,
    };

    let refusals = refusals_of::<Measurement>(wire, "m");

    let starts = [
        "m.score: unknown score",
        "m.dataset: unknown dataset",
        "m.interval.method: holds a NUL byte",
        "m.interval.low: 0.9 lies above",
        "m.n_in: ",
        "m.value: 1.5 is out of range for `auroc`",
    ];
    assert_eq!(refusals.len(), starts.len(), "{refusals:?}");
    for (refusal, start) in refusals.iter().zip(starts) {
        assert!(refusal.starts_with(start), "{refusal} does not start with {start}");
    }
}

#[test]
fn unknown_metrics_and_values_that_are_not_finite_are_refused() {
    let wire = v1::Measurement {
        score: "log-likelihood".to_owned(),
        metric: "mood".to_owned(),
        value: Some(f64::NAN),
        ..Default::default()
    };

    assert_eq!(
        refusals_of::<Measurement>(wire, "m"),
        [
            "m.metric: unknown metric `mood`: one of auroc, bits-per-dim-mean, bits-per-dim-median, outliers, non-finite expected",
            "m.value: NaN is not a number that can be kept: finite ones allowed",
        ]
    );
}

#[test]
fn the_same_measurement_twice_is_refused() {
    let mut measurements = documents::measurements();
    measurements.push(measurements[1].clone());
    let completion =
        Completion::Evaluate { measurements, statistics: Digest::of(b""), provenance: documents::provenance() };

    let refusals = refusals_of::<Completion>(completion.to_wire(), "");

    assert_eq!(
        refusals,
        ["evaluate.measurements[5]: `log-likelihood` and `bits-per-dim-mean` of one dataset stand twice"]
    );
}

#[test]
fn completions_without_their_parts_are_refused() {
    let train = v1::complete_request::Result::Train(v1::TrainResult::default());
    assert_eq!(refusals_of::<Completion>(Some(train), ""), ["train.checkpoint: missing", "train.provenance: missing"]);

    let evaluate = v1::complete_request::Result::Evaluate(v1::EvaluateResult::default());
    assert_eq!(
        refusals_of::<Completion>(Some(evaluate), ""),
        ["evaluate.statistics: 0 bytes: the 32 bytes of a SHA-256 digest expected", "evaluate.provenance: missing",]
    );
}

#[test]
fn provenance_must_say_how_the_numbers_were_computed() {
    let wire = v1::Provenance { device: "c\0pu".to_owned(), threads: u32::MAX, ..Default::default() };

    let refusals = refusals_of::<Provenance>(wire, "p");

    assert_eq!(
        refusals,
        [
            "p.worker_version: missing".to_owned(),
            "p.device: holds a NUL byte, which the database cannot store".to_owned(),
            "p.precision: missing".to_owned(),
            format!("p.threads: {} is out of range: 0 to {} allowed", u32::MAX, i32::MAX),
        ]
    );
}

#[test]
fn texts_are_bounded_and_free_of_nul_bytes() {
    assert_eq!(convert::worker_name_from_wire("w".repeat(200), "w").unwrap().len(), 200);
    let refusals = |refusal: domain::spec::Violations| refusal.to_string();
    assert_eq!(convert::worker_name_from_wire(String::new(), "w").map_err(refusals), Err("w: missing".to_owned()));
    assert_eq!(
        convert::worker_name_from_wire("ü".repeat(101), "w").map_err(refusals),
        Err("w: 202 bytes: 1 to 200 allowed".to_owned())
    );
    assert_eq!(
        convert::reason_from_wire("a\0".to_owned(), "reason").map_err(refusals),
        Err("reason: holds a NUL byte, which the database cannot store".to_owned())
    );
    assert_eq!(convert::reason_from_wire(String::new(), "reason").unwrap(), "");
    assert!(convert::reason_from_wire("a".repeat(4097), "reason").is_err());
    assert_eq!(convert::idempotency_key_from_wire(String::new(), "key").unwrap(), None);
    assert_eq!(convert::idempotency_key_from_wire("k".to_owned(), "key").unwrap(), Some("k".to_owned()));
    assert!(convert::idempotency_key_from_wire("k".repeat(201), "key").is_err());
}

#[test]
fn failure_messages_are_kept_as_far_as_they_fit() {
    let message = format!("a\0{}", "é".repeat(10_000));

    let failure = Failure::from_wire((v1::FailureKind::Own.into(), message), "").unwrap();

    assert!(failure.message.starts_with("a\u{fffd}é"));
    assert_eq!(failure.message.len(), 16 * 1024);
    // One byte more would cut an é in two.
    assert_eq!(convert::failure_message(&format!("x{}", "é".repeat(10_000))).len(), 16 * 1024 - 1);
}
