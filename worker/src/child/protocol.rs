//! The language between the supervisor and its child: one JSON document per line. The supervisor sends an [`Order`], then
//! [`Command`]s; the child sends [`Message`]s, the last of which is an [`Outcome`].

use std::path::PathBuf;

use domain::{
    Digest,
    figure::{Figure, FigureName, MediaType},
    fleet::DeviceKind,
    report::{Assignment, CheckpointRef, CurvePoint, Failure, Measurement, Provenance, StatisticsRef, ValidationPoint},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

/// Longest line that either side reads, in bytes.
pub const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// What to do and with what: the first line that a child reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The job.
    pub assignment: Assignment,
    /// What the child may use.
    pub resources: Resources,
    /// The checkpoint to continue, to evaluate or to inspect, on this machine's disk.
    pub checkpoint: Option<ArtifactFile>,
    /// The checkpoint whose weights a training begins with, on this machine's disk.
    #[serde(default)]
    pub initial_weights: Option<ArtifactFile>,
    /// What training recorded of the dataset that the flow learned, on this machine's disk.
    #[serde(default)]
    pub learned: Vec<ArtifactFile>,
    /// What evaluations stored of which scores are computed, on this machine's disk.
    #[serde(default)]
    pub evaluated: Vec<EvaluatedFiles>,
    /// An existing folder for what the child writes.
    pub folder: PathBuf,
}

/// What a child may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Where to compute.
    pub device: DeviceKind,
    /// The library that brings CUDA; the loader's search path when absent.
    pub cuda_library: Option<PathBuf>,
    /// Threads of the tensor library.
    pub threads: u16,
    /// The folder with one folder per dataset.
    pub data: PathBuf,
}

/// A file on this machine's disk, and the SHA-256 of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactFile {
    /// Where it lies.
    pub path: PathBuf,
    /// The artifact that its bytes are.
    pub digest: Digest,
}

/// What the supervisor says while the child runs. The end of the stream means that the supervisor is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Write a checkpoint, then stop.
    StopAfterCheckpoint,
}

/// What a child says while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// How far it is.
    Progress {
        /// Steps or images done.
        done: u64,
        /// Steps or images in all.
        total: u64,
        /// Images per second, lately.
        images_per_second: f64,
        /// Running mean of the training loss in bits per dimension.
        bits_per_dim: Option<f64>,
    },
    /// A point of the training curve.
    Curve(CurvePoint),
    /// A point of the validation curve.
    Validation(ValidationPoint),
    /// A checkpoint was written; the file is the supervisor's from now on.
    Checkpoint(TrainedFlow),
    /// Training began at step 0 although there was a checkpoint.
    StartedOver {
        /// What is wrong with the checkpoint.
        problem: String,
    },
    /// Training diverged and goes on from an earlier state.
    Restarted {
        /// How the divergence shows, and at which step.
        problem: String,
        /// The step that it goes back to.
        to_step: u64,
        /// Restarts of the experiment so far.
        restarts: u32,
        /// The factor of the learning rate from now on.
        learning_rate_factor: f64,
    },
    /// It is done, one way or another: the last message.
    Ended(Outcome),
}

/// A checkpoint on this machine's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainedFlow {
    /// The file.
    pub file: ArtifactFile,
    /// Optimiser steps done.
    pub step: u64,
}

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All steps are done; the checkpoint was the last one told of.
    Trained {
        /// The final checkpoint.
        checkpoint: CheckpointRef,
        /// What the flow makes of the dataset that it learned.
        statistics: Vec<StatisticsFile>,
        /// How the numbers were computed.
        provenance: Provenance,
    },
    /// All images are evaluated.
    Evaluated {
        /// The numbers.
        measurements: Vec<Measurement>,
        /// What the flow makes of the OOD side.
        statistics: StatisticsFile,
        /// As much of the learned dataset, where it was not given.
        learned: Vec<StatisticsFile>,
        /// How the numbers were computed.
        provenance: Provenance,
    },
    /// All pictures are drawn.
    Inspected {
        /// The pictures, on this machine's disk.
        figures: Vec<DrawnFigure>,
        /// How what they show was computed.
        provenance: Provenance,
    },
    /// All scores are computed.
    Scored {
        /// The numbers.
        measurements: Vec<Measurement>,
        /// The per-image scores, on this machine's disk.
        scores: ArtifactFile,
        /// How the numbers were computed.
        provenance: Provenance,
    },
    /// It stopped when it was told to; what it had was the last checkpoint told of.
    Stopped,
    /// It failed.
    Failed(Failure),
}

/// What a flow makes of each example of a dataset's split, on this machine's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatisticsFile {
    /// Where it lies.
    pub path: PathBuf,
    /// The statistics as the coordinator knows them.
    pub reference: StatisticsRef,
}

impl StatisticsFile {
    /// The file.
    #[must_use]
    pub fn file(&self) -> ArtifactFile {
        ArtifactFile { path: self.path.clone(), digest: self.reference.digest }
    }
}

/// What the evaluation of one flow stored, on this machine's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluatedFiles {
    /// Of the train split of the learned dataset.
    pub reference: Option<ArtifactFile>,
    /// Of the test split of the learned dataset.
    pub inside: ArtifactFile,
    /// Of the test split of the OOD dataset.
    pub outside: ArtifactFile,
}

/// A picture on this machine's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawnFigure {
    /// The file.
    pub file: ArtifactFile,
    /// Its name among the job's figures.
    pub name: FigureName,
    /// What it shows, for people.
    pub caption: String,
    /// The format of its bytes.
    pub media_type: MediaType,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl DrawnFigure {
    /// The picture as the coordinator knows it.
    #[must_use]
    pub fn reference(&self) -> Figure {
        let Self { file, name, caption, media_type, width, height } = self.clone();
        Figure { name, caption, digest: file.digest, media_type, width, height }
    }
}

impl TrainedFlow {
    /// The checkpoint as the coordinator knows it.
    #[must_use]
    pub fn reference(&self) -> CheckpointRef {
        CheckpointRef { digest: self.file.digest, step: self.step }
    }
}

/// A line that is not what was expected.
#[derive(Debug, Error)]
#[error("`{line}` is not of the line protocol: {source}")]
pub struct LineError {
    line: String,
    source: serde_json::Error,
}

/// Writes one line, its end included.
///
/// # Panics
/// Never: every type here is a JSON document.
#[must_use]
pub fn encode<T: Serialize>(document: &T) -> String {
    let mut line = serde_json::to_string(document).expect("the protocol's types have text keys and no custom errors");
    line.push('\n');
    line
}

/// Reads one line.
///
/// # Errors
/// The line is not a document of this type; the error quotes its beginning.
pub fn decode<T: DeserializeOwned>(line: &str) -> Result<T, LineError> {
    const QUOTED_BYTES: usize = 200;
    serde_json::from_str(line).map_err(|source| {
        let quoted = &line[..line.floor_char_boundary(QUOTED_BYTES)];
        LineError { line: quoted.escape_debug().to_string(), source }
    })
}
