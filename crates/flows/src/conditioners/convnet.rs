//! The linear convolutional st-network: weight-normalised convolutions with nothing between them (models.md 2.6,
//! `convnet`).

use architecture::NetworkShape;
use tch::Tensor;

use super::Conditioner;
use super::weight_norm::{Bias, WeightNormConvolution};
use crate::bijection::Mode;
use crate::memory_order::MemoryOrder;
use crate::parameters::Scope;

/// 3x3 convolution, `blocks` 3x3 convolutions, 1x1 convolution.
#[derive(Debug)]
pub struct Convnet {
    memory_order: MemoryOrder,
    convolutions: Vec<WeightNormConvolution>,
}

impl Convnet {
    /// A network with `blocks` hidden convolutions of `width` channels.
    pub fn new(scope: &mut Scope<'_>, shape: NetworkShape, width: i64, blocks: i64) -> Self {
        let memory_order = scope.memory_order();
        let mut convolution = |name: &str, inputs, outputs, size| {
            WeightNormConvolution::new(&mut scope.enter(name), inputs, outputs, size, Bias::Learned)
        };
        let mut convolutions = vec![convolution("input", shape.inputs, width, 3)];
        convolutions.extend((0..blocks).map(|index| convolution(&format!("blocks.{index}"), width, width, 3)));
        convolutions.push(convolution("output", width, shape.outputs, 1));
        Self { memory_order, convolutions }
    }
}

impl Conditioner for Convnet {
    fn forward(&self, x: &Tensor, _mode: Mode) -> Tensor {
        let x = self.memory_order.arrange(x);
        self.convolutions.iter().fold(x, |features, convolution| convolution.forward(&features))
    }
}
