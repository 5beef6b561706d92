//! The two ends of a run: where a checkpoint left it, and what its trained flow makes of the dataset that it learned.

use flows::Flow;

use super::request::FitRequest;
use crate::checkpoint::{Checkpoint, CheckpointError, CheckpointFile};
use crate::error::TrainingError;
use crate::meter::Window;
use crate::observer::{Observer, SavedCheckpoint};
use crate::optimiser::Optimiser;
use crate::recording::{BATCH_SIZE, Recording, SavedStatistics, record_learned};

/// Where a run begins.
#[derive(Default)]
pub struct Beginning {
    /// Steps done.
    pub step: u64,
    /// Restarts after divergences.
    pub restarts: u32,
    /// What the meter had summed.
    pub window: Window,
}

/// Loads a checkpoint into a new flow and optimiser.
pub fn restore(
    file: &CheckpointFile,
    request: &FitRequest<'_>,
    flow: &Flow,
    optimiser: &mut Optimiser,
) -> Result<Beginning, CheckpointError> {
    let checkpoint = Checkpoint::read(file)?;
    checkpoint.check_continues(request.spec, request.seed)?;
    flow.parameters().load(&checkpoint.model)?;
    optimiser.load_state(&checkpoint.optimiser)?;
    let Checkpoint { step, restarts, window, .. } = checkpoint;
    Ok(Beginning { step, restarts, window })
}

/// Records what the trained flow makes of the dataset that it learned; nothing when the observer stops it. Of weights that were
/// taken as they are, on a machine without the dataset, there is nothing to record.
pub fn record(
    request: &FitRequest<'_>,
    flow: &Flow,
    checkpoint: &SavedCheckpoint,
    observer: &mut dyn Observer,
) -> Result<Option<Vec<SavedStatistics>>, TrainingError> {
    let FitRequest { spec, seed, device, data, .. } = *request;
    let (checkpoint, batch_size) = (checkpoint.file.digest, BATCH_SIZE);
    let mut record = || {
        let scaling = datasets::scaling_of(data, &spec.data.dataset)?;
        let recording = Recording { spec, seed, flow, checkpoint, device, data, scaling, batch_size };
        record_learned(&recording, &request.checkpoint_folder, observer)
    };
    match record() {
        // Weights that are taken as they are needed no dataset so far; whoever evaluates them will.
        Err(TrainingError::Dataset(_)) if spec.training.steps == 0 => Ok(Some(Vec::new())),
        recorded => recorded,
    }
}
