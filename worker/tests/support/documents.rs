//! Jobs small enough for a test.

use domain::{
    Epoch, ExperimentId, JobId, SweepId,
    report::{Assignment, Attempt, CheckpointRef, StatisticsRef, Task},
    spec::{DatasetName, ExperimentSpec},
};
use serde_json::json;
use uuid::Uuid;

/// Steps of a job that no test waits to finish.
pub const ENDLESS: u64 = 1_000_000;

/// A flow of two coupling layers over a few images.
pub fn spec(dataset: &str, steps: u64) -> ExperimentSpec {
    let document = json!({
        "model": { "realnvp": {
            "mask": "horizontal",
            "couplings": 2,
            "st_network": { "resnet": { "width": 2, "blocks": 1 } },
        } },
        "data": { "dataset": dataset, "train_images": 32 },
        "training": { "steps": steps, "batch_size": 8, "optimiser": { "adam": { "learning_rate": 1e-3 } } },
        "evaluation": { "out": ["synthetic-strokes"], "images": 32 },
    });
    let spec: ExperimentSpec = serde_json::from_value(document).unwrap();
    assert_eq!(spec.validate("spec"), Ok(()));
    spec
}

pub fn attempt(job: i64, epoch: i32) -> Attempt {
    Attempt { job: JobId(job), epoch: Epoch(epoch) }
}

fn assignment(attempt: Attempt, spec: ExperimentSpec, task: Task) -> Assignment {
    Assignment { attempt, sweep: SweepId(Uuid::from_u128(1)), experiment: ExperimentId(1), spec, seed: 7, task }
}

pub fn train(attempt: Attempt, steps: u64, resume: Vec<CheckpointRef>) -> Assignment {
    assignment(attempt, spec("synthetic-shapes", steps), Task::Train { resume, checkpoint_secs: 3600 })
}

/// Leaves a checkpoint every second.
pub fn train_with_checkpoints(attempt: Attempt) -> Assignment {
    assignment(attempt, spec("synthetic-shapes", ENDLESS), Task::Train { resume: Vec::new(), checkpoint_secs: 1 })
}

pub fn train_on(attempt: Attempt, dataset: &str) -> Assignment {
    assignment(attempt, spec(dataset, 10), Task::Train { resume: Vec::new(), checkpoint_secs: 3600 })
}

/// Pictures of two images of each side, and four samples.
pub fn inspect(attempt: Attempt, steps: u64, checkpoint: CheckpointRef) -> Assignment {
    let inspection = json!({ "images": [0, 2], "draws": 2, "samples": 4 });
    let spec =
        ExperimentSpec { inspection: serde_json::from_value(inspection).ok(), ..spec("synthetic-shapes", steps) };
    assert_eq!(spec.validate("spec"), Ok(()));
    assignment(attempt, spec, Task::Inspect { checkpoint })
}

/// A training whose pictures [`inspect`] draws.
pub fn train_for_pictures(attempt: Attempt, steps: u64) -> Assignment {
    let checkpoint = CheckpointRef { digest: domain::Digest::of(b""), step: 0 };
    let task = Task::Train { resume: Vec::new(), checkpoint_secs: 3600 };
    Assignment { task, ..inspect(attempt, steps, checkpoint) }
}

pub fn evaluate(attempt: Attempt, steps: u64, checkpoint: CheckpointRef) -> Assignment {
    evaluate_with(attempt, steps, checkpoint, Vec::new())
}

/// An evaluation that is given what training recorded.
pub fn evaluate_with(
    attempt: Attempt,
    steps: u64,
    checkpoint: CheckpointRef,
    learned: Vec<StatisticsRef>,
) -> Assignment {
    let task = Task::Evaluate { checkpoint, out: DatasetName::SyntheticStrokes.into(), learned };
    assignment(attempt, spec("synthetic-shapes", steps), task)
}
