//! The algebra of a flow: a map with an inverse that returns its output and its log-determinant together.

use tch::Tensor;

/// Which statistics batch normalisation uses, and whether act norm may take its first batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The statistics of the batch at hand; the running estimates move towards them.
    Train,
    /// The running estimates, which stay as they are.
    Evaluate,
}

/// What a bijection made of a batch.
#[derive(Debug)]
pub struct Transformed {
    /// The image of the input under the map, `[b, ...]`.
    pub output: Tensor,
    /// `log |det dy/dx|` of each sample in nats, `[b]`.
    pub log_det: Tensor,
}

/// What a coupling layer did to each value of its input: `y = (x + shift) exp(log_scale)`, both shaped like the input
/// and 0 where nothing changed.
#[derive(Debug)]
pub struct ScaleAndShift {
    /// The log-scale s.
    pub log_scale: Tensor,
    /// The shift t.
    pub shift: Tensor,
}

/// An invertible, differentiable map of each sample of a batch.
///
/// A layer keeps nothing between two calls: running estimates of batch normalisation and act norm's first batch are model
/// state, listed in the [`ParameterStore`](crate::parameters::ParameterStore).
pub trait Bijection: Send {
    /// Maps data towards the latent space.
    fn forward(&self, x: &Tensor, mode: Mode) -> Transformed;

    /// Maps latents towards data; the log-determinant is that of the inverse map.
    fn inverse(&self, z: &Tensor, mode: Mode) -> Transformed;

    /// As [`forward`](Self::forward), with the scale and shift of a layer that has them.
    fn forward_observed(&self, x: &Tensor, mode: Mode) -> (Transformed, Option<ScaleAndShift>) {
        (self.forward(x, mode), None)
    }
}

/// The log-determinant of a volume-preserving map, `[b]` zeros like `x`.
pub(crate) fn zero_log_det(x: &Tensor) -> Tensor {
    Tensor::zeros([x.size()[0]], (x.kind(), x.device()))
}

/// The sum over all dimensions but the first, `[b, ...]` to `[b]`.
pub(crate) fn sum_per_sample(x: &Tensor) -> Tensor {
    x.flatten(1, -1).sum_dim_intlist(1, false, x.kind())
}
