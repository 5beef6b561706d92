//! Convolutions whose weight is a direction times a gain per output channel.

use tch::Tensor;

use crate::arithmetic::Arithmetic;
use crate::parameters::{Role, Scope};

/// Whether a convolution adds a learned constant per output channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// Yes.
    Learned,
    /// No.
    None,
}

/// A stride-1 convolution with weight `w = g v / |v|` per output channel, without an epsilon (Salimans and Kingma 2016,
/// equation 2), and zero padding that keeps the image's size.
#[derive(Debug)]
pub struct WeightNormConvolution {
    gain: Tensor,
    direction: Tensor,
    bias: Option<Tensor>,
    padding: i64,
    arithmetic: Arithmetic,
}

impl WeightNormConvolution {
    /// `inputs` to `outputs` channels with an odd kernel of `size` x `size` pixels.
    ///
    /// Direction and bias start in U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the gain at the direction's length.
    pub fn new(scope: &mut Scope<'_>, inputs: i64, outputs: i64, size: i64, bias: Bias) -> Self {
        let bound = 1.0 / ((inputs * size * size) as f64).sqrt();
        let direction = scope.uniform("direction", &[outputs, inputs, size, size], bound);
        let lengths = tch::no_grad(|| direction.flatten(1, -1).norm_scalaropt_dim(2, [1], false));
        let arithmetic = scope.arithmetic();
        Self {
            gain: scope.parameter("gain", Role::Gain, &lengths.view([outputs, 1, 1, 1])),
            direction,
            bias: match bias {
                Bias::Learned => Some(scope.uniform("bias", &[outputs], bound)),
                Bias::None => None,
            },
            padding: size / 2,
            arithmetic,
        }
    }

    /// `[b, inputs, h, w]` to `[b, outputs, h, w]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let weight = Tensor::internal_weight_norm(&self.direction, &self.gain, 0);
        self.arithmetic.apply(x, &weight, self.bias.as_ref(), |x, weight, bias| {
            x.conv2d(weight, bias, [1, 1], [self.padding; 2], [1, 1], 1)
        })
    }
}
