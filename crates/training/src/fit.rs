//! Maximum-likelihood training of one experiment, from its start or from a checkpoint.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datasets::{Batch, Catalogue, DataDirectory, Split, TrainingBatches, TrainingPlan};
use domain::spec::ExperimentSpec;
use flows::{Flow, Mode, bits_per_dimension};
use tch::Tensor;

use crate::assemble;
use crate::checkpoint::{Checkpoint, CheckpointError, CheckpointFile};
use crate::error::TrainingError;
use crate::meter::{Meter, Window};
use crate::observer::{Directive, Observer, Progress, SavedCheckpoint};
use crate::optimiser::Optimiser;
use crate::{Device, tensor_file};

/// Time between two progress reports.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

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
    /// An existing folder for the checkpoints, `checkpoint-STEP.safetensors`.
    pub checkpoint_folder: PathBuf,
    /// Time between two checkpoints. It changes nothing about the results.
    pub checkpoint_every: Duration,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitEnd {
    /// All steps are done.
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
}

/// Trains until all steps are done or the observer stops it. Equal (spec, seed, device, number of threads) give equal
/// bits, however often the run was stopped and continued from a checkpoint.
///
/// # Errors
/// [`TrainingError`]; its `kind` says whose fault it is.
pub fn fit(request: &FitRequest<'_>, observer: &mut dyn Observer) -> Result<FitOutcome, TrainingError> {
    let spec = request.spec;
    let entry = Catalogue::lookup(spec.data.dataset.as_str())?;
    let mut run = Run::begin(request, entry, observer)?;
    let limit = spec.data.train_images.map(|images| images as usize);
    let images = Arc::new(datasets::load(request.data, entry, Split::Train, limit)?);
    let plan = TrainingPlan::new(images, spec.training.batch_size as usize, request.seed)
        .map_err(|source| TrainingError::Batch { dataset: entry.name, source })?;

    for batch in TrainingBatches::new(plan, run.step..run.total) {
        match observer.directive() {
            Directive::Continue => {}
            Directive::Checkpoint => run.save(observer)?,
            Directive::StopAfterCheckpoint => {
                run.save(observer)?;
                return Ok(run.outcome(FitEnd::Stopped));
            }
            Directive::StopNow => return Ok(run.outcome(FitEnd::Stopped)),
        }
        run.learn(&batch);
        run.report_if_due(observer)?;
        if run.last_checkpoint.elapsed() >= request.checkpoint_every && run.step < run.total {
            run.save(observer)?;
        }
    }
    run.report_rest(observer)?;
    run.save(observer)?;
    Ok(run.outcome(FitEnd::Finished))
}

/// A run under way.
struct Run<'a> {
    request: &'a FitRequest<'a>,
    device: tch::Device,
    flow: Flow,
    optimiser: Optimiser,
    meter: Meter,
    /// Steps done.
    step: u64,
    total: u64,
    newest: Option<SavedCheckpoint>,
    last_checkpoint: Instant,
    recent: Recent,
}

/// What happened since the last progress report.
struct Recent {
    since: Instant,
    images: u64,
    steps: u64,
    loss_sum: f64,
}

impl Recent {
    fn new() -> Self {
        Self { since: Instant::now(), images: 0, steps: 0, loss_sum: 0.0 }
    }
}

impl<'a> Run<'a> {
    /// Builds the flow and the optimiser, and puts them where the checkpoint left them, if there is one.
    fn begin(
        request: &'a FitRequest<'a>,
        entry: &datasets::Entry,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainingError> {
        let device = request.device.open()?;
        let flow = assemble::flow(&request.spec.model, entry, request.seed, device)?;
        let mut optimiser = assemble::optimiser(&request.spec.training, flow.parameters());
        let (step, window) = match &request.start {
            Some(file) => match restore(file, request, &flow, &mut optimiser) {
                // Nothing was loaded yet. An upgrade amid a sweep costs the steps so far, not the experiment.
                Err(problem) if problem.is_foreign_format() => {
                    observer.started_over(&problem);
                    (0, Window::default())
                }
                restored => restored.map_err(|source| TrainingError::Checkpoint { path: file.path.clone(), source })?,
            },
            None => (0, Window::default()),
        };
        let total = u64::from(request.spec.training.steps);
        let meter = Meter::resume(total, flow.dimensions(), step, window);
        Ok(Self {
            request,
            device,
            flow,
            optimiser,
            meter,
            step,
            total,
            newest: None,
            last_checkpoint: Instant::now(),
            recent: Recent::new(),
        })
    }

    /// One optimiser step on the mean negative log-likelihood; waits for nothing.
    fn learn(&mut self, batch: &Batch) {
        let shape = [vec![batch.len as i64], self.flow.input().sizes()].concat();
        let tensor = |values: &[f32]| Tensor::from_slice(values).view(shape.as_slice()).to_device(self.device);
        let (images, noise) = (tensor(&batch.pixels), tensor(&batch.noise));

        let likelihood = self.flow.log_likelihood(&images, Some(&noise), Mode::Train);
        let loss = -likelihood.total.mean(assemble::KIND);
        let norms = self.optimiser.step(&loss);

        self.meter.note(&loss, &norms);
        self.step += 1;
        self.recent.images += batch.len as u64;
    }

    fn report_if_due(&mut self, observer: &mut dyn Observer) -> Result<(), TrainingError> {
        let progress_due = self.recent.since.elapsed() >= PROGRESS_EVERY;
        if !progress_due && !self.meter.is_due() {
            return Ok(());
        }
        self.read_meter(observer)?;
        if progress_due {
            self.report_progress(observer);
        }
        Ok(())
    }

    /// Reports the steps since the last report, if there are any.
    fn report_rest(&mut self, observer: &mut dyn Observer) -> Result<(), TrainingError> {
        self.read_meter(observer)?;
        if self.recent.images > 0 {
            self.report_progress(observer);
        }
        Ok(())
    }

    fn read_meter(&mut self, observer: &mut dyn Observer) -> Result<(), TrainingError> {
        let reading = self.meter.read().map_err(|found| TrainingError::Diverged { step: found.step })?;
        self.recent.steps += reading.steps;
        self.recent.loss_sum += reading.loss_sum;
        reading.points.into_iter().for_each(|point| observer.curve_point(point));
        Ok(())
    }

    fn report_progress(&mut self, observer: &mut dyn Observer) {
        let recent = std::mem::replace(&mut self.recent, Recent::new());
        let loss = (recent.steps > 0).then(|| recent.loss_sum / recent.steps as f64);
        observer.progress(Progress {
            done: self.step,
            total: self.total,
            images_per_second: recent.images as f64 / recent.since.elapsed().as_secs_f64(),
            loss_nats: loss,
            bits_per_dim: loss.map(|nats| bits_per_dimension(-nats, self.flow.dimensions())),
        });
    }

    /// Writes a checkpoint of the current step, unless this run has one already.
    fn save(&mut self, observer: &mut dyn Observer) -> Result<(), TrainingError> {
        if self.newest.as_ref().is_some_and(|newest| newest.step == self.step) {
            return Ok(());
        }
        // Reading first keeps a diverged run from leaving a checkpoint, and puts the sums where they are saved from.
        self.read_meter(observer)?;
        let path = self.request.checkpoint_folder.join(format!("checkpoint-{}.safetensors", self.step));
        let checkpoint = Checkpoint {
            spec: self.request.spec.clone(),
            seed: self.request.seed,
            step: self.step,
            window: self.meter.window(),
            model: self.flow.parameters().state(),
            optimiser: self.optimiser.state(),
        };
        let written: Result<_, tensor_file::FileError> = checkpoint.write(&path);
        let file = written.map_err(|source| TrainingError::Write { path, source })?;
        let saved = SavedCheckpoint { file, step: self.step };
        observer.checkpoint(&saved);
        self.newest = Some(saved);
        self.last_checkpoint = Instant::now();
        Ok(())
    }

    fn outcome(self, end: FitEnd) -> FitOutcome {
        FitOutcome { end, steps: self.step, checkpoint: self.newest }
    }
}

/// Loads a checkpoint into a new flow and optimiser; returns the steps done and the curve's sums.
fn restore(
    file: &CheckpointFile,
    request: &FitRequest<'_>,
    flow: &Flow,
    optimiser: &mut Optimiser,
) -> Result<(u64, Window), CheckpointError> {
    let checkpoint = Checkpoint::read(file)?;
    checkpoint.check_continues(request.spec, request.seed)?;
    flow.parameters().load(&checkpoint.model)?;
    optimiser.load_state(&checkpoint.optimiser)?;
    Ok((checkpoint.step, checkpoint.window))
}
