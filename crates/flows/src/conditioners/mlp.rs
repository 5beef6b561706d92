//! The fully connected st-network of vectors (models.md 2.8).

use architecture::NetworkShape;
use tch::Tensor;

use super::Conditioner;
use super::linear::Linear;
use crate::bijection::Mode;
use crate::parameters::Scope;

/// Linear layers with ReLU between them. The reference's dropout, which none of its experiments turns on, is left out.
#[derive(Debug)]
pub struct Mlp {
    hidden: Vec<Linear>,
    output: Linear,
}

impl Mlp {
    /// A network of `1 + layers` hidden layers of `width` numbers.
    pub fn new(scope: &mut Scope<'_>, shape: NetworkShape, width: i64, layers: i64) -> Self {
        let mut linear = |name: &str, inputs, outputs| Linear::uniform(&mut scope.enter(name), inputs, outputs);
        let mut hidden = vec![linear("input", shape.inputs, width)];
        hidden.extend((0..layers).map(|index| linear(&format!("hidden.{index}"), width, width)));
        Self { hidden, output: linear("output", width, shape.outputs) }
    }
}

impl Conditioner for Mlp {
    fn forward(&self, x: &Tensor, _mode: Mode) -> Tensor {
        let features = self.hidden.iter().fold(x.shallow_clone(), |features, layer| layer.forward(&features).relu_());
        self.output.forward(&features)
    }
}
