//! The affine coupling: part of the input decides how another part is shifted and scaled.

use tch::Tensor;

use crate::bijection::{Bijection, Mode, Transformed, sum_per_sample};
use crate::conditioners::Conditioner;
use crate::masks::{Parity, SpatialFactors, SpatialMask};
use crate::parameters::{Role, Scope};

/// `y = (x + t) exp(s)` on the changed part, `log |det| = sum s`, with
/// `s = w tanh(s_raw)`, `(s_raw, t) = N(x_seen)` and one learned `w` per channel (reference section 2.3).
pub struct Coupling {
    parts: Parts,
    network: Box<dyn Conditioner>,
    rescale: Rescale,
}

/// How the input falls into the part that is seen and the part that is changed.
#[derive(Debug)]
enum Parts {
    /// Pixels of all channels, by factors of zeros and ones.
    Pixels(SpatialFactors),
    /// Halves of the channels: plain changes the first half, reversed the second.
    Channels(Parity),
}

/// The scale of the log-scale: weight-normalised with one value per channel, so only the direction's sign matters.
#[derive(Debug)]
struct Rescale {
    gain: Tensor,
    direction: Tensor,
}

impl Coupling {
    /// A coupling that splits images of `size` `[h, w]` with `channels` channels by pixels.
    pub fn over_pixels(
        scope: &mut Scope<'_>,
        mask: SpatialMask,
        channels: i64,
        size: [i64; 2],
        network: Box<dyn Conditioner>,
    ) -> Self {
        let (kind, device) = scope.options();
        let parts = Parts::Pixels(mask.factors(size, kind, device));
        Self { parts, network, rescale: Rescale::new(scope, channels) }
    }

    /// A coupling that splits `channels` channels in two halves; the network sees one of them.
    pub fn over_channels(scope: &mut Scope<'_>, parity: Parity, channels: i64, network: Box<dyn Conditioner>) -> Self {
        Self { parts: Parts::Channels(parity), network, rescale: Rescale::new(scope, channels / 2) }
    }

    /// The masked log-scale and shift, both shaped like the changed part.
    fn log_scale_and_shift(&self, x_seen: &Tensor, mode: Mode) -> (Tensor, Tensor) {
        let raw = self.network.forward(x_seen, mode); // [b, 2c, h, w]
        let channels = raw.size()[1] / 2;
        let s_raw = raw.narrow(1, 0, channels);
        let t = raw.narrow(1, channels, channels);
        let weight = self.rescale.weight(); // [c, 1, 1]
        match &self.parts {
            // One small product [c, h, w] carries both the rescaling and the mask.
            Parts::Pixels(factors) => (s_raw.tanh() * (weight * &factors.changed), t * &factors.changed),
            Parts::Channels(_) => (s_raw.tanh() * weight, t),
        }
    }
}

impl Bijection for Coupling {
    fn forward(&self, x: &Tensor, mode: Mode) -> Transformed {
        match &self.parts {
            Parts::Pixels(factors) => {
                let (log_s, t) = self.log_scale_and_shift(&(x * &factors.seen), mode);
                // Where nothing changes log_s and t are zero, so the input passes exactly.
                Transformed { output: (x + t) * log_s.exp(), log_det: sum_per_sample(&log_s) }
            }
            Parts::Channels(parity) => {
                let (seen, changed) = halves(x, *parity);
                let (log_s, t) = self.log_scale_and_shift(&seen, mode);
                let output = join(seen, (changed + t) * log_s.exp(), *parity);
                Transformed { output, log_det: sum_per_sample(&log_s) }
            }
        }
    }

    fn inverse(&self, z: &Tensor, mode: Mode) -> Transformed {
        match &self.parts {
            Parts::Pixels(factors) => {
                let (log_s, t) = self.log_scale_and_shift(&(z * &factors.seen), mode);
                let output = z * (-&log_s).exp() - t;
                Transformed { output, log_det: -sum_per_sample(&log_s) }
            }
            Parts::Channels(parity) => {
                let (seen, changed) = halves(z, *parity);
                let (log_s, t) = self.log_scale_and_shift(&seen, mode);
                let output = join(seen, changed * (-&log_s).exp() - t, *parity);
                Transformed { output, log_det: -sum_per_sample(&log_s) }
            }
        }
    }
}

impl Rescale {
    fn new(scope: &mut Scope<'_>, channels: i64) -> Self {
        let mut scope = scope.enter("rescale");
        let shape = [channels, 1, 1];
        Self {
            gain: scope.constant("gain", Role::Gain, &shape, 1.0),
            direction: scope.constant("direction", Role::Weight, &shape, 1.0),
        }
    }

    /// `g v / |v|` of single values: the sign of `v` times `g`; `v` has a gradient of exactly zero.
    fn weight(&self) -> Tensor {
        &self.gain * self.direction.sign()
    }
}

/// The seen and the changed half of the channels.
fn halves(x: &Tensor, parity: Parity) -> (Tensor, Tensor) {
    let half = x.size()[1] / 2;
    let (first, second) = (x.narrow(1, 0, half), x.narrow(1, half, half));
    match parity {
        Parity::Plain => (second, first),
        Parity::Reversed => (first, second),
    }
}

fn join(seen: Tensor, changed: Tensor, parity: Parity) -> Tensor {
    match parity {
        Parity::Plain => Tensor::cat(&[changed, seen], 1),
        Parity::Reversed => Tensor::cat(&[seen, changed], 1),
    }
}
