//! The residual st-network: pre-activation blocks of weight-normalised convolutions with optional batch normalisation, and
//! either skip connections from every block to the output or a linear bottleneck between blocks (models.md 2.6, `resnet`
//! and `resnet_ae`).

use architecture::NetworkShape;
use tch::Tensor;

use super::Conditioner;
use super::batch_norm::BatchNorm;
use super::linear::Bottleneck;
use super::weight_norm::{Bias, WeightNormConvolution};
use crate::bijection::Mode;
use crate::memory_order::MemoryOrder;
use crate::parameters::Scope;

/// What a [`Resnet`] is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The hidden channels.
    pub width: i64,
    /// The number of residual blocks.
    pub blocks: i64,
    /// Batch normalisation before every convolution.
    pub batch_norm: bool,
    /// The output reads the sum of a 1x1 convolution of every block's output, rather than the last block's.
    pub skip: bool,
    /// Numbers that pass the bottleneck behind the first half of the blocks, if there is one.
    pub latent: Option<i64>,
}

/// The residual st-network.
#[derive(Debug)]
pub struct Resnet {
    memory_order: MemoryOrder,
    /// Batch normalisation of the input doubles its output to make up for a checkerboard's zeros.
    doubles: bool,
    input_norm: Option<BatchNorm>,
    input: WeightNormConvolution,
    input_skip: Option<WeightNormConvolution>,
    blocks: Vec<Block>,
    bottleneck: Option<Bottleneck>,
    output_norm: Option<BatchNorm>,
    output: WeightNormConvolution,
}

/// One residual block and its way to the output.
#[derive(Debug)]
struct Block {
    first_norm: Option<BatchNorm>,
    first: WeightNormConvolution,
    second_norm: Option<BatchNorm>,
    second: WeightNormConvolution,
    skip: Option<WeightNormConvolution>,
}

impl Resnet {
    /// A network for inputs and outputs of `shape`.
    pub fn new(scope: &mut Scope<'_>, shape: NetworkShape, plan: Plan) -> Self {
        let width = plan.width;
        let norm = |scope: &mut Scope<'_>, name: &str, channels| {
            plan.batch_norm.then(|| BatchNorm::new(&mut scope.enter(name), channels))
        };
        let skip = |scope: &mut Scope<'_>, name: &str| {
            plan.skip.then(|| convolution(scope, name, [width, width, 1], Bias::Learned))
        };
        let input_norm = norm(scope, "input_norm", shape.inputs);
        let input = convolution(scope, "input", [2 * shape.inputs, width, 3], Bias::Learned);
        let input_skip = skip(scope, "input_skip");
        let blocks = (0..plan.blocks).map(|index| {
            let mut scope = scope.enter(&format!("blocks.{index}"));
            Block {
                first_norm: norm(&mut scope, "first_norm", width),
                first: convolution(&mut scope, "first", [width, width, 3], Bias::None),
                second_norm: norm(&mut scope, "second_norm", width),
                second: convolution(&mut scope, "second", [width, width, 3], Bias::Learned),
                skip: skip(&mut scope, "skip"),
            }
        });
        let blocks = blocks.collect();
        let features = width * shape.size[0] * shape.size[1];
        let bottleneck = plan.latent.map(|latent| Bottleneck::new(scope, features, latent));
        let output_norm = norm(scope, "output_norm", width);
        let output = convolution(scope, "output", [width, shape.outputs, 1], Bias::Learned);
        let (memory_order, doubles) = (scope.memory_order(), shape.half_is_zero);
        Self { memory_order, doubles, input_norm, input, input_skip, blocks, bottleneck, output_norm, output }
    }
}

impl Conditioner for Resnet {
    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor {
        let normalised = match &self.input_norm {
            Some(norm) if self.doubles => norm.forward_doubled(x, mode),
            Some(norm) => norm.forward(x, mode),
            None => x.shallow_clone(),
        };
        let both_signs = Tensor::cat(&[&normalised, &(-&normalised)], 1).relu_(); // [b, 2c, h, w]
        let mut features = self.input.forward(&self.memory_order.arrange(&both_signs));
        let mut skipped = self.input_skip.as_ref().map(|skip| skip.forward(&features));
        for (index, block) in self.blocks.iter().enumerate() {
            features = block.forward(&features, mode);
            if let (Some(sum), Some(skip)) = (&mut skipped, &block.skip) {
                *sum += skip.forward(&features);
            }
            if let Some(bottleneck) = &self.bottleneck
                && index + 1 == self.blocks.len() / 2
            {
                features = self.memory_order.arrange(&bottleneck.forward(&features));
            }
        }
        let gathered = skipped.unwrap_or(features);
        self.output.forward(&activate(self.output_norm.as_ref(), &gathered, mode))
    }
}

impl Block {
    /// The residual branch added to its input, `[b, width, h, w]`.
    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor {
        let hidden = self.first.forward(&activate(self.first_norm.as_ref(), x, mode));
        let mut sum = self.second.forward(&activate(self.second_norm.as_ref(), &hidden, mode));
        sum += x;
        sum
    }
}

/// Normalisation, if any, then ReLU; in place where the tensor is this function's own.
fn activate(norm: Option<&BatchNorm>, x: &Tensor, mode: Mode) -> Tensor {
    match norm {
        Some(norm) => norm.forward(x, mode).relu_(),
        None => x.relu(),
    }
}

fn convolution(
    scope: &mut Scope<'_>,
    name: &str,
    [inputs, outputs, size]: [i64; 3],
    bias: Bias,
) -> WeightNormConvolution {
    WeightNormConvolution::new(&mut scope.enter(name), inputs, outputs, size, bias)
}
