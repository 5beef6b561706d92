//! The highway st-network: gates decide how much of each pixel a layer rewrites (models.md 2.6, `highway`).

use architecture::NetworkShape;
use tch::Tensor;

use super::Conditioner;
use super::convolution::Convolution;
use crate::bijection::Mode;
use crate::memory_order::MemoryOrder;
use crate::parameters::Scope;

/// The deviation of the initial weights.
const DEVIATION: f64 = 0.05;

/// 3x3 convolution, gated layers `y = value(x) σ(gate(x)) + x (1 - σ(gate(x)))` (Srivastava, Greff and Schmidhuber 2015,
/// equation 3), 1x1 convolution that starts at zero. The gate is the only nonlinearity.
#[derive(Debug)]
pub struct Highway {
    memory_order: MemoryOrder,
    input: Convolution,
    blocks: Vec<Block>,
    output: Convolution,
}

#[derive(Debug)]
struct Block {
    gate: Convolution,
    value: Convolution,
}

impl Highway {
    /// A network of `blocks` gated layers of `width` channels.
    pub fn new(scope: &mut Scope<'_>, shape: NetworkShape, width: i64, blocks: i64) -> Self {
        let input = Convolution::normal(&mut scope.enter("input"), shape.inputs, width, 3, DEVIATION);
        let blocks = (0..blocks).map(|index| {
            let mut scope = scope.enter(&format!("blocks.{index}"));
            Block {
                gate: Convolution::normal(&mut scope.enter("gate"), width, width, 3, DEVIATION),
                value: Convolution::normal(&mut scope.enter("value"), width, width, 3, DEVIATION),
            }
        });
        let blocks = blocks.collect();
        let output = Convolution::zeros(&mut scope.enter("output"), width, shape.outputs, 1);
        Self { memory_order: scope.memory_order(), input, blocks, output }
    }
}

impl Conditioner for Highway {
    fn forward(&self, x: &Tensor, _mode: Mode) -> Tensor {
        let mut features = self.input.forward(&self.memory_order.arrange(x));
        for block in &self.blocks {
            let gate = block.gate.forward(&features).sigmoid_();
            let value = block.value.forward(&features);
            // value gate + features (1 - gate) with one product less.
            features = &features + (value - &features) * gate;
        }
        self.output.forward(&features)
    }
}
