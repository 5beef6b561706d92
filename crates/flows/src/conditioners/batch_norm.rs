//! Batch normalisation over images, with running estimates for evaluation.

use tch::Tensor;

use crate::bijection::Mode;
use crate::parameters::{Role, Scope};

const EPSILON: f64 = 1e-5;
/// The weight of the newest batch in the running estimates.
const MOMENTUM: f64 = 0.1;

/// `y = scale (x - mean) / sqrt(variance + 1e-5) + shift` per channel. The running variance is the unbiased one.
#[derive(Debug)]
pub struct BatchNorm {
    scale: Tensor,
    shift: Tensor,
    running_mean: Tensor,
    running_variance: Tensor,
    batches: Tensor,
}

impl BatchNorm {
    /// The identity in distribution: scale 1, shift 0, running mean 0, running variance 1.
    pub fn new(scope: &mut Scope<'_>, channels: i64) -> Self {
        let shape = [channels];
        Self {
            scale: scope.constant("scale", Role::Weight, &shape, 1.0),
            shift: scope.constant("shift", Role::Weight, &shape, 0.0),
            running_mean: scope.buffer("running_mean", &shape, 0.0),
            running_variance: scope.buffer("running_variance", &shape, 1.0),
            batches: scope.counter("batches"),
        }
    }

    /// `[b, c, h, w]` to the same shape; training mode moves the running estimates.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Tensor {
        self.normalise(x, &self.scale, &self.shift, mode)
    }

    /// Twice [`forward`](Self::forward), at no cost: the factor goes into scale and shift.
    pub fn forward_doubled(&self, x: &Tensor, mode: Mode) -> Tensor {
        self.normalise(x, &(&self.scale * 2.0), &(&self.shift * 2.0), mode)
    }

    fn normalise(&self, x: &Tensor, scale: &Tensor, shift: &Tensor, mode: Mode) -> Tensor {
        if mode == Mode::Train {
            let _ = self.batches.shallow_clone().g_add_scalar_(1);
        }
        x.batch_norm(
            Some(scale),
            Some(shift),
            Some(&self.running_mean),
            Some(&self.running_variance),
            mode == Mode::Train,
            MOMENTUM,
            EPSILON,
            true,
        )
    }
}
