//! What a run says while it goes on, and what it is told.

use domain::report::{CurvePoint, ValidationPoint};

use crate::checkpoint::CheckpointError;
use crate::fit::Restart;
use crate::tensor_file::SavedFile;

/// What a run shall do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// Go on.
    Continue,
    /// Write a checkpoint, then go on.
    Checkpoint,
    /// Write a checkpoint, then stop: a drain. An evaluation, which has none, just stops.
    StopAfterCheckpoint,
    /// Stop at once: nobody wants the result.
    StopNow,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Steps (training) or images (evaluation) done.
    pub done: u64,
    /// Steps or images in all.
    pub total: u64,
    /// Images per second since the last report.
    pub images_per_second: f64,
    /// Mean negative log-likelihood of the in-distribution batches since the last report, in nats per image; none in
    /// evaluation.
    pub loss_nats: Option<f64>,
    /// The same in bits per dimension.
    pub bits_per_dim: Option<f64>,
}

/// A checkpoint that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedCheckpoint {
    /// The file.
    pub file: SavedFile,
    /// Optimiser steps done.
    pub step: u64,
}

/// Listens to a run. Its methods are called on the thread that trains: they must not wait.
pub trait Observer {
    /// Called about twice a second with how far the run is.
    fn progress(&mut self, progress: Progress);

    /// Called with each point of the training curve. Which steps have points, and their values, depend on the
    /// experiment alone; after a resume, points since the checkpoint come again, with the same values. Where training may
    /// restart, a point comes once no restart can take it back.
    fn curve_point(&mut self, point: CurvePoint);

    /// Called with each point of the validation curve, under the same rules as points of the training curve.
    fn validation_point(&mut self, point: ValidationPoint);

    /// Called when a checkpoint is on disk; the listener owns the file from then on.
    fn checkpoint(&mut self, checkpoint: &SavedCheckpoint);

    /// Called when training begins at step 0 although there is a checkpoint, with what is wrong with that.
    fn started_over(&mut self, problem: &CheckpointError);

    /// Called when training diverged and goes back to an earlier state with a lower learning rate.
    fn restarted(&mut self, restart: &Restart);

    /// Asked before every step: what to do next.
    fn directive(&mut self) -> Directive;
}

/// Something a [`Recorder`] was told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// How far the run was.
    Progress(Progress),
    /// A point of the training curve.
    CurvePoint(CurvePoint),
    /// A point of the validation curve.
    ValidationPoint(ValidationPoint),
    /// A checkpoint.
    Checkpoint(SavedCheckpoint),
    /// What made training start over.
    StartedOver(String),
    /// A restart after a divergence.
    Restarted(Restart),
}

/// An observer that writes everything down and gives directives at chosen calls.
#[derive(Debug, Default)]
pub struct Recorder {
    events: Vec<Event>,
    asked: u64,
    directives: Vec<(u64, Directive)>,
}

impl Recorder {
    /// Gives a directive when it is asked before the given step of this run (counted from 0) rather than
    /// [`Directive::Continue`].
    #[must_use]
    pub fn at(mut self, step: u64, directive: Directive) -> Self {
        self.directives.push((step, directive));
        self
    }

    /// Everything it was told, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The points of the training curve, in order.
    #[must_use]
    pub fn curve(&self) -> Vec<CurvePoint> {
        self.of_kind(|event| if let Event::CurvePoint(point) = event { Some(*point) } else { None })
    }

    /// The points of the validation curve, in order.
    #[must_use]
    pub fn validation(&self) -> Vec<ValidationPoint> {
        self.of_kind(|event| if let Event::ValidationPoint(point) = event { Some(*point) } else { None })
    }

    /// The checkpoints, in order.
    #[must_use]
    pub fn checkpoints(&self) -> Vec<SavedCheckpoint> {
        self.of_kind(|event| if let Event::Checkpoint(checkpoint) = event { Some(checkpoint.clone()) } else { None })
    }

    /// The restarts after divergences, in order.
    #[must_use]
    pub fn restarts(&self) -> Vec<Restart> {
        self.of_kind(|event| if let Event::Restarted(restart) = event { Some(*restart) } else { None })
    }

    fn of_kind<T>(&self, choose: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.events.iter().filter_map(choose).collect()
    }
}

impl Observer for Recorder {
    fn progress(&mut self, progress: Progress) {
        self.events.push(Event::Progress(progress));
    }

    fn curve_point(&mut self, point: CurvePoint) {
        self.events.push(Event::CurvePoint(point));
    }

    fn validation_point(&mut self, point: ValidationPoint) {
        self.events.push(Event::ValidationPoint(point));
    }

    fn checkpoint(&mut self, checkpoint: &SavedCheckpoint) {
        self.events.push(Event::Checkpoint(checkpoint.clone()));
    }

    fn started_over(&mut self, problem: &CheckpointError) {
        self.events.push(Event::StartedOver(problem.to_string()));
    }

    fn restarted(&mut self, restart: &Restart) {
        self.events.push(Event::Restarted(*restart));
    }

    fn directive(&mut self) -> Directive {
        let due = self.directives.iter().find(|(step, _)| *step == self.asked);
        self.asked += 1;
        due.map_or(Directive::Continue, |(_, directive)| *directive)
    }
}
