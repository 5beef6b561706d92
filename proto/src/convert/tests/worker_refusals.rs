//! What workers and coordinators tell each other is refused when it cannot be true or cannot be kept.

use domain::{
    fleet::Offer,
    lease::LeaseTerms,
    report::{Assignment, Completion, CurvePoint, Failure, Measurement, Progress, Provenance, Task},
};

use super::{documents, refusals_of};
use crate::{
    convert::{self, FromWire, ToWire},
    v1,
};

#[test]
fn leases_that_would_always_run_out_are_refused() {
    let wire = v1::LeaseTerms { ttl_millis: 1000, beat_millis: 1000, grace_millis: 0 };
    assert_eq!(refusals_of::<LeaseTerms>(wire, "lease"), ["lease.beat_millis: 1000 is out of range: 1 to 999 allowed"]);

    let endless = v1::LeaseTerms { ttl_millis: u64::MAX, beat_millis: 1, grace_millis: u64::MAX };
    assert_eq!(refusals_of::<LeaseTerms>(endless, "lease").len(), 2);
}

#[test]
fn assignments_name_every_field_that_is_wrong() {
    let out = domain::spec::DatasetName::Mnist.into();
    let task = Task::Evaluate { checkpoint: documents::checkpoint(), out, learned: Vec::new() };
    let mut wire = documents::assignment(task).to_wire();
    wire.attempt = None;
    wire.sweep_id = "masks".to_owned();
    wire.experiment_id = 0;
    wire.seed = u64::MAX;
    let bad = v1::StatisticsRef { images: 1, noise_draws: 1, ..Default::default() };
    wire.task = Some(v1::assignment::Task::Evaluate(v1::EvaluateTask { learned: vec![bad], ..Default::default() }));

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
            "assignment.evaluate.learned[0].dataset",
            "assignment.evaluate.learned[0].split",
            "assignment.evaluate.learned[0].digest",
        ]
    );
    wire.task = None;
    assert!(
        refusals_of::<Assignment>(wire, "a")
            .contains(&"a: missing: one of train, evaluate, inspect, score expected".to_owned())
    );
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
    let wire = v1::Offer { device: "any".to_owned(), memory_bytes: u64::MAX, ..v1::Offer::default() };

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
            "m.metric: unknown metric `mood`: one of auroc, aupr-out, aupr-in, ap-out, ap-in, fpr-in-at-95-out, fpr-out-at-95-in, detection-error, detection-error-at-95-in, bits-per-dim-mean, bits-per-dim-median, bits-per-dim-trimmed, outliers, non-finite expected",
            "m.value: NaN is not a number that can be kept: finite ones allowed",
        ]
    );
}

#[test]
fn the_same_measurement_twice_is_refused() {
    let mut measurements = documents::measurements();
    measurements.push(measurements[1].clone());
    let completion = Completion::Evaluate {
        measurements,
        statistics: documents::outside(),
        learned: Vec::new(),
        provenance: documents::provenance(),
    };

    let refusals = refusals_of::<Completion>(completion.to_wire(), "");

    assert_eq!(refusals, ["evaluate.measurements[14]: `log-likelihood` and `aupr-out` of one dataset stand twice"]);
}

#[test]
fn completions_without_their_parts_are_refused() {
    let train = v1::complete_request::Result::Train(v1::TrainResult::default());
    assert_eq!(refusals_of::<Completion>(Some(train), ""), ["train.checkpoint: missing", "train.provenance: missing"]);

    let evaluate = v1::complete_request::Result::Evaluate(v1::EvaluateResult::default());
    assert_eq!(
        refusals_of::<Completion>(Some(evaluate), ""),
        ["evaluate.provenance: missing", "evaluate.statistics: missing"]
    );

    let inspect = v1::complete_request::Result::Inspect(v1::InspectResult::default());
    assert_eq!(
        refusals_of::<Completion>(Some(inspect), ""),
        ["inspect.figures: 0 figures: 1 to 1024 allowed", "inspect.provenance: missing"]
    );
    assert_eq!(
        refusals_of::<Completion>(None, ""),
        ["result: missing: one of train, evaluate, inspect, score expected"]
    );
}

#[test]
fn statistics_of_one_split_stand_once_and_hold_something() {
    let mut wire = v1::TrainResult { statistics: documents::statistics().to_wire(), ..Default::default() };
    wire.statistics.push(wire.statistics[0].clone());
    let train = v1::complete_request::Result::Train(wire.clone());
    let twice = refusals_of::<Completion>(Some(train), "");
    wire.statistics.truncate(1);
    wire.statistics[0] = v1::StatisticsRef { images: 0, split: "all".to_owned(), ..wire.statistics[0].clone() };
    let train = v1::complete_request::Result::Train(wire.clone());
    let nothing = refusals_of::<Completion>(Some(train), "");
    wire.statistics = vec![wire.statistics[0].clone(); 17];
    let many = refusals_of::<Completion>(Some(v1::complete_request::Result::Train(wire)), "");
    let evaluate = v1::EvaluateResult {
        statistics: Some(documents::statistics()[1].to_wire()),
        learned: documents::statistics().to_wire(),
        ..Default::default()
    };
    let same = refusals_of::<Completion>(Some(v1::complete_request::Result::Evaluate(evaluate)), "");

    assert_eq!(twice[2], "train.statistics[2]: `fashion-mnist`, train split, stands twice");
    assert_eq!(
        nothing[2..],
        [
            "train.statistics[0].split: unknown split `all`: one of train, test expected".to_owned(),
            format!("train.statistics[0].images: 0 is out of range: 1 to {} allowed", i64::MAX),
        ]
    );
    assert_eq!(many[2], "train.statistics: 17 items: at most 16 allowed");
    assert_eq!(same[1], "evaluate.learned: `fashion-mnist`, test split, is the OOD side, which `statistics` has");
}

#[test]
fn figures_are_refused_by_name_format_and_size() {
    let mut figures = documents::figures();
    figures.push(figures[0].clone());
    let completion = Completion::Inspect { figures, provenance: documents::provenance() };
    let wire = v1::Figure {
        name: "../../.bashrc".to_owned(),
        media_type: "text/html".to_owned(),
        width: 0,
        height: 100_001,
        ..documents::figures()[0].to_wire()
    };

    assert_eq!(
        refusals_of::<Completion>(completion.to_wire(), ""),
        ["inspect.figures[2].name: `contact-sheet.png` stands twice"]
    );
    assert_eq!(
        refusals_of::<domain::figure::Figure>(wire, "f"),
        [
            "f.name: `../../.bashrc` is not a figure's name: up to 100 lower-case letters, digits and `-`, then `.png`, expected",
            "f.media_type: unknown media type `text/html`: one of image/png expected",
            "f.width: 0 is out of range: 1 to 100000 allowed",
            "f.height: 100001 is out of range: 1 to 100000 allowed",
        ]
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
