//! The coupling layer: one part of the input decides what happens to another part.

mod additive;
mod affine;
mod parts;
mod spline;

pub use additive::Additive;
pub use affine::Affine;
pub use spline::Spline;

use architecture::{self as description, Order};
use tch::Tensor;

use crate::bijection::{Bijection, Mode, ScaleAndShift, Transformed};
use crate::conditioners::Conditioner;
use crate::masks::Factors;
use crate::parameters::Scope;
use parts::{halves, join};

/// A map of single values whose numbers the st-network gives: `x` is the part that changes, `raw` what the network said of
/// it, `changed` factors of zeros and ones where only some of `x` changes (elsewhere the map must be the identity).
pub trait ElementWise: Send {
    /// The map.
    fn forward(&self, x: &Tensor, raw: &Tensor, changed: Option<&Tensor>) -> Transformed;

    /// The inverse map and its log-determinant.
    fn inverse(&self, y: &Tensor, raw: &Tensor, changed: Option<&Tensor>) -> Transformed;

    /// The log-scale and the shift, shaped like the part that changes, of a map that has them.
    fn scale_and_shift(&self, raw: &Tensor, changed: Option<&Tensor>) -> Option<ScaleAndShift>;
}

/// How the input falls into the part that is seen and the part that is changed.
#[derive(Debug)]
enum Parts {
    /// Pixels of all channels, or features of a vector, by factors of zeros and ones.
    Masked(Factors),
    /// Halves of the channels.
    Channels(Order),
}

/// `y_seen = x_seen`, `y_changed = f(x_changed; N(x_seen))` (Dinh, Krueger and Bengio 2015, section 3.2); images
/// `[b, c, h, w]` or vectors `[b, d]`.
pub struct Coupling {
    parts: Parts,
    network: Box<dyn Conditioner>,
    map: Box<dyn ElementWise>,
}

impl Coupling {
    /// A coupling of pixels or features by factors of zeros and ones.
    pub fn masked(factors: Factors, network: Box<dyn Conditioner>, map: Box<dyn ElementWise>) -> Self {
        Self { parts: Parts::Masked(factors), network, map }
    }

    /// A coupling of halves of the channels.
    pub fn over_channels(order: Order, network: Box<dyn Conditioner>, map: Box<dyn ElementWise>) -> Self {
        Self { parts: Parts::Channels(order), network, map }
    }

    /// Runs the network on the seen part and `act` on the changed one, and puts both together again.
    fn apply(
        &self,
        x: &Tensor,
        mode: Mode,
        act: impl Fn(&Tensor, &Tensor, Option<&Tensor>) -> Transformed,
    ) -> Transformed {
        match &self.parts {
            Parts::Masked(factors) => {
                let raw = self.network.forward(&(x * &factors.seen), mode);
                act(x, &raw, Some(&factors.changed))
            }
            Parts::Channels(order) => {
                let (seen, changed) = halves(x, *order);
                let raw = self.network.forward(&seen, mode);
                let Transformed { output, log_det } = act(&changed, &raw, None);
                Transformed { output: join(&seen, &output, *order), log_det }
            }
        }
    }
}

impl Bijection for Coupling {
    fn forward(&self, x: &Tensor, mode: Mode) -> Transformed {
        self.apply(x, mode, |x, raw, changed| self.map.forward(x, raw, changed))
    }

    fn inverse(&self, z: &Tensor, mode: Mode) -> Transformed {
        self.apply(z, mode, |y, raw, changed| self.map.inverse(y, raw, changed))
    }

    fn forward_observed(&self, x: &Tensor, mode: Mode) -> (Transformed, Option<ScaleAndShift>) {
        let seen = std::cell::RefCell::new(None);
        let transformed = self.apply(x, mode, |x, raw, changed| {
            seen.replace(self.map.scale_and_shift(raw, changed));
            self.map.forward(x, raw, changed)
        });
        let widen = |part: &Tensor| match &self.parts {
            Parts::Masked(_) => part.shallow_clone(),
            Parts::Channels(order) => join(&halves(x, *order).0.zeros_like(), part, *order),
        };
        let observed = seen
            .into_inner()
            .map(|seen| ScaleAndShift { log_scale: widen(&seen.log_scale), shift: widen(&seen.shift) });
        (transformed, observed)
    }
}

/// Builds the map of a coupling layer that changes `channels` channels, or features of a vector.
pub(crate) fn map(
    scope: &mut Scope<'_>,
    transform: description::Transform,
    channels: i64,
    of_vectors: bool,
) -> Box<dyn ElementWise> {
    let shape = if of_vectors { vec![channels] } else { vec![channels, 1, 1] };
    match transform {
        description::Transform::Affine => Box::new(Affine::new(scope, &shape)),
        description::Transform::Additive => Box::new(Additive),
        description::Transform::Spline { bins, bound } => Box::new(Spline::new(bins.into(), bound)),
    }
}
