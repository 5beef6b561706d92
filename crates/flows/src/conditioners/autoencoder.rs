//! The convolutional autoencoders as st-networks: nothing passes but what fits the bottleneck (models.md 2.6,
//! `autoencoder` and `autoencoder_old`; Kirichenko, Izmailov and Wilson 2020, section 7).

use architecture::NetworkShape;
use architecture::st_network::{Convolution as Step, Layout};
use tch::Tensor;

use super::Conditioner;
use super::convolution::{Convolution, TransposedConvolution};
use super::linear::Bottleneck;
use crate::bijection::Mode;
use crate::memory_order::MemoryOrder;
use crate::parameters::Scope;

/// The side of every kernel.
const KERNEL: i64 = 4;

/// Convolutions down with leaky ReLU after each, a linear bottleneck, transposed convolutions up with leaky ReLU between.
#[derive(Debug)]
pub struct Autoencoder {
    memory_order: MemoryOrder,
    encoder: Vec<Convolution>,
    bottleneck: Bottleneck,
    decoder: Vec<TransposedConvolution>,
}

impl Autoencoder {
    /// The network of a layout whose bottleneck passes `latent` numbers.
    pub fn new(scope: &mut Scope<'_>, layout: &Layout, shape: NetworkShape, latent: i64) -> Self {
        let channels =
            |step: &Step| [step.inputs.unwrap_or(shape.inputs), step.outputs.unwrap_or(shape.outputs), KERNEL];
        let encoder = layout.encoder.iter().enumerate().map(|(index, step)| {
            let mut scope = scope.enter(&format!("encoder.{index}"));
            Convolution::uniform(&mut scope, channels(step), [step.stride, step.padding])
        });
        let encoder = encoder.collect();
        let (middle, side) = layout.middle();
        let bottleneck = Bottleneck::new(scope, middle * side * side, latent);
        let decoder = layout.decoder.iter().enumerate().map(|(index, step)| {
            let mut scope = scope.enter(&format!("decoder.{index}"));
            let geometry = [step.stride, step.padding, step.output_padding];
            TransposedConvolution::uniform(&mut scope, channels(step), geometry)
        });
        let decoder = decoder.collect();
        Self { memory_order: scope.memory_order(), encoder, bottleneck, decoder }
    }
}

impl Conditioner for Autoencoder {
    fn forward(&self, x: &Tensor, _mode: Mode) -> Tensor {
        let x = self.memory_order.arrange(x);
        let down = self.encoder.iter().fold(x, |features, layer| leaky(layer.forward(&features)));
        let mut features = self.bottleneck.forward(&down);
        for (index, layer) in self.decoder.iter().enumerate() {
            features = layer.forward(&features);
            if index + 1 < self.decoder.len() {
                features = leaky(features);
            }
        }
        features
    }
}

/// Leaky ReLU with libtorch's slope below zero, 0.01, which is the reference's; in the tensor's own memory.
fn leaky(mut x: Tensor) -> Tensor {
    x.leaky_relu_()
}
