//! Linear maps with a bias, and bottlenecks made of two of them.

use tch::Tensor;

use crate::arithmetic::Arithmetic;
use crate::parameters::Scope;

/// A linear map `[b, inputs]` to `[b, outputs]`.
#[derive(Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Tensor,
    arithmetic: Arithmetic,
}

impl Linear {
    /// Weights and biases from U(-1/√inputs, 1/√inputs), as PyTorch draws them by default.
    pub fn uniform(scope: &mut Scope<'_>, inputs: i64, outputs: i64) -> Self {
        let bound = 1.0 / (inputs as f64).sqrt();
        Self {
            weight: scope.uniform("weight", &[outputs, inputs], bound),
            bias: scope.uniform("bias", &[outputs], bound),
            arithmetic: scope.arithmetic(),
        }
    }

    /// The map of `[b, inputs]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        self.arithmetic.apply(x, &self.weight, Some(&self.bias), |x, weight, bias| x.linear(weight, bias))
    }
}

/// All of an image through a few numbers and back, linearly.
#[derive(Debug)]
pub struct Bottleneck {
    to_latent: Linear,
    from_latent: Linear,
}

impl Bottleneck {
    /// From `features` numbers to `latent` and back, named `to_latent` and `from_latent` in the scope.
    pub fn new(scope: &mut Scope<'_>, features: i64, latent: i64) -> Self {
        Self {
            to_latent: Linear::uniform(&mut scope.enter("to_latent"), features, latent),
            from_latent: Linear::uniform(&mut scope.enter("from_latent"), latent, features),
        }
    }

    /// `[b, c, h, w]` to the same shape, flattened in c, h, w order on the way.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        self.from_latent.forward(&self.to_latent.forward(&x.flatten(1, -1))).reshape(x.size().as_slice())
    }
}
