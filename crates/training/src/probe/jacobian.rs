//! How a flow stretches space around one example: the singular values of its generator's Jacobian there.

use flows::{Flow, Mode};
use tch::{Kind, Tensor, no_grad};

use super::sample::Example;

/// Rows of the Jacobian that one pass through the flow yields.
const ROWS_AT_ONCE: i64 = 128;
/// From the steps of the flow's input, pixels x in [0, 1], to those of the dequantised image y = (255 x + u) / 256.
const PIXEL_STEP: f64 = 256.0 / 255.0;

/// The generator at one example's latent.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalShape {
    /// ℓ(x) in nats.
    pub log_likelihood: f64,
    /// σᵢ of ∂x/∂z at z, in units of the dequantised image (0 to 1) or of the vector.
    pub singular_values: Vec<f64>,
    /// wᵢ = vᵢᵀ z, the latent along each right singular vector.
    pub latent_coordinates: Vec<f64>,
}

/// Takes the Jacobian of the encoder, z as a function of x, row by row with the example repeated, in evaluation mode, where
/// examples of a batch do not touch each other. With ∂z/∂x = A S Bᵀ the generator's Jacobian is its inverse, B S⁻¹ Aᵀ.
pub fn local_shape(flow: &Flow, example: &Example) -> LocalShape {
    let dimensions = flow.dimensions();
    let mut rows = Vec::new();
    let mut first = 0;
    while first < dimensions {
        let count = ROWS_AT_ONCE.min(dimensions - first);
        rows.push(rows_from(flow, example, first, count));
        first += count;
    }
    no_grad(|| {
        let found = flow.log_likelihood(&example.values, example.noise.as_ref(), Mode::Evaluate);
        let latent = flow.encode(&example.values, example.noise.as_ref(), Mode::Evaluate).output;
        let step = if example.noise.is_some() { PIXEL_STEP } else { 1.0 };
        let encoder = (Tensor::cat(&rows, 0) * step).to_device(tch::Device::Cpu);
        let latent = latent.to_kind(Kind::Double).to_device(tch::Device::Cpu).view([dimensions, 1]);
        let (directions, stretches, _) = encoder.svd(true, true);
        let coordinates = directions.tr().matmul(&latent);
        let numbers =
            |tensor: &Tensor| Vec::<f64>::try_from(tensor.reshape([-1])).expect("it is a vector of doubles there");
        LocalShape {
            log_likelihood: found.total.to_kind(Kind::Double).double_value(&[0]),
            singular_values: numbers(&stretches.reciprocal()),
            latent_coordinates: numbers(&coordinates),
        }
    })
}

/// `count` rows of ∂z/∂x in double, `[count, d]`, from row `first` on.
fn rows_from(flow: &Flow, example: &Example, first: i64, count: i64) -> Tensor {
    let repeated = |tensor: &Tensor| {
        let sizes = tensor.size();
        let shape = [&[count], &sizes[1..]].concat();
        tensor.expand(shape.as_slice(), false).contiguous()
    };
    let values = repeated(&example.values).set_requires_grad(true);
    let noise = example.noise.as_ref().map(repeated);
    let latents = flow.encode(&values, noise.as_ref(), Mode::Evaluate).output;
    // The i-th copy is asked for its own component alone: the gradient of the sum has one row of the Jacobian in each copy.
    let own = latents.narrow(1, first, count).diagonal(0, 0, 1).sum(Kind::Double);
    let gradient = Tensor::run_backward(&[&own], &[&values], false, false).remove(0);
    no_grad(|| gradient.reshape([count, -1]).to_kind(Kind::Double))
}
