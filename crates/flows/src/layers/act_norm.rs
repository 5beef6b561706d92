//! Act norm: a shift and a scale per channel that start by normalising the first batch.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tch::{Tensor, no_grad};

use crate::bijection::{Bijection, Mode, Transformed};
use crate::parameters::{Role, Scope};

/// Added to the first batch's deviation before it divides.
const EPSILON: f64 = 1e-6;

/// `y = (x + shift) exp(log_scale)`, `log |det| = h w sum(log_scale)` (Kingma and Dhariwal 2018, section 3.1).
///
/// The first forward pass in training mode sets shift and scale so that its output has mean 0 and deviation 1 in every
/// channel. That it happened is part of the model's state (the reference forgets it: models.md 2.9).
#[derive(Debug)]
pub struct ActNorm {
    shift: Tensor,
    log_scale: Tensor,
    initialised: Tensor,
    loads: Arc<AtomicU64>,
    /// The count of loads at which the mark was last seen set: asking the device each time would wait for it.
    seen_at: Cell<Option<u64>>,
}

impl ActNorm {
    /// The identity, waiting for its first batch.
    pub fn new(scope: &mut Scope<'_>, channels: i64) -> Self {
        let shape = [1, channels, 1, 1];
        Self {
            shift: scope.constant("shift", Role::Weight, &shape, 0.0),
            log_scale: scope.constant("log_scale", Role::Weight, &shape, 0.0),
            initialised: scope.counter("initialised"),
            loads: scope.loads(),
            seen_at: Cell::new(None),
        }
    }

    fn is_initialised(&self) -> bool {
        let loads = self.loads.load(Ordering::Relaxed);
        if self.seen_at.get() == Some(loads) {
            return true;
        }
        let is_set = self.initialised.int64_value(&[]) != 0;
        if is_set {
            self.seen_at.set(Some(loads));
        }
        is_set
    }

    /// Sets shift and scale by a batch `[b, c, h, w]`.
    fn initialise(&self, x: &Tensor) {
        no_grad(|| {
            let over = [0_i64, 2, 3];
            let mean = x.mean_dim(over.as_slice(), true, x.kind());
            let variance = (x - &mean).square().mean_dim(over.as_slice(), true, x.kind());
            self.shift.shallow_clone().copy_(&-mean);
            self.log_scale.shallow_clone().copy_(&-(variance.sqrt() + EPSILON).log());
            let _ = self.initialised.shallow_clone().fill_(1);
        });
    }

    fn log_det(&self, x: &Tensor) -> Tensor {
        let size = x.size();
        (self.log_scale.sum(x.kind()) * (size[2] * size[3]) as f64).expand([size[0]], false)
    }
}

impl Bijection for ActNorm {
    fn forward(&self, x: &Tensor, mode: Mode) -> Transformed {
        if mode == Mode::Train && !self.is_initialised() {
            self.initialise(x);
        }
        Transformed { output: (x + &self.shift) * self.log_scale.exp(), log_det: self.log_det(x) }
    }

    fn inverse(&self, z: &Tensor, _mode: Mode) -> Transformed {
        Transformed { output: z * (-&self.log_scale).exp() - &self.shift, log_det: -self.log_det(z) }
    }
}
