//! Everything that supervisor and child say to each other is read back as it was said.

mod support;

use domain::{
    Digest,
    figure::MediaType,
    fleet::DeviceKind,
    job::FailureKind,
    report::{CheckpointRef, CurvePoint, Failure, Interval, Measurement, Metric, Provenance, Split, StatisticsRef},
    spec::{DatasetName, ScoreName},
};
use support::documents::{attempt, evaluate, inspect, train};
use worker::{
    ArtifactFile, Command, DrawnFigure, Message, Order, Outcome, Resources, StatisticsFile, TrainedFlow, decode, encode,
};

fn file() -> ArtifactFile {
    ArtifactFile { path: "a folder/with \"quotes\"\n.safetensors".into(), digest: Digest::of(b"bytes") }
}

fn provenance() -> Provenance {
    Provenance {
        worker_version: "0.1.0".to_owned(),
        device: "cpu".to_owned(),
        threads: 2,
        precision: "float32".to_owned(),
        noise_draws: 1,
    }
}

fn statistics() -> StatisticsFile {
    let reference = StatisticsRef {
        dataset: DatasetName::SyntheticStrokes.into(),
        split: Split::Train,
        images: 1,
        noise_draws: 2,
        digest: Digest::of(b"rows"),
    };
    StatisticsFile { path: "rows".into(), reference }
}

#[test]
fn messages_come_back_as_they_were() {
    let checkpoint = CheckpointRef { digest: Digest::of(b"weights"), step: u64::MAX };
    let measurement = Measurement {
        score: ScoreName::LogLikelihood,
        metric: Metric::Auroc,
        dataset: Some(DatasetName::SyntheticStrokes.into()),
        value: Some(0.1 + 0.2),
        interval: Some(Interval { low: 1e-300, high: 0.5, method: "delong".to_owned() }),
        n_in: 10_000,
        n_out: 1,
    };
    let messages = [
        Message::Progress { done: 3, total: 10, images_per_second: 1.0 / 3.0, bits_per_dim: None },
        Message::Progress { done: 0, total: 0, images_per_second: 0.0, bits_per_dim: Some(-2.5) },
        Message::Curve(CurvePoint { step: 7, loss_nats: 2000.1, bits_per_dim: 3.7, gradient_norm: 1e300 }),
        Message::Checkpoint(TrainedFlow { file: file(), step: 5 }),
        Message::StartedOver { problem: "format 2 is not readable".to_owned() },
        Message::Restarted { problem: "∞".to_owned(), to_step: 500, restarts: 1, learning_rate_factor: 0.1 },
        Message::Ended(Outcome::Trained { checkpoint, statistics: vec![statistics()], provenance: provenance() }),
        Message::Ended(Outcome::Evaluated {
            measurements: vec![measurement],
            statistics: statistics(),
            learned: Vec::new(),
            provenance: provenance(),
        }),
        Message::Ended(Outcome::Inspected {
            figures: vec![DrawnFigure {
                file: file(),
                name: "contact-sheet.png".parse().unwrap(),
                caption: "every figure".to_owned(),
                media_type: MediaType::Png,
                width: 640,
                height: 480,
            }],
            provenance: provenance(),
        }),
        Message::Ended(Outcome::Stopped),
        Message::Ended(Outcome::Failed(Failure { kind: FailureKind::Own, message: "two\nlines".to_owned() })),
    ];
    for message in messages {
        let line = encode(&message);

        assert_eq!(line.matches('\n').count(), 1, "{line:?}");
        assert_eq!(decode::<Message>(line.trim_end()).unwrap(), message);
    }
}

#[test]
fn orders_and_commands_come_back_as_they_were() {
    let checkpoint = CheckpointRef { digest: Digest::of(b"weights"), step: 5 };
    let resources =
        Resources { device: DeviceKind::Cuda, cuda_library: Some("lib.so".into()), threads: 3, data: "data".into() };
    for assignment in [
        train(attempt(1, 2), 20, vec![checkpoint]),
        evaluate(attempt(3, 0), 20, checkpoint),
        inspect(attempt(4, 0), 20, checkpoint),
    ] {
        let order = Order {
            assignment,
            resources: resources.clone(),
            checkpoint: Some(file()),
            initial_weights: Some(file()),
            learned: vec![file()],
            evaluated: Vec::new(),
            folder: "folder".into(),
        };

        assert_eq!(decode::<Order>(encode(&order).trim_end()).unwrap(), order);
    }
    let command = Command::StopAfterCheckpoint;
    assert_eq!(decode::<Command>(encode(&command).trim_end()).unwrap(), command);
}

#[test]
fn chatter_is_refused_and_quoted_in_part() {
    let chatter = "é".repeat(10_000);

    let refusal = decode::<Message>(&chatter).unwrap_err().to_string();

    assert!(refusal.contains("not of the line protocol") && refusal.len() < 1000, "{refusal}");
}
