//! Plain convolutions with a bias, and their transposes.

use tch::Tensor;

use crate::arithmetic::Arithmetic;
use crate::parameters::{Role, Scope};

/// A convolution `[b, inputs, h, w]` to `[b, outputs, h', w']`.
#[derive(Debug)]
pub struct Convolution {
    weight: Tensor,
    bias: Tensor,
    stride: i64,
    padding: i64,
    arithmetic: Arithmetic,
}

impl Convolution {
    /// Weights from N(0, deviation²) and biases of 0, padded to keep the image's size (highway and Glow's convnet).
    pub fn normal(scope: &mut Scope<'_>, inputs: i64, outputs: i64, size: i64, deviation: f64) -> Self {
        let weight = scope.normal("weight", &[outputs, inputs, size, size], deviation);
        Self::same(scope, weight, outputs, size)
    }

    /// Weights and biases of 0, padded to keep the image's size.
    pub fn zeros(scope: &mut Scope<'_>, inputs: i64, outputs: i64, size: i64) -> Self {
        let weight = scope.constant("weight", Role::Weight, &[outputs, inputs, size, size], 0.0);
        Self::same(scope, weight, outputs, size)
    }

    fn same(scope: &mut Scope<'_>, weight: Tensor, outputs: i64, size: i64) -> Self {
        let bias = scope.constant("bias", Role::Weight, &[outputs], 0.0);
        Self { weight, bias, stride: 1, padding: size / 2, arithmetic: scope.arithmetic() }
    }

    /// Weights and biases from U(-1/√fan_in, 1/√fan_in), as PyTorch draws them by default.
    pub fn uniform(scope: &mut Scope<'_>, [inputs, outputs, size]: [i64; 3], [stride, padding]: [i64; 2]) -> Self {
        let bound = 1.0 / ((inputs * size * size) as f64).sqrt();
        Self {
            weight: scope.uniform("weight", &[outputs, inputs, size, size], bound),
            bias: scope.uniform("bias", &[outputs], bound),
            stride,
            padding,
            arithmetic: scope.arithmetic(),
        }
    }

    /// The convolution of `[b, inputs, h, w]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        self.arithmetic.apply(x, &self.weight, Some(&self.bias), |x, weight, bias| {
            x.conv2d(weight, bias, [self.stride; 2], [self.padding; 2], [1, 1], 1)
        })
    }
}

/// A transposed convolution `[b, inputs, h, w]` to `[b, outputs, h', w']`.
#[derive(Debug)]
pub struct TransposedConvolution {
    weight: Tensor,
    bias: Tensor,
    stride: i64,
    padding: i64,
    output_padding: i64,
    arithmetic: Arithmetic,
}

impl TransposedConvolution {
    /// Weights and biases from U(-1/√(outputs size²), …): PyTorch takes the fan-in on the axis of the output channels.
    pub fn uniform(
        scope: &mut Scope<'_>,
        [inputs, outputs, size]: [i64; 3],
        [stride, padding, output_padding]: [i64; 3],
    ) -> Self {
        let bound = 1.0 / ((outputs * size * size) as f64).sqrt();
        Self {
            weight: scope.uniform("weight", &[inputs, outputs, size, size], bound),
            bias: scope.uniform("bias", &[outputs], bound),
            stride,
            padding,
            output_padding,
            arithmetic: scope.arithmetic(),
        }
    }

    /// The transposed convolution of `[b, inputs, h, w]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        self.arithmetic.apply(x, &self.weight, Some(&self.bias), |x, weight, bias| {
            let (stride, padding, after) = ([self.stride; 2], [self.padding; 2], [self.output_padding; 2]);
            x.conv_transpose2d(weight, bias, stride, padding, after, 1, [1, 1])
        })
    }
}
