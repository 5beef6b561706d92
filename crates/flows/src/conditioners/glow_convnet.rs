//! Glow's st-network: three convolutions with ReLU, the last of which starts at zero (models.md 2.6, `glow_convnet`).

use architecture::NetworkShape;
use tch::Tensor;

use super::Conditioner;
use super::convolution::Convolution;
use crate::bijection::Mode;
use crate::memory_order::MemoryOrder;
use crate::parameters::Scope;

/// The deviation of the initial weights.
const DEVIATION: f64 = 0.05;

/// 3x3, ReLU, 1x1, ReLU, 3x3 (Kingma and Dhariwal 2018, section 4).
#[derive(Debug)]
pub struct GlowConvnet {
    memory_order: MemoryOrder,
    input: Convolution,
    hidden: Convolution,
    output: Convolution,
}

impl GlowConvnet {
    /// A network of `width` hidden channels.
    pub fn new(scope: &mut Scope<'_>, shape: NetworkShape, width: i64) -> Self {
        Self {
            memory_order: scope.memory_order(),
            input: Convolution::normal(&mut scope.enter("input"), shape.inputs, width, 3, DEVIATION),
            hidden: Convolution::normal(&mut scope.enter("hidden"), width, width, 1, DEVIATION),
            output: Convolution::zeros(&mut scope.enter("output"), width, shape.outputs, 3),
        }
    }
}

impl Conditioner for GlowConvnet {
    fn forward(&self, x: &Tensor, _mode: Mode) -> Tensor {
        let features = self.input.forward(&self.memory_order.arrange(x)).relu_();
        self.output.forward(&self.hidden.forward(&features).relu_())
    }
}
