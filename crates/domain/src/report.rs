//! What workers are given and what they report.

mod metric;
mod statistics;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Digest, Epoch, ExperimentId, JobId, SweepId,
    figure::Figure,
    job::FailureKind,
    spec::{Dataset, ExperimentSpec, ScoreName},
};

pub use metric::{Metric, UnknownMetric};
pub use statistics::{MAX_STATISTICS, Split, StatisticsRef, UnknownSplit};

/// An attempt: a job and the fencing token under which it runs. Every write of a worker carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Attempt {
    /// The job.
    pub job: JobId,
    /// Its epoch at the claim.
    pub epoch: Epoch,
}

/// A claimed job, with everything that a worker needs to run it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// The attempt.
    pub attempt: Attempt,
    /// The sweep it belongs to.
    pub sweep: SweepId,
    /// The experiment it belongs to.
    pub experiment: ExperimentId,
    /// The document.
    pub spec: ExperimentSpec,
    /// The seed.
    pub seed: u64,
    /// What to do.
    pub task: Task,
}

/// The work of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Train the experiment.
    Train {
        /// Checkpoints of earlier attempts, newest first: continue from the first one that verifies.
        resume: Vec<CheckpointRef>,
        /// Seconds of training between two checkpoints.
        checkpoint_secs: u32,
    },
    /// Evaluate the trained experiment against one OOD dataset.
    Evaluate {
        /// The trained flow.
        checkpoint: CheckpointRef,
        /// The OOD dataset.
        out: Dataset,
        /// What training recorded of the dataset that the flow learned, each in the artifact store; empty when the result
        /// has none, and the evaluation records that side too.
        learned: Vec<StatisticsRef>,
    },
    /// Draw what the trained experiment learned, as its document's `inspection` says.
    Inspect {
        /// The trained flow.
        checkpoint: CheckpointRef,
    },
    /// Compute scores of what was evaluated: from stored statistics, or with the flow.
    Score {
        /// The scores.
        scores: Vec<ScoreName>,
        /// The OOD dataset.
        out: Dataset,
        /// What evaluations stored, of this experiment first; of the other seeds of its variant, too, for scores over seeds.
        evaluated: Vec<Evaluated>,
        /// The trained flow, for scores that run it.
        checkpoint: Option<CheckpointRef>,
    },
}

/// What the evaluation of one experiment against one OOD dataset stored: artifacts with per-image statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluated {
    /// The experiment's seed.
    pub seed: u64,
    /// Of the train split of the learned dataset, to which some scores are fitted.
    pub reference: Option<Digest>,
    /// Of the test split of the learned dataset.
    pub inside: Digest,
    /// Of the test split of the OOD dataset.
    pub outside: Digest,
}

/// A checkpoint in the artifact store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRef {
    /// The artifact.
    pub digest: Digest,
    /// Optimiser steps done.
    pub step: u64,
}

/// How far a running attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The attempt.
    pub attempt: Attempt,
    /// Steps (training) or images (evaluation, inspection) done.
    pub done: u64,
    /// Steps or images in all.
    pub total: u64,
    /// Images per second, lately.
    pub images_per_second: f64,
    /// Running mean of the training loss in bits per dimension; absent outside training and before its first step.
    pub bits_per_dim: Option<f64>,
}

/// One point of a training curve: means over the steps since the last point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Steps done.
    pub step: u64,
    /// Mean negative log-likelihood of the in-distribution batches, in nats per image, whatever the objective.
    pub loss_nats: f64,
    /// The same in bits per dimension.
    pub bits_per_dim: f64,
    /// Mean global gradient norm before clipping.
    pub gradient_norm: f64,
}

/// A line of an attempt's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Place in the log, from 1.
    pub line: u32,
    /// How long ago it was heard, when it is sent.
    pub age: Duration,
    /// What it says.
    pub text: String,
}

impl LogLine {
    /// Most lines of one attempt.
    pub const MAX_LINES: u32 = 4096;
    /// Longest line that is kept, in bytes.
    pub const MAX_BYTES: usize = 2048;
}

/// What the held-out examples said of the flow after so many steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ValidationPoint {
    /// Steps done.
    pub step: u64,
    /// Mean bits per dimension of the held-out examples in evaluation mode; absent when a likelihood is not finite.
    pub bits_per_dim: Option<f64>,
    /// AUROC of those examples against examples of another dataset; absent when there is none, or when a likelihood is
    /// not a number.
    pub auroc: Option<f64>,
}

/// A number that an evaluation yields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The score it rests on.
    pub score: ScoreName,
    /// What was measured.
    pub metric: Metric,
    /// The dataset measured; absent when the number compares both sides.
    pub dataset: Option<Dataset>,
    /// The number; absent when it cannot be computed (an infinite mean, say).
    pub value: Option<f64>,
    /// Its confidence interval.
    pub interval: Option<Interval>,
    /// In-distribution images (groups of images, for a score of groups) it rests on; 0 when it is about the other side.
    pub n_in: u64,
    /// Out-of-distribution images or groups it rests on; 0 when it is about the other side.
    pub n_out: u64,
}

/// A 95 % confidence interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How it was computed, such as `delong`.
    pub method: String,
}

/// What an attempt that succeeded yields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Completion {
    /// A trained flow.
    Train {
        /// The final checkpoint, already in the artifact store.
        checkpoint: CheckpointRef,
        /// What the flow makes of the dataset that it learned, already in the artifact store: of examples that it learned
        /// from, and of the test split.
        statistics: Vec<StatisticsRef>,
        /// How the numbers were computed.
        provenance: Provenance,
    },
    /// Numbers.
    Evaluate {
        /// The numbers.
        measurements: Vec<Measurement>,
        /// What the flow makes of the OOD side, already in the artifact store.
        statistics: StatisticsRef,
        /// As much of the learned dataset, where the trained experiment had no statistics of it.
        learned: Vec<StatisticsRef>,
        /// How the numbers were computed.
        provenance: Provenance,
    },
    /// Pictures.
    Inspect {
        /// The pictures, each already in the artifact store, in the order in which they are shown.
        figures: Vec<Figure>,
        /// How what they show was computed.
        provenance: Provenance,
    },
    /// Numbers of scores that were computed after the evaluation.
    Score {
        /// The numbers.
        measurements: Vec<Measurement>,
        /// Per-image scores of both sides, already in the artifact store.
        scores: Digest,
        /// How the numbers were computed.
        provenance: Provenance,
    },
}

/// How an attempt computed its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of the worker.
    pub worker_version: String,
    /// The device, such as `cpu` or `cuda`.
    pub device: String,
    /// Threads of the tensor library.
    pub threads: u32,
    /// Arithmetic of the flow, such as `float32`.
    pub precision: String,
    /// Dequantisation draws per image.
    pub noise_draws: u32,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Whose fault it is, which decides the budget that pays.
    pub kind: FailureKind,
    /// What happened, for people.
    pub message: String,
}
