//! Evaluates a trained flow: records the out-of-distribution side, computes scores and measures them.

use std::path::{Path, PathBuf};

use datasets::DataDirectory;
use domain::Digest;
use domain::report::{Measurement, Split};
use domain::spec::{Dataset, ExperimentSpec};
use flows::Flow;
use scoring::{Measured, Sides, Statistics, measure};

use crate::Device;
use crate::assemble;
use crate::checkpoint::{Checkpoint, CheckpointError, CheckpointFile};
use crate::error::TrainingError;
use crate::observer::Observer;
use crate::pace::Pace;
use crate::recording::{BATCH_SIZE, Recording, SavedStatistics, save};

/// What to evaluate and where to leave the statistics.
#[derive(Debug, Clone)]
pub struct EvaluateRequest<'a> {
    /// The document that the checkpoint was trained by; it must have passed its validation.
    pub spec: &'a ExperimentSpec,
    /// The seed that the checkpoint was trained with; it keys the noise.
    pub seed: u64,
    /// The trained flow.
    pub checkpoint: CheckpointFile,
    /// The out-of-distribution dataset.
    pub out: Dataset,
    /// What training recorded of the learned dataset; what is missing, or is of another flow or version, is recorded again.
    pub learned: &'a [StatisticsFile],
    /// Where to compute.
    pub device: Device,
    /// Where the datasets are.
    pub data: &'a DataDirectory,
    /// Images per pass through the flow, at least 1.
    pub batch_size: usize,
    /// An existing folder for the statistics.
    pub folder: PathBuf,
}

impl EvaluateRequest<'_> {
    /// A batch size that keeps a processor or a GPU busy and needs little memory.
    pub const DEFAULT_BATCH_SIZE: usize = BATCH_SIZE;
}

/// Statistics on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatisticsFile {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// The numbers of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Every metric of each score, bits per dimension of each side.
    pub measurements: Vec<Measurement>,
    /// Why scores have no numbers, or what was recorded again, for people.
    pub problems: Vec<String>,
    /// What the flow makes of the out-of-distribution side.
    pub statistics: SavedStatistics,
    /// What was recorded of the learned dataset, because it was not given.
    pub learned: Vec<SavedStatistics>,
}

/// How an evaluation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum EvaluateOutcome {
    /// All images were evaluated.
    Finished(Box<Evaluation>),
    /// The observer stopped it; nothing was written that counts.
    Stopped,
}

/// Evaluates a checkpoint on the test split of another dataset than its own, which has been recorded once for all of them.
///
/// # Errors
/// [`TrainingError`]; its `kind` says whose fault it is.
pub fn evaluate(request: &EvaluateRequest<'_>, observer: &mut dyn Observer) -> Result<EvaluateOutcome, TrainingError> {
    let EvaluateRequest { spec, seed, data, device, .. } = *request;
    let flow = load_flow(spec, seed, &request.checkpoint, device)?;
    let checkpoint = request.checkpoint.digest;
    let scaling = datasets::scaling_of(data, &spec.data.dataset)?;
    let batch_size = request.batch_size;
    let recording = Recording { spec, seed, flow: &flow, checkpoint, device, data, scaling, batch_size };
    let mut problems = Vec::new();
    let mut known = Known::read(request, &mut problems);
    let mut missing = Vec::new();
    if known.reference.is_none() {
        missing.push(recording.reference_side()?);
    }
    if known.inside.is_none() {
        missing.push(recording.test_side(&spec.data.dataset)?);
    }
    let outside = recording.test_side(&request.out)?;
    let draws = spec.evaluation.noise_draws;
    let total = missing.iter().chain([&outside]).map(|side| side.passes(draws)).sum();
    let mut pace = Pace::new(observer, total);

    let mut learned = Vec::with_capacity(missing.len());
    for side in &missing {
        let Some(statistics) = recording.pass(side, &mut pace)? else { return Ok(EvaluateOutcome::Stopped) };
        learned.push(save(&statistics, &request.folder)?);
        known.put(statistics);
    }
    let Some(outside) = recording.pass(&outside, &mut pace)? else { return Ok(EvaluateOutcome::Stopped) };
    let statistics = save(&outside, &request.folder)?;

    let (Some(reference), Some(inside)) = (&known.reference, &known.inside) else {
        unreachable!("what was not known was recorded")
    };
    let sides = Sides { reference, inside, outside: &outside };
    let Measured { measurements, problems: unmeasured } = measure(&sides, &spec.scores());
    problems.extend(unmeasured);
    Ok(EvaluateOutcome::Finished(Box::new(Evaluation { measurements, problems, statistics, learned })))
}

/// What is known of the learned dataset.
#[derive(Default)]
struct Known {
    reference: Option<Statistics>,
    inside: Option<Statistics>,
}

impl Known {
    /// Reads what training recorded, as far as it is of this very flow and evaluation.
    fn read(request: &EvaluateRequest<'_>, problems: &mut Vec<String>) -> Self {
        let mut known = Self::default();
        for file in request.learned {
            match Statistics::read_file(&file.path, Some(file.digest)) {
                Ok(statistics) if fits(&statistics, request) => known.put(statistics),
                Ok(_) => problems.push(again(&file.path, "they are of another evaluation")),
                Err(error) => problems.push(again(&file.path, &error.to_string())),
            }
        }
        known
    }

    fn put(&mut self, statistics: Statistics) {
        match statistics.header().split {
            Split::Train => self.reference = Some(statistics),
            Split::Test => self.inside = Some(statistics),
        }
    }
}

fn again(path: &Path, problem: &str) -> String {
    format!("statistics in {} are not used and recorded again: {problem}", path.display())
}

fn fits(statistics: &Statistics, request: &EvaluateRequest<'_>) -> bool {
    let header = statistics.header();
    header.checkpoint == request.checkpoint.digest
        && header.seed == request.seed
        && header.dataset == request.spec.data.dataset
        && header.noise_draws == request.spec.evaluation.noise_draws
}

/// The flow of an experiment with the weights of its checkpoint.
pub(crate) fn load_flow(
    spec: &ExperimentSpec,
    seed: u64,
    file: &CheckpointFile,
    device: Device,
) -> Result<Flow, TrainingError> {
    let flow = assemble::flow(spec, seed, device.open()?)?;
    let read = || -> Result<(), CheckpointError> {
        let checkpoint = Checkpoint::read(file)?;
        checkpoint.check_continues(spec, seed)?;
        Ok(flow.parameters().load(&checkpoint.model)?)
    };
    read().map_err(|source| TrainingError::Checkpoint { path: file.path.clone(), source })?;
    Ok(flow)
}
