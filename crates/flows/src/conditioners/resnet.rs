//! The residual st-network: pre-activation blocks of weight-normalised convolutions, optional batch normalisation and
//! skip connections from every block to the output (reference section 2.6, `resnet`).

use tch::{Device, Tensor};

use super::Conditioner;
use super::batch_norm::BatchNorm;
use super::weight_norm::{Bias, WeightNormConvolution};
use crate::bijection::Mode;
use crate::parameters::Scope;

/// Whether the network normalises its activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalisation {
    /// By the batch.
    Batch,
    /// Not at all.
    None,
}

/// Where the output layer reads from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The sum of a 1x1 convolution of every block's output.
    EveryBlock,
    /// The last block's output.
    None,
}

/// What the input of the network looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputDensity {
    /// Every pixel is seen, or the reference does not care.
    Full,
    /// Every second pixel is zero: batch normalisation doubles its output to make up for it.
    Half,
}

/// The shape of a [`Resnet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResnetShape {
    /// The hidden channels.
    pub width: i64,
    /// The number of residual blocks.
    pub blocks: i64,
    /// Batch normalisation or none.
    pub normalisation: Normalisation,
    /// Skip connections or none.
    pub skip: Skip,
}

/// The residual st-network.
#[derive(Debug)]
pub struct Resnet {
    density: InputDensity,
    input_norm: Option<BatchNorm>,
    input: WeightNormConvolution,
    input_skip: Option<WeightNormConvolution>,
    blocks: Vec<Block>,
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
    /// A network from `channels` to `2 * channels` channels.
    pub fn new(scope: &mut Scope<'_>, channels: i64, density: InputDensity, shape: ResnetShape) -> Self {
        let width = shape.width;
        let norm = |scope: &mut Scope<'_>, name: &str, channels: i64| match shape.normalisation {
            Normalisation::Batch => Some(BatchNorm::new(&mut scope.enter(name), channels)),
            Normalisation::None => None,
        };
        let skip = |scope: &mut Scope<'_>, name: &str| match shape.skip {
            Skip::EveryBlock => Some(convolution(scope, name, [width, width, 1], Bias::Learned)),
            Skip::None => None,
        };
        let input_norm = norm(scope, "input_norm", channels);
        let input = convolution(scope, "input", [2 * channels, width, 3], Bias::Learned);
        let input_skip = skip(scope, "input_skip");
        let blocks = (0..shape.blocks).map(|index| {
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
        let output_norm = norm(scope, "output_norm", width);
        let output = convolution(scope, "output", [width, 2 * channels, 1], Bias::Learned);
        Self { density, input_norm, input, input_skip, blocks, output_norm, output }
    }
}

impl Conditioner for Resnet {
    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor {
        let normalised = match (&self.input_norm, self.density) {
            (Some(norm), InputDensity::Half) => norm.forward_doubled(x, mode),
            (Some(norm), InputDensity::Full) => norm.forward(x, mode),
            (None, _) => x.shallow_clone(),
        };
        let both_signs = Tensor::cat(&[&normalised, &(-&normalised)], 1).relu_(); // [b, 2c, h, w]
        let mut features = self.input.forward(&preferred_order(&both_signs));
        let mut skipped = self.input_skip.as_ref().map(|skip| skip.forward(&features));
        for block in &self.blocks {
            features = block.forward(&features, mode);
            if let (Some(sum), Some(skip)) = (&mut skipped, &block.skip) {
                *sum += skip.forward(&features);
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

/// The memory order that convolutions on the tensor's device work in; all later activations keep it.
///
/// On CPUs that is channels last: in the default order oneDNN copies every activation to its own blocked order and
/// back, a tenth to a sixth of a training step.
fn preferred_order(x: &Tensor) -> Tensor {
    match x.device() {
        Device::Cpu => x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]),
        _ => x.shallow_clone(),
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
