//! Invertible 1x1 convolutions: one matrix over the channels of every pixel (Kingma and Dhariwal 2018, section 3.2).

mod full;
mod householder;
mod lu;

pub use full::FullMatrix;
pub use householder::Reflections;
pub use lu::LuMatrix;

use tch::{Kind, Tensor};

use crate::bijection::{Bijection, Mode, Transformed};
use crate::parameters::Scope;

/// A square matrix over channels, parametrised so that its log-determinant is known.
pub trait ChannelMatrix: Send {
    /// The matrix `[c, c]`: `y_o = sum_i w[o, i] x_i`.
    fn matrix(&self) -> Tensor;

    /// `log |det w|`, one number.
    fn log_det(&self) -> Tensor;

    /// The inverse `[c, c]`; computed in double precision, since what it undoes may be far from orthogonal after training.
    fn inverse(&self) -> Tensor {
        let matrix = self.matrix();
        Tensor::linalg_inv(&matrix.to_kind(Kind::Double)).to_kind(matrix.kind())
    }
}

/// `y = W x` at every pixel, `log |det| = h w log |det W|`.
pub struct PointwiseConvolution {
    matrix: Box<dyn ChannelMatrix>,
}

impl PointwiseConvolution {
    /// The convolution of a matrix.
    pub fn new(matrix: impl ChannelMatrix + 'static) -> Self {
        Self { matrix: Box::new(matrix) }
    }

    fn log_det(&self, x: &Tensor) -> Tensor {
        let size = x.size();
        (self.matrix.log_det() * (size[2] * size[3]) as f64).expand([size[0]], false)
    }
}

impl Bijection for PointwiseConvolution {
    fn forward(&self, x: &Tensor, _mode: Mode) -> Transformed {
        Transformed { output: apply(&self.matrix.matrix(), x), log_det: self.log_det(x) }
    }

    fn inverse(&self, z: &Tensor, _mode: Mode) -> Transformed {
        Transformed { output: apply(&self.matrix.inverse(), z), log_det: -self.log_det(z) }
    }
}

/// The matrix applied to the channels of `[b, c, h, w]`.
fn apply(matrix: &Tensor, x: &Tensor) -> Tensor {
    let channels = matrix.size()[0];
    let kernel = matrix.view([channels, channels, 1, 1]);
    x.conv2d(&kernel, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1)
}

/// A random orthogonal matrix `[c, c]` in double precision: Q of the QR decomposition of normal draws.
fn random_rotation(scope: &Scope<'_>, channels: i64) -> Tensor {
    let draws = scope.draw_normal("rotation", &[channels, channels], 1.0, Kind::Double);
    Tensor::linalg_qr(&draws, "reduced").0
}
