//! States that a diverging run goes back to (the restart policy of `training.on_divergence`).
//!
//! A state is kept at every multiple of the policy's `checkpoint_steps`, and counts as good once the run came to the
//! next multiple without a divergence: weights can be lost some steps before a loss shows it. A restart goes to the
//! newest good state. Which one that is depends on the document and the seed alone.
//!
//! For a resumed run to end in the same bits, its checkpoints are good states only. From any of them the run repeats the
//! steps, and with them the divergences and restarts, of the run that wrote it. For the same reason points of the
//! training curve wait until the state at or after them is good: what a restart takes back was never told.

use domain::report::{CurvePoint, ValidationPoint};
use domain::spec::RestartSpec;

use crate::checkpoint::Checkpoint;
use crate::meter::Divergence;

/// A restart after a divergence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Restart {
    /// What happened, and at which step.
    pub divergence: Divergence,
    /// The step that training goes back to.
    pub to_step: u64,
    /// Restarts of this experiment so far, this one included.
    pub restarts: u32,
    /// The factor of the learning rate from now on.
    pub learning_rate_factor: f64,
}

/// Keeps the states of a run.
pub struct Guard {
    policy: RestartSpec,
    /// The newest good state.
    good: Checkpoint,
    /// The state after it, if it was reached.
    candidate: Option<Checkpoint>,
    /// What is not told yet: points after the good state.
    held: Points,
}

/// Points of both curves, in the order of their steps.
#[derive(Debug, Default)]
pub struct Points {
    /// Points of the training curve.
    pub curve: Vec<CurvePoint>,
    /// Points of the validation curve.
    pub validation: Vec<ValidationPoint>,
}

impl Guard {
    /// Begins at a state that counts as good: the start of the run, or a checkpoint of an earlier attempt.
    pub fn new(policy: RestartSpec, good: Checkpoint) -> Self {
        Self { policy, good, candidate: None, held: Points::default() }
    }

    /// Whether the state after so many steps is to be kept.
    pub fn keeps(&self, step: u64) -> bool {
        step.is_multiple_of(u64::from(self.policy.checkpoint_steps)) && step > self.good.step
    }

    /// Keeps a state that was reached without a divergence, which makes the one before it good. Returns the points up to
    /// the good state.
    pub fn keep(&mut self, state: Checkpoint) -> Points {
        if let Some(good) = self.candidate.replace(state) {
            self.good = good;
        }
        let good = self.good.step;
        let Points { curve, validation } = &mut self.held;
        let curve_told = curve.partition_point(|point| point.step <= good);
        let validation_told = validation.partition_point(|point| point.step <= good);
        Points { curve: curve.drain(..curve_told).collect(), validation: validation.drain(..validation_told).collect() }
    }

    /// Holds points back.
    pub fn hold(&mut self, points: Points) {
        self.held.curve.extend(points.curve);
        self.held.validation.extend(points.validation);
    }

    /// All points that were held back: the run is at its end.
    pub fn release(&mut self) -> Points {
        std::mem::take(&mut self.held)
    }

    /// The newest good state.
    pub fn good(&self) -> &Checkpoint {
        &self.good
    }

    /// Takes note of a divergence; none when there were as many restarts as the policy allows.
    pub fn restart(&mut self, divergence: Divergence, restarts: u32) -> Option<Restart> {
        if restarts >= self.policy.at_most {
            return None;
        }
        self.candidate = None;
        self.held = Points::default();
        let restarts = restarts + 1;
        let to_step = self.good.step;
        Some(Restart { divergence, to_step, restarts, learning_rate_factor: self.policy.factor(restarts) })
    }
}
