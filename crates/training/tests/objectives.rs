//! Objectives, decay, schedules and accumulation in whole runs.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod experiment;

use datasets::DataDirectory;
use domain::report::Metric;
use domain::spec::{Dataset, DatasetName, ExperimentSpec, parse_document};
use experiment::{Laboratory, data};
use serde_json::{Value, json};
use training::{
    CheckpointFile, Device, Directive, EvaluateOutcome, EvaluateRequest, FitEnd, Recorder, SavedCheckpoint, evaluate,
};

/// A tiny experiment without batch normalisation, whose evaluation is that of its training, with some training fields
/// changed.
fn spec(steps: u32, changes: &Value) -> ExperimentSpec {
    let resnet = json!({"width": 4, "blocks": 1, "batch_norm": false});
    let mut document = json!({
        "model": {"realnvp": {"mask": "checkerboard", "scales": 1, "couplings": 4, "st_network": {"resnet": resnet}}},
        "data": {"dataset": "synthetic-shapes", "train_images": 40},
        "training": {"steps": steps, "batch_size": 12, "optimiser": {"adam": {"learning_rate": 2e-3}}},
        "evaluation": {"out": ["synthetic-strokes"], "images": 30},
    });
    document["training"].as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let spec: ExperimentSpec = parse_document(&document, "base").unwrap();
    spec.validate("base").unwrap();
    spec
}

/// Negative training against 25 drawings.
fn negative() -> Value {
    json!({"negative": {"out": "synthetic-strokes", "out_images": 25, "out_batch_size": 8}})
}

/// Bits per dimension of the in- and the out-of-distribution test images.
fn evaluated(spec: &ExperimentSpec, laboratory: &Laboratory, checkpoint: &SavedCheckpoint) -> [f64; 2] {
    let data: DataDirectory = data();
    let request = EvaluateRequest {
        spec,
        seed: 5,
        checkpoint: CheckpointFile::from(&checkpoint.file),
        out: DatasetName::SyntheticStrokes.into(),
        learned: &[],
        device: Device::Cpu,
        data: &data,
        batch_size: 30,
        folder: laboratory.path().to_owned(),
    };
    let EvaluateOutcome::Finished(evaluation) = evaluate(&request, &mut Recorder::default()).unwrap() else {
        panic!("nobody stopped it")
    };
    [DatasetName::SyntheticShapes, DatasetName::SyntheticStrokes].map(|dataset| {
        let of = |m: &&domain::report::Measurement| {
            m.metric == Metric::BitsPerDimMean && m.dataset == Some(Dataset::from(dataset))
        };
        evaluation.measurements.iter().find(of).unwrap().value.unwrap()
    })
}

#[test]
fn negative_training_makes_its_own_images_likelier_and_the_others_unlikely() {
    let laboratory = Laboratory::new();
    let mut objective = negative();
    objective["negative"]["threshold_nats"] = json!(-12_000);
    let spec = spec(150, &json!({"objective": objective}));
    let (outcome, told) = laboratory.fit(&spec, None, Recorder::default().at(2, Directive::Checkpoint)).unwrap();

    let early = evaluated(&spec, &laboratory, &told.checkpoints()[0]);
    let late = evaluated(&spec, &laboratory, &outcome.checkpoint.unwrap());

    assert!(late[0] < early[0] - 0.1, "in-distribution bits per dimension: {early:?}, then {late:?}");
    assert!(late[1] > early[1] + 0.5, "out-of-distribution bits per dimension: {early:?}, then {late:?}");
    // The curve is that of the in-distribution images.
    let curve = told.curve();
    assert!(curve.last().unwrap().loss_nats < curve[0].loss_nats, "{curve:?}");
}

#[test]
fn negative_training_below_the_threshold_is_maximum_likelihood() {
    let mut low = negative();
    low["negative"]["threshold_nats"] = json!(-1.0);
    let maximum_likelihood = Laboratory::new().fit(&spec(10, &json!({})), None, Recorder::default()).unwrap().1.curve();

    let curve =
        Laboratory::new().fit(&spec(10, &json!({"objective": low})), None, Recorder::default()).unwrap().1.curve();

    assert_eq!(curve.len(), 1);
    assert!((curve[0].loss_nats / maximum_likelihood[0].loss_nats - 1.0).abs() < 1e-5, "{curve:?}");
}

#[test]
fn accumulation_changes_nothing_but_rounding() {
    let curve = |accumulate: u32| {
        let spec = spec(20, &json!({"accumulate": accumulate}));
        Laboratory::new().fit(&spec, None, Recorder::default()).unwrap().1.curve()
    };

    let (whole, parts) = (curve(1), curve(4));

    assert_eq!(whole.len(), 2);
    for (whole, parts) in whole.iter().zip(&parts) {
        assert!((parts.loss_nats / whole.loss_nats - 1.0).abs() < 1e-4, "{parts:?}, not {whole:?}");
        assert!((parts.gradient_norm / whole.gradient_norm - 1.0).abs() < 1e-3, "{parts:?}, not {whole:?}");
    }
}

#[test]
fn every_option_resumes_in_the_same_bits() {
    let options = [
        json!({"objective": negative(), "accumulate": 3, "decay": "all", "weight_decay": 0.01,
               "optimiser": {"adamw": {"learning_rate": 1e-3}},
               "schedule": {"warm-up-cosine": {"warm_up_steps": 6, "final_fraction": 0.1}}}),
        json!({"optimiser": {"rmsprop": {"learning_rate": 1e-4}}, "accumulate": 5,
               "schedule": {"flows-ood-anneal": {"steps_per_epoch": 2}}}),
        json!({"objective": negative(), "schedule": {"flows-ood-anneal": {}},
               "on_divergence": {"restart": {"checkpoint_steps": 3}}}),
    ];
    for changes in options {
        let spec = spec(17, &changes);
        let (whole, whole_told) = Laboratory::new().fit(&spec, None, Recorder::default()).unwrap();

        let disturbed = Laboratory::new();
        let stopping = Recorder::default().at(10, Directive::StopAfterCheckpoint);
        let (first, first_told) = disturbed.fit(&spec, None, stopping).unwrap();
        let (second, second_told) = disturbed.fit(&spec, first.checkpoint.as_ref(), Recorder::default()).unwrap();

        assert_eq!((first.end, first.steps, second.end), (FitEnd::Stopped, 10, FitEnd::Finished));
        assert_eq!(second.checkpoint.unwrap().file.digest, whole.checkpoint.unwrap().file.digest, "{changes}");
        assert_eq!([first_told.curve(), second_told.curve()].concat(), whole_told.curve(), "{changes}");
    }
}

#[test]
fn every_option_changes_the_result() {
    let options = [
        json!({}),
        json!({"objective": negative()}),
        json!({"decay": "all"}),
        json!({"optimiser": {"adamw": {"learning_rate": 2e-3}}}),
        json!({"schedule": {"flows-ood-anneal": {}}}),
        json!({"schedule": {"warm-up-cosine": {"warm_up_steps": 2}}}),
        json!({"accumulate": 2}),
    ];

    let curves: Vec<_> = options
        .iter()
        .map(|changes| {
            let mut changes = changes.clone();
            changes["weight_decay"] = json!(0.1);
            let told = Laboratory::new().fit(&spec(12, &changes), None, Recorder::default()).unwrap().1;
            told.curve().iter().map(|point| (point.loss_nats, point.gradient_norm)).collect::<Vec<_>>()
        })
        .collect();

    for (index, curve) in curves.iter().enumerate() {
        assert!(!curves[..index].contains(curve), "{}", options[index]);
    }
}
