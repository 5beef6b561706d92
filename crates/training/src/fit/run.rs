//! The steps of one run: its batches, its reports and its checkpoints.

use std::time::{Duration, Instant};

use domain::spec::{DivergencePolicy, RestartSpec};
use flows::{Flow, bits_per_dimension};
use tch::{Tensor, no_grad};

use super::accumulation::{StepTensors, differentiate};
use super::batches::{Plan, StepBatch};
use super::ends::{Beginning, record, restore};
use super::guard::{Guard, Points};
use super::likelihood::BatchTensors;
use super::objective::Objective;
use super::optimiser::optimiser;
use super::request::{FitEnd, FitOutcome, FitRequest};
use crate::assemble;
use crate::checkpoint::Checkpoint;
use crate::error::TrainingError;
use crate::meter::{Divergence, Meter};
use crate::observer::{Directive, Observer, Progress, SavedCheckpoint};
use crate::optimiser::Optimiser;
use crate::recording::SavedStatistics;
use crate::tensor_file::FileError;

/// Time between two progress reports.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// Trains until all steps are done or the observer stops it. Equal (spec, seed, device, number of threads) give equal
/// bits, however often the run was stopped and continued from a checkpoint.
///
/// # Errors
/// [`TrainingError`]; its `kind` says whose fault it is.
pub fn fit(request: &FitRequest<'_>, observer: &mut dyn Observer) -> Result<FitOutcome, TrainingError> {
    let mut run = Run::begin(request, observer)?;
    if run.step == run.total {
        // Stored weights that are taken as they are, or a run that was stopped behind its last step.
        run.save_current(observer)?;
        return run.record(observer);
    }
    let plan = Plan::new(request.spec, request.seed, request.data)?;
    loop {
        match run.go_on(&plan, observer) {
            Ok(FitEnd::Finished) => {
                // Its examples are of no more use, and the recorded ones take their place in memory.
                drop(plan);
                return run.record(observer);
            }
            Ok(FitEnd::Stopped) => return Ok(run.outcome(FitEnd::Stopped, Vec::new())),
            Err(Halt::Diverged(divergence)) => run.restart(divergence, observer)?,
            Err(Halt::Failed(failure)) => return Err(failure),
        }
    }
}

/// What keeps a run from going on.
enum Halt {
    /// It may restart.
    Diverged(Divergence),
    /// It is over.
    Failed(TrainingError),
}

impl From<Divergence> for Halt {
    fn from(divergence: Divergence) -> Self {
        Self::Diverged(divergence)
    }
}

impl From<TrainingError> for Halt {
    fn from(failure: TrainingError) -> Self {
        Self::Failed(failure)
    }
}

/// A run under way.
struct Run<'a> {
    request: &'a FitRequest<'a>,
    device: tch::Device,
    flow: Flow,
    optimiser: Optimiser,
    objective: Objective,
    meter: Meter,
    /// Steps done.
    step: u64,
    total: u64,
    /// Restarts after divergences.
    restarts: u32,
    guard: Option<Guard>,
    newest: Option<SavedCheckpoint>,
    /// The step of the newest checkpoint, this run's or the one that it began with; 0 needs none.
    saved_step: u64,
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
    fn begin(request: &'a FitRequest<'a>, observer: &mut dyn Observer) -> Result<Self, TrainingError> {
        let spec = request.spec;
        let device = request.device.open()?;
        let flow = assemble::flow(spec, request.seed, device)?;
        let mut optimiser = optimiser(spec, flow.parameters());
        let Beginning { step, restarts, window } = match &request.start {
            Some(file) => match restore(file, request, &flow, &mut optimiser) {
                // Nothing was loaded yet. An upgrade amid a sweep costs the steps so far, not the experiment.
                Err(problem) if problem.is_foreign_format() => {
                    observer.started_over(&problem);
                    Beginning::default()
                }
                restored => restored.map_err(|source| TrainingError::Checkpoint { path: file.path.clone(), source })?,
            },
            None => Beginning::default(),
        };
        if step == 0
            && let Some(file) = &request.initial_weights
        {
            let loaded = Checkpoint::read_weights(file, spec).and_then(|model| Ok(flow.parameters().load(&model)?));
            loaded.map_err(|source| TrainingError::Checkpoint { path: file.path.clone(), source })?;
        }
        let total = u64::from(spec.training.steps);
        let policy = restart_policy(request);
        let meter = Meter::resume(total, flow.dimensions(), step, window)
            .with_limit(policy.and_then(|policy| policy.loss_limit_nats));
        let mut run = Self {
            request,
            device,
            flow,
            optimiser,
            objective: Objective::new(&spec.training.objective, &spec.data.dataset),
            meter,
            step,
            total,
            restarts,
            guard: None,
            newest: None,
            saved_step: step,
            last_checkpoint: Instant::now(),
            recent: Recent::new(),
        };
        run.guard = policy.map(|policy| Guard::new(policy.clone(), run.copy_of_state()));
        Ok(run)
    }

    /// Learns from the step where it stands to the end, or until something stops it.
    fn go_on(&mut self, plan: &Plan, observer: &mut dyn Observer) -> Result<FitEnd, Halt> {
        for batch in plan.steps(self.step..self.total) {
            match observer.directive() {
                Directive::Continue => {}
                Directive::Checkpoint => self.save(observer)?,
                Directive::StopAfterCheckpoint => {
                    self.save(observer)?;
                    return Ok(FitEnd::Stopped);
                }
                Directive::StopNow => return Ok(FitEnd::Stopped),
            }
            self.learn(&batch);
            self.keep_if_due(observer)?;
            self.report_if_due(observer)?;
            self.validate_if_due(plan, observer)?;
            if self.last_checkpoint.elapsed() >= self.request.checkpoint_every && self.step < self.total {
                self.save(observer)?;
            }
        }
        self.finish(observer)?;
        Ok(FitEnd::Finished)
    }

    /// One optimiser step on the objective; waits for nothing.
    fn learn(&mut self, batch: &StepBatch) {
        let training = &self.request.spec.training;
        let tensors = |batch| BatchTensors::new(batch, &self.flow, self.device);
        let both = StepTensors { inside: tensors(&batch.inside), outside: batch.outside.as_ref().map(tensors) };
        let parts = i64::from(training.accumulate);
        let found = differentiate(&self.flow, &self.optimiser, self.objective, &both, parts);

        self.optimiser.set_learning_rate(training.learning_rate(self.step, self.restarts));
        let norms = self.optimiser.apply(found.gradients);

        self.meter.note(&found.inside, &found.loss, &norms);
        self.step += 1;
        self.recent.images += batch.len() as u64;
    }

    /// Keeps a state to go back to where the policy wants one; waits for the device there.
    fn keep_if_due(&mut self, observer: &mut dyn Observer) -> Result<(), Divergence> {
        if self.step == self.total || !self.guard.as_ref().is_some_and(|guard| guard.keeps(self.step)) {
            return Ok(());
        }
        self.read_meter(observer)?;
        let state = self.copy_of_state();
        if let Some(guard) = &mut self.guard {
            tell(guard.keep(state), observer);
        }
        Ok(())
    }

    /// Goes back to the newest good state, if the policy allows it.
    fn restart(&mut self, divergence: Divergence, observer: &mut dyn Observer) -> Result<(), TrainingError> {
        let restarts = self.restarts;
        let diverged = || TrainingError::Diverged { divergence, restarts };
        let guard = self.guard.as_mut().ok_or_else(diverged)?;
        let restart = guard.restart(divergence, restarts).ok_or_else(diverged)?;
        let good = guard.good();
        self.flow.parameters().load(&good.model).expect("the state is of this very flow");
        self.optimiser.load_state(&good.optimiser).expect("the state is of this very optimiser");
        self.meter.go_back(good.step, good.window);
        (self.step, self.restarts) = (good.step, restart.restarts);
        self.recent = Recent::new();
        observer.restarted(&restart);
        Ok(())
    }

    fn report_if_due(&mut self, observer: &mut dyn Observer) -> Result<(), Divergence> {
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

    fn read_meter(&mut self, observer: &mut dyn Observer) -> Result<(), Divergence> {
        let reading = self.meter.read()?;
        self.recent.steps += reading.steps;
        self.recent.loss_sum += reading.loss_sum;
        self.tell_or_hold(Points { curve: reading.points, validation: Vec::new() }, observer);
        Ok(())
    }

    /// Judges the flow where the document wants it; waits for the device there. A point of an earlier attempt comes again
    /// with the same bits: the flow is the same, and so is everything that it is judged on.
    fn validate_if_due(&mut self, plan: &Plan, observer: &mut dyn Observer) -> Result<(), Divergence> {
        let Some(validation) = plan.validation().filter(|validation| validation.is_due(self.step)) else {
            return Ok(());
        };
        // A diverged flow has nothing to show.
        self.read_meter(observer)?;
        let point = validation.measure(&self.flow, self.step);
        self.tell_or_hold(Points { curve: Vec::new(), validation: vec![point] }, observer);
        Ok(())
    }

    fn tell_or_hold(&mut self, points: Points, observer: &mut dyn Observer) {
        match &mut self.guard {
            Some(guard) => guard.hold(points),
            None => tell(points, observer),
        }
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

    /// Writes a checkpoint of the current step, or of the newest good state where training may restart; none twice.
    fn save(&mut self, observer: &mut dyn Observer) -> Result<(), Halt> {
        let saved = match &self.guard {
            Some(guard) if guard.good().step == self.saved_step => return Ok(()),
            Some(guard) => self.write(guard.good())?,
            None => {
                // Reading first keeps a diverged run from leaving a checkpoint, and puts the sums where they are saved
                // from.
                self.read_meter(observer)?;
                return Ok(self.save_current(observer)?);
            }
        };
        self.tell_of(saved, observer);
        Ok(())
    }

    /// Reports the steps since the last report, if there are any, and writes the last checkpoint.
    fn finish(&mut self, observer: &mut dyn Observer) -> Result<(), Halt> {
        self.read_meter(observer)?;
        if let Some(guard) = &mut self.guard {
            tell(guard.release(), observer);
        }
        if self.recent.images > 0 {
            self.report_progress(observer);
        }
        Ok(self.save_current(observer)?)
    }

    /// Writes a checkpoint of the current step, unless this run has one already; the meter must have been read.
    fn save_current(&mut self, observer: &mut dyn Observer) -> Result<(), TrainingError> {
        if self.newest.as_ref().is_none_or(|newest| newest.step != self.step) {
            let saved = self.write(&self.state())?;
            self.tell_of(saved, observer);
        }
        Ok(())
    }

    fn write(&self, checkpoint: &Checkpoint) -> Result<SavedCheckpoint, TrainingError> {
        let path = self.request.checkpoint_folder.join(format!("checkpoint-{}.safetensors", checkpoint.step));
        let written: Result<_, FileError> = checkpoint.write(&path);
        let file = written.map_err(|source| TrainingError::Write { path, source })?;
        Ok(SavedCheckpoint { file, step: checkpoint.step })
    }

    fn tell_of(&mut self, saved: SavedCheckpoint, observer: &mut dyn Observer) {
        observer.checkpoint(&saved);
        self.saved_step = saved.step;
        self.newest = Some(saved);
        self.last_checkpoint = Instant::now();
    }

    /// The state after the steps done; its tensors share memory with the run's. The meter must have been read.
    fn state(&self) -> Checkpoint {
        Checkpoint {
            spec: self.request.spec.clone(),
            seed: self.request.seed,
            step: self.step,
            restarts: self.restarts,
            window: self.meter.window(),
            model: self.flow.parameters().state(),
            optimiser: self.optimiser.state(),
        }
    }

    /// As [`state`](Self::state), with tensors of its own in the processor's memory.
    fn copy_of_state(&self) -> Checkpoint {
        let state = self.state();
        Checkpoint { model: copied(&state.model), optimiser: copied(&state.optimiser), ..state }
    }

    /// Records what the trained flow makes of the dataset that it learned, once for all evaluations. An attempt that is stopped
    /// amid it begins the pass again, behind the last step.
    fn record(self, observer: &mut dyn Observer) -> Result<FitOutcome, TrainingError> {
        let checkpoint = self.newest.as_ref().expect("a run that did all its steps has written its checkpoint");
        match record(self.request, &self.flow, checkpoint, observer)? {
            Some(statistics) => Ok(self.outcome(FitEnd::Finished, statistics)),
            None => Ok(self.outcome(FitEnd::Stopped, Vec::new())),
        }
    }

    fn outcome(self, end: FitEnd, statistics: Vec<SavedStatistics>) -> FitOutcome {
        FitOutcome { end, steps: self.step, checkpoint: self.newest, statistics }
    }
}

fn tell(points: Points, observer: &mut dyn Observer) {
    points.curve.into_iter().for_each(|point| observer.curve_point(point));
    points.validation.into_iter().for_each(|point| observer.validation_point(point));
}

fn restart_policy<'a>(request: &FitRequest<'a>) -> Option<&'a RestartSpec> {
    match &request.spec.training.on_divergence {
        DivergencePolicy::Fail => None,
        DivergencePolicy::Restart(policy) => Some(policy),
    }
}

fn copied(tensors: &[(String, Tensor)]) -> Vec<(String, Tensor)> {
    let copy = |tensor: &Tensor| match tensor.device() {
        tch::Device::Cpu => tensor.copy(),
        _ => tensor.to_device(tch::Device::Cpu),
    };
    no_grad(|| tensors.iter().map(|(name, tensor)| (name.clone(), copy(tensor))).collect())
}
