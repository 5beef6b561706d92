//! The algebra of a flow: a map with an inverse that returns its output and its log-determinant together.

use tch::Tensor;

/// Which statistics batch normalisation uses.
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

/// An invertible, differentiable map of each sample of a batch.
///
/// A layer keeps nothing between two calls: the running estimates of batch normalisation are model state, listed in the
/// [`ParameterStore`](crate::parameters::ParameterStore).
pub trait Bijection: Send {
    /// Maps data towards the latent space.
    fn forward(&self, x: &Tensor, mode: Mode) -> Transformed;

    /// Maps latents towards data; the log-determinant is that of the inverse map.
    fn inverse(&self, z: &Tensor, mode: Mode) -> Transformed;

    /// The shape `[c, h, w]` of the output for an input of shape `[c, h, w]`.
    fn output_shape(&self, input: [i64; 3]) -> [i64; 3] {
        input
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
