//! The affine map of RealNVP, with the reference's bound on the log-scale.

use tch::Tensor;

use super::ElementWise;
use crate::bijection::{ScaleAndShift, Transformed, sum_per_sample};
use crate::parameters::{Role, Scope};

/// `y = (x + t) exp(s)`, `log |det| = sum s`, with `s = w tanh(s_raw)`, `(s_raw, t) = N(x_seen)` and one learned `w` per
/// channel (models.md 2.3; Dinh, Sohl-Dickstein and Bengio 2017, equation 4, which scales before it shifts).
#[derive(Debug)]
pub struct Affine {
    /// `w = g v / |v|` of single values: weight-normalised, so that only the direction's sign matters.
    gain: Tensor,
    direction: Tensor,
}

impl Affine {
    /// The map with scales `w = 1` of shape `[c, 1, 1]` or `[d]`.
    pub fn new(scope: &mut Scope<'_>, shape: &[i64]) -> Self {
        let mut scope = scope.enter("rescale");
        Self {
            gain: scope.constant("gain", Role::Gain, shape, 1.0),
            direction: scope.constant("direction", Role::Weight, shape, 1.0),
        }
    }

    /// The masked log-scale and shift.
    fn read(&self, raw: &Tensor, changed: Option<&Tensor>) -> (Tensor, Tensor) {
        let channels = raw.size()[1] / 2;
        let s_raw = raw.narrow(1, 0, channels);
        let t = raw.narrow(1, channels, channels);
        // The direction's gradient is exactly zero, but it has one: the sign is differentiable almost everywhere.
        let weight = &self.gain * self.direction.sign();
        match changed {
            // One small product carries both the rescaling and the mask.
            Some(changed) => (s_raw.tanh() * (weight * changed), t * changed),
            None => (s_raw.tanh() * weight, t),
        }
    }
}

impl ElementWise for Affine {
    fn forward(&self, x: &Tensor, raw: &Tensor, changed: Option<&Tensor>) -> Transformed {
        let (log_s, t) = self.read(raw, changed);
        // Where nothing changes log_s and t are zero, so the input passes exactly.
        Transformed { output: (x + t) * log_s.exp(), log_det: sum_per_sample(&log_s) }
    }

    fn inverse(&self, y: &Tensor, raw: &Tensor, changed: Option<&Tensor>) -> Transformed {
        let (log_s, t) = self.read(raw, changed);
        Transformed { output: y * (-&log_s).exp() - t, log_det: -sum_per_sample(&log_s) }
    }

    fn scale_and_shift(&self, raw: &Tensor, changed: Option<&Tensor>) -> Option<ScaleAndShift> {
        let (log_scale, shift) = self.read(raw, changed);
        Some(ScaleAndShift { log_scale, shift })
    }
}
