//! The port to `training`: an order in, the protocol's messages out.

use std::time::Duration;

use datasets::DataDirectory;
use domain::{
    figure::MediaType,
    fleet::DeviceKind,
    job::FailureKind,
    report::{CurvePoint, Failure, Provenance, Task, ValidationPoint},
    spec::Dataset,
};
use tracing::warn;
use training::{
    CheckpointError, CheckpointFile, Device, Directive, EvaluateOutcome, EvaluateRequest, Evaluation, FitEnd,
    FitRequest, InspectOutcome, InspectRequest, Observer, PRECISION, Progress, Restart, SavedCheckpoint, SavedFile,
    SavedPicture, SavedStatistics, TrainingError,
};

use crate::{
    child::{ArtifactFile, DrawnFigure, Message, Order, Outcome, StatisticsFile, TrainedFlow, Voice},
    config::VERSION,
    scorer,
};

/// Training draws each batch's noise once.
const TRAINING_NOISE_DRAWS: u32 = 1;

/// Runs an order to its end on the calling thread.
pub fn run(order: &Order, voice: Voice) -> Outcome {
    training::set_threads(order.resources.threads);
    let mut reporter = Reporter { voice };
    let outcome = match &order.assignment.task {
        Task::Train { checkpoint_secs, .. } => train(order, *checkpoint_secs, &mut reporter),
        Task::Evaluate { out, .. } => evaluate(order, out.clone(), &mut reporter),
        Task::Inspect { .. } => inspect(order, &mut reporter),
        Task::Score { scores, out, .. } => scorer::run(order, scores, out, &mut reporter),
    };
    outcome.unwrap_or_else(|error| Outcome::Failed(Failure { kind: error.kind(), message: error.to_string() }))
}

fn train(order: &Order, checkpoint_secs: u32, reporter: &mut Reporter) -> Result<Outcome, TrainingError> {
    let data = DataDirectory::at(&order.resources.data);
    let request = FitRequest {
        spec: &order.assignment.spec,
        seed: order.assignment.seed,
        device: device(order),
        data: &data,
        start: order.checkpoint.as_ref().map(checkpoint_file),
        initial_weights: order.initial_weights.as_ref().map(checkpoint_file),
        checkpoint_folder: order.folder.clone(),
        checkpoint_every: Duration::from_secs(checkpoint_secs.into()),
    };
    let outcome = training::fit(&request, reporter)?;
    Ok(match outcome.end {
        FitEnd::Stopped => Outcome::Stopped,
        FitEnd::Finished => match outcome.checkpoint {
            Some(saved) => Outcome::Trained {
                checkpoint: trained_flow(&saved).reference(),
                statistics: outcome.statistics.into_iter().map(statistics_file).collect(),
                provenance: provenance(order, TRAINING_NOISE_DRAWS),
            },
            None => failed_bug("training finished without a checkpoint"),
        },
    })
}

fn evaluate(order: &Order, out: Dataset, reporter: &mut Reporter) -> Result<Outcome, TrainingError> {
    let Some(checkpoint) = &order.checkpoint else {
        return Ok(failed_bug("an evaluation was ordered without its checkpoint"));
    };
    let data = DataDirectory::at(&order.resources.data);
    let known = |file: &ArtifactFile| training::StatisticsFile { path: file.path.clone(), digest: file.digest };
    let learned: Vec<_> = order.learned.iter().map(known).collect();
    let request = EvaluateRequest {
        spec: &order.assignment.spec,
        seed: order.assignment.seed,
        checkpoint: checkpoint_file(checkpoint),
        out,
        learned: &learned,
        device: device(order),
        data: &data,
        batch_size: EvaluateRequest::DEFAULT_BATCH_SIZE,
        folder: order.folder.clone(),
    };
    Ok(match training::evaluate(&request, reporter)? {
        EvaluateOutcome::Stopped => Outcome::Stopped,
        EvaluateOutcome::Finished(evaluation) => {
            let Evaluation { measurements, problems, statistics, learned } = *evaluation;
            // Standard error is the job's log.
            problems.iter().for_each(|problem| warn!("{problem}"));
            Outcome::Evaluated {
                measurements,
                statistics: statistics_file(statistics),
                learned: learned.into_iter().map(statistics_file).collect(),
                provenance: provenance(order, order.assignment.spec.evaluation.noise_draws),
            }
        }
    })
}

fn inspect(order: &Order, reporter: &mut Reporter) -> Result<Outcome, TrainingError> {
    let Some(checkpoint) = &order.checkpoint else {
        return Ok(failed_bug("an inspection was ordered without its checkpoint"));
    };
    let Some(inspection) = &order.assignment.spec.inspection else {
        return Ok(failed_bug("an inspection was ordered, and the document does not say of what"));
    };
    let data = DataDirectory::at(&order.resources.data);
    let request = InspectRequest {
        spec: &order.assignment.spec,
        inspection,
        seed: order.assignment.seed,
        checkpoint: checkpoint_file(checkpoint),
        device: device(order),
        data: &data,
        folder: order.folder.clone(),
    };
    Ok(match training::inspect(&request, reporter)? {
        InspectOutcome::Stopped => Outcome::Stopped,
        InspectOutcome::Finished(pictures) => Outcome::Inspected {
            figures: pictures.iter().map(drawn_figure).collect(),
            provenance: provenance(order, inspection.draws),
        },
    })
}

/// Passes on what a run says.
pub(crate) struct Reporter {
    voice: Voice,
}

impl Reporter {
    pub(crate) fn voice(&self) -> &Voice {
        &self.voice
    }
}

impl Observer for Reporter {
    fn progress(&mut self, progress: Progress) {
        let Progress { done, total, images_per_second, loss_nats: _, bits_per_dim } = progress;
        // JSON has no infinity, and the coordinator refuses it; a rate over no time is not known.
        let images_per_second = Some(images_per_second).filter(|rate| rate.is_finite()).unwrap_or(0.0);
        let bits_per_dim = bits_per_dim.filter(|bits| bits.is_finite());
        self.voice.say(&Message::Progress { done, total, images_per_second, bits_per_dim });
    }

    fn curve_point(&mut self, point: CurvePoint) {
        self.voice.say(&Message::Curve(point));
    }

    fn validation_point(&mut self, point: ValidationPoint) {
        self.voice.say(&Message::Validation(point));
    }

    fn checkpoint(&mut self, checkpoint: &SavedCheckpoint) {
        self.voice.say(&Message::Checkpoint(trained_flow(checkpoint)));
    }

    fn started_over(&mut self, problem: &CheckpointError) {
        self.voice.say(&Message::StartedOver { problem: problem.to_string() });
    }

    fn restarted(&mut self, restart: &Restart) {
        let Restart { divergence, to_step, restarts, learning_rate_factor } = *restart;
        let problem = divergence.to_string();
        self.voice.say(&Message::Restarted { problem, to_step, restarts, learning_rate_factor });
    }

    fn directive(&mut self) -> Directive {
        if self.voice.is_told_to_stop() { Directive::StopAfterCheckpoint } else { Directive::Continue }
    }
}

pub(crate) fn device(order: &Order) -> Device {
    match order.resources.device {
        DeviceKind::Cpu => Device::Cpu,
        DeviceKind::Cuda => Device::Cuda,
    }
}

fn statistics_file(saved: SavedStatistics) -> StatisticsFile {
    let SavedStatistics { path, reference, .. } = saved;
    StatisticsFile { path, reference }
}

pub(crate) fn checkpoint_file(file: &ArtifactFile) -> CheckpointFile {
    CheckpointFile { path: file.path.clone(), digest: file.digest }
}

fn artifact_file(saved: &SavedFile) -> ArtifactFile {
    ArtifactFile { path: saved.path.clone(), digest: saved.digest }
}

fn drawn_figure(picture: &SavedPicture) -> DrawnFigure {
    let SavedPicture { file, name, caption, width, height } = picture;
    DrawnFigure {
        file: artifact_file(file),
        name: name.clone(),
        caption: caption.clone(),
        media_type: MediaType::Png,
        width: *width,
        height: *height,
    }
}

fn trained_flow(saved: &SavedCheckpoint) -> TrainedFlow {
    TrainedFlow { file: artifact_file(&saved.file), step: saved.step }
}

pub(crate) fn provenance(order: &Order, noise_draws: u32) -> Provenance {
    Provenance {
        worker_version: VERSION.to_owned(),
        device: order.resources.device.to_string(),
        threads: order.resources.threads.into(),
        precision: PRECISION.to_owned(),
        noise_draws,
    }
}

/// A broken invariant between this program's own parts: another try cannot mend it.
fn failed_bug(message: &str) -> Outcome {
    Outcome::Failed(Failure { kind: FailureKind::Permanent, message: message.to_owned() })
}
