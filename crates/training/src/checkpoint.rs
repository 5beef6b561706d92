//! Checkpoints: everything that a run needs to go on in the same bits, or that an evaluation needs.

use std::path::{Path, PathBuf};

use checkpoints::{MODEL_PREFIX as MODEL, OPTIMISER_PREFIX as OPTIMISER};
use domain::Digest;
use domain::job::FailureKind;
use domain::spec::ExperimentSpec;
use flows::parameters::LoadError;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use thiserror::Error;

use crate::meter::Window;
use crate::optimiser::StateError;
use crate::tensor_file::{self, FileError, SavedFile};

/// The version of the checkpoint format that this crate writes, and the only one it reads.
pub const CHECKPOINT_FORMAT: u32 = checkpoints::FORMAT;

/// Why a checkpoint cannot be used.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The file cannot be read, or its bytes are not the expected ones.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is of another version of the format.
    #[error("format {found} is not readable: this version of Spillway reads format {CHECKPOINT_FORMAT}")]
    Version {
        /// The file's format; none if it does not say.
        found: Unversioned,
    },
    /// The checkpoint is of another experiment.
    #[error("it was trained with another {part}; start from the beginning or give a checkpoint of this experiment")]
    OtherExperiment {
        /// The part of the experiment that differs.
        part: &'static str,
    },
    /// The model's tensors do not fit.
    #[error("it does not fit the model: {0}")]
    Model(#[from] LoadError),
    /// The optimiser's tensors do not fit.
    #[error("it does not fit the optimiser: {0}")]
    Optimiser(#[from] StateError),
    /// The position is not one of the run.
    #[error("it is at step {step}, and the run has {total}")]
    BeyondEnd {
        /// The checkpoint's step.
        step: u64,
        /// The run's steps.
        total: u64,
    },
}

/// A format number that may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unversioned(pub Option<u64>);

impl std::fmt::Display for Unversioned {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(format) => format.fmt(formatter),
            None => formatter.write_str("(none)"),
        }
    }
}

impl CheckpointError {
    /// Whose fault it is: damage on the way may be gone at the next try, a file of another experiment stays one.
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::File(FileError::Disk(_) | FileError::WrongDigest(_) | FileError::Format(_)) => {
                FailureKind::Infrastructure
            }
            Self::File(FileError::Header(_) | FileError::ElementType { .. })
            | Self::Version { .. }
            | Self::OtherExperiment { .. }
            | Self::Model(_)
            | Self::Optimiser(_)
            | Self::BeyondEnd { .. } => FailureKind::Permanent,
        }
    }

    /// Whether another version of Spillway wrote the file, which this one will never read: training can start over,
    /// and every try with the checkpoint would fail.
    pub(crate) fn is_foreign_format(&self) -> bool {
        matches!(self, Self::Version { .. } | Self::File(FileError::Header(_)))
    }
}

/// A checkpoint to read, with the digest that its bytes must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointFile {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

impl From<&SavedFile> for CheckpointFile {
    fn from(saved: &SavedFile) -> Self {
        Self { path: saved.path.clone(), digest: saved.digest }
    }
}

/// The header document. It holds nothing that depends on time or place: equal runs have equal bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    spec: ExperimentSpec,
    seed: u64,
    step: u64,
    /// A run that never restarted has the header of one without a restart policy.
    #[serde(default, skip_serializing_if = "is_zero")]
    restarts: u32,
    window: Window,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(restarts: &u32) -> bool {
    *restarts == 0
}

fn check_format(header: &serde_json::Value) -> Result<(), CheckpointError> {
    let found = header.get("format").and_then(serde_json::Value::as_u64);
    if found == Some(u64::from(CHECKPOINT_FORMAT)) {
        return Ok(());
    }
    Err(CheckpointError::Version { found: Unversioned(found) })
}

/// The contents of a checkpoint.
pub(crate) struct Checkpoint {
    pub spec: ExperimentSpec,
    pub seed: u64,
    /// Optimiser steps done.
    pub step: u64,
    /// Restarts after divergences, which lower the learning rate by a factor each.
    pub restarts: u32,
    /// The sums of the curve's unfinished window.
    pub window: Window,
    /// Parameters and buffers.
    pub model: Vec<(String, Tensor)>,
    /// The optimiser's moments and step count.
    pub optimiser: Vec<(String, Tensor)>,
}

impl Checkpoint {
    /// Writes the checkpoint to `path`, durably and all or nothing.
    pub fn write(&self, path: &Path) -> Result<SavedFile, FileError> {
        let header = Header {
            format: CHECKPOINT_FORMAT,
            spec: self.spec.resolved(),
            seed: self.seed,
            step: self.step,
            restarts: self.restarts,
            window: self.window,
        };
        let model = self.model.iter().map(|named| (MODEL, named));
        let optimiser = self.optimiser.iter().map(|named| (OPTIMISER, named));
        let tensors: Vec<(String, Tensor)> = model
            .chain(optimiser)
            .map(|(prefix, (name, tensor))| (format!("{prefix}{name}"), tensor.shallow_clone()))
            .collect();
        tensor_file::write(path, &header, &tensors)
    }

    /// Reads the weights of a checkpoint of any experiment, or of an imported one, that has the model of `spec`.
    pub fn read_weights(
        file: &CheckpointFile,
        spec: &ExperimentSpec,
    ) -> Result<Vec<(String, Tensor)>, CheckpointError> {
        let (header, tensors) = tensor_file::read::<serde_json::Value>(&file.path, Some(file.digest))?;
        check_format(&header)?;
        let document = header.get("spec").cloned().unwrap_or_default();
        let trained: ExperimentSpec =
            serde_json::from_value(document).map_err(|error| FileError::Header(error.to_string()))?;
        // Two masks may have tensors of the same names and shapes: the documents tell them apart.
        if trained.resolved().model != spec.resolved().model {
            return Err(CheckpointError::OtherExperiment { part: "model" });
        }
        let own = |(name, tensor): (String, Tensor)| Some((name.strip_prefix(MODEL)?.to_owned(), tensor));
        Ok(tensors.into_iter().filter_map(own).collect())
    }

    /// Reads a checkpoint and checks its digest and format.
    pub fn read(file: &CheckpointFile) -> Result<Self, CheckpointError> {
        let (header, tensors) = tensor_file::read::<serde_json::Value>(&file.path, Some(file.digest))?;
        check_format(&header)?;
        let header: Header = serde_json::from_value(header).map_err(|error| FileError::Header(error.to_string()))?;

        let (mut model, mut optimiser) = (Vec::new(), Vec::new());
        for (name, tensor) in tensors {
            if let Some(name) = name.strip_prefix(MODEL) {
                model.push((name.to_owned(), tensor));
            } else if let Some(name) = name.strip_prefix(OPTIMISER) {
                optimiser.push((name.to_owned(), tensor));
            } else {
                return Err(LoadError::Extra(name).into());
            }
        }
        let Header { spec, seed, step, restarts, window, .. } = header;
        Ok(Self { spec, seed, step, restarts, window, model, optimiser })
    }

    /// Checks that a run of this experiment can go on from here. The evaluation part may differ: it plays no role in
    /// training.
    pub fn check_continues(&self, spec: &ExperimentSpec, seed: u64) -> Result<(), CheckpointError> {
        let (ours, theirs) = (spec.resolved(), self.spec.resolved());
        let parts = [
            ("model", ours.model == theirs.model),
            ("dataset or number of images", ours.data == theirs.data),
            ("training section", ours.training == theirs.training),
            ("seed", seed == self.seed),
        ];
        if let Some((part, _)) = parts.into_iter().find(|(_, same)| !same) {
            return Err(CheckpointError::OtherExperiment { part });
        }
        let total = u64::from(spec.training.steps);
        if self.step > total {
            return Err(CheckpointError::BeyondEnd { step: self.step, total });
        }
        Ok(())
    }
}
