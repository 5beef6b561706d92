//! What a run is asked for and what it leaves.

use std::path::PathBuf;
use std::time::Duration;

use datasets::DataDirectory;
use domain::spec::ExperimentSpec;

use crate::Device;
use crate::checkpoint::CheckpointFile;
use crate::observer::SavedCheckpoint;
use crate::recording::SavedStatistics;

/// What to train and where to leave checkpoints.
#[derive(Debug, Clone)]
pub struct FitRequest<'a> {
    /// The document; it must have passed its validation.
    pub spec: &'a ExperimentSpec,
    /// The seed: of the weights, the order of the images and the noise.
    pub seed: u64,
    /// Where to train.
    pub device: Device,
    /// Where the datasets are.
    pub data: &'a DataDirectory,
    /// The checkpoint to continue from; none to start from the beginning, as also happens when it is of a format that
    /// this version cannot read.
    pub start: Option<CheckpointFile>,
    /// The checkpoint whose weights a beginning starts from, if the document names one.
    pub initial_weights: Option<CheckpointFile>,
    /// An existing folder for the checkpoints, `checkpoint-STEP.safetensors`, and the statistics.
    pub checkpoint_folder: PathBuf,
    /// Time between two checkpoints. It changes nothing about the results.
    pub checkpoint_every: Duration,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitEnd {
    /// All steps are done, and the learned dataset is recorded.
    Finished,
    /// The observer stopped it.
    Stopped,
}

/// What a run left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FitOutcome {
    /// How it ended.
    pub end: FitEnd,
    /// Optimiser steps done, those before the start included.
    pub steps: u64,
    /// The newest checkpoint of this run, always there when it is finished.
    pub checkpoint: Option<SavedCheckpoint>,
    /// What the trained flow makes of the dataset that it learned, of the train and the test split; nothing unless it is
    /// finished.
    pub statistics: Vec<SavedStatistics>,
}
