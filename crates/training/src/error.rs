//! Why a run failed, and whose fault that is.

use std::path::PathBuf;

use datasets::{BatchError, LoadError, Shape, UnknownDataset};
use domain::job::FailureKind;
use domain::spec::Violations;
use flows::BuildError;
use ood::FitError;
use scoring::StatisticsError;
use scoring::code_length::CodecError;
use thiserror::Error;

use crate::checkpoint::CheckpointError;
use crate::device::DeviceError;
use crate::embedding::EmbeddingError;
use crate::meter::Divergence;
use crate::tensor_file::FileError;

/// Why a training run or an evaluation failed.
#[derive(Debug, Error)]
pub enum TrainingError {
    /// The document describes no flow.
    #[error("the model cannot be built: {0}")]
    Build(#[from] BuildError),
    /// The document's model does not fit its data.
    #[error("the model cannot be built: {0}")]
    Model(Violations),
    /// The catalogue lacks the dataset.
    #[error(transparent)]
    UnknownDataset(#[from] UnknownDataset),
    /// The dataset cannot be read.
    #[error(transparent)]
    Dataset(#[from] LoadError),
    /// Images have no embeddings.
    #[error(transparent)]
    Embedding(#[from] EmbeddingError),
    /// There is nothing to learn or to evaluate.
    #[error("{dataset}: {source}")]
    Batch {
        /// The dataset.
        dataset: String,
        /// What is missing.
        source: BatchError,
    },
    /// Nothing is left to learn.
    #[error(
        "{dataset}: {held_out} examples held out of {found} leave none to learn from; lower `training.validation.examples`"
    )]
    HeldOut {
        /// The dataset.
        dataset: String,
        /// Examples to hold out.
        held_out: u32,
        /// Examples that training would take otherwise.
        found: usize,
    },
    /// The examples do not fit the model.
    #[error("{dataset} has {found}, and the model takes {expected}")]
    Shape {
        /// The dataset.
        dataset: String,
        /// The model's shape.
        expected: Shape,
        /// The dataset's shape.
        found: Shape,
    },
    /// There are fewer images than one that was asked for.
    #[error(
        "{dataset} has no test image {index}: its test split has {found} images, counted from 0; change `inspection.images`"
    )]
    NoSuchImage {
        /// The dataset.
        dataset: String,
        /// The index asked for.
        index: u32,
        /// Images of the test split.
        found: usize,
    },
    /// The device cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A checkpoint cannot be continued or evaluated.
    #[error("checkpoint {}: {source}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: FileError,
    },
    /// The length of an image under a codec cannot be measured.
    #[error("{dataset}: {source}")]
    CodeLength {
        /// The dataset.
        dataset: String,
        /// What the codec says.
        source: CodecError,
    },
    /// Statistics cannot be put together or written.
    #[error("statistics of {what}: {source}")]
    Statistics {
        /// The dataset or the file.
        what: String,
        /// What went wrong.
        source: StatisticsError,
    },
    /// A score cannot be fitted to what the flow makes of in-distribution examples.
    #[error("score {score}: {source}; raise `evaluation.subsample`, or look at the flow")]
    Fit {
        /// The score.
        score: String,
        /// What is missing.
        source: FitError,
    },
    /// A picture cannot be encoded.
    #[error("picture {name} cannot be encoded: {source}")]
    Picture {
        /// The picture.
        name: String,
        /// What the encoder says.
        source: png::EncodingError,
    },
    /// The loss or the gradient stopped being finite, or the loss came above its limit.
    #[error("training diverged: {divergence}{}; lower the learning rate", after(*restarts))]
    Diverged {
        /// What happened, and at which step.
        divergence: Divergence,
        /// Restarts before it, all that the policy allows.
        restarts: u32,
    },
}

impl TrainingError {
    /// Whose fault it is, which decides the budget that pays for another try.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Build(_)
            | Self::Model(_)
            | Self::UnknownDataset(_)
            | Self::Embedding(_)
            | Self::Batch { .. }
            | Self::HeldOut { .. }
            | Self::Shape { .. }
            | Self::NoSuchImage { .. }
            | Self::CodeLength { .. }
            | Self::Fit { .. }
            | Self::Picture { .. } => FailureKind::Permanent,
            Self::Dataset(LoadError::Unreadable { .. })
            | Self::Device(_)
            | Self::Write { .. }
            | Self::Statistics { .. } => FailureKind::Infrastructure,
            Self::Dataset(_) => FailureKind::Permanent,
            Self::Checkpoint { source, .. } => source.kind(),
            Self::Diverged { .. } => FailureKind::Own,
        }
    }
}

fn after(restarts: u32) -> String {
    match restarts {
        0 => String::new(),
        1 => ", after 1 restart, which is all that on_divergence allows".to_owned(),
        _ => format!(", after {restarts} restarts, which are all that on_divergence allows"),
    }
}
