//! Everything that the laws are checked on: each layer, mask, transform, st-network and recipe, with perturbed weights in
//! double precision. A new one joins in `layers.rs`, `networks.rs` or `recipes.rs`.

mod layers;
mod networks;
mod recipes;

pub use layers::{layers, masks};
pub use networks::{autoencoders, networks};
pub use recipes::{Recipe, image_recipes, recipes, tabular};

use flows::architecture::{Architecture, InputShape, Layer, LayerKind, Parity, StNetwork, Tabular, Transform};
use flows::init::{self, Key};
use flows::layers::Logit;
use flows::parameters::{ParameterStore, Role};
use flows::{Bijection, Flow, Mode, Transformed};
use tch::{Device, Kind, Tensor, no_grad};

pub const SEED: u64 = 20_200_615;

/// A bijection with the shape it takes and the rows of the error table that it belongs to.
pub struct Subject {
    pub name: String,
    pub kinds: Vec<String>,
    pub input: Vec<i64>,
    body: Body,
}

enum Body {
    Logit,
    /// The chain of a flow, from logits (or a vector) to the latent vector.
    Chain(Flow),
}

impl Subject {
    fn logit() -> Self {
        Self { name: "logit".to_owned(), kinds: vec!["logit".to_owned()], input: vec![2, 3, 3], body: Body::Logit }
    }

    /// One layer, perturbed.
    pub fn layer(name: String, kinds: Vec<String>, kind: LayerKind, input: &[i64]) -> Self {
        let flow = perturbed_flow(&single(kind, input));
        Self { name, kinds, input: input.to_vec(), body: Body::Chain(flow) }
    }

    /// The whole chain of a recipe, perturbed.
    pub fn chain(recipe: &Recipe) -> Self {
        let flow = perturbed_flow(&recipe.architecture);
        let input = recipe.architecture.input.sizes();
        Self { name: recipe.name.clone(), kinds: vec![recipe.kind.clone()], input, body: Body::Chain(flow) }
    }

    /// A batch of inputs where the subject is defined: pixels for the logit layer, logits for the others.
    pub fn inputs(&self, batch: i64) -> Tensor {
        let size: Vec<i64> = [batch].into_iter().chain(self.input.iter().copied()).collect();
        match self.body {
            Body::Logit => uniform("pixels", &size, 0.45) + 0.5,
            Body::Chain(_) => uniform(&format!("inputs of {}", self.name), &size, 2.0),
        }
    }

    pub fn dimensions(&self) -> i64 {
        self.input.iter().product()
    }

    pub fn parameters(&self) -> Option<&ParameterStore> {
        match &self.body {
            Body::Logit => None,
            Body::Chain(flow) => Some(flow.parameters()),
        }
    }

    pub fn forward(&self, x: &Tensor, mode: Mode) -> Transformed {
        match &self.body {
            Body::Logit => Logit.forward(x, mode),
            Body::Chain(flow) => flow.chain().forward(x, mode),
        }
    }

    pub fn inverse(&self, z: &Tensor, mode: Mode) -> Transformed {
        match &self.body {
            Body::Logit => Logit.inverse(z, mode),
            Body::Chain(flow) => flow.chain().inverse(z, mode),
        }
    }
}

/// Every subject but the autoencoders, whose images are larger.
pub fn all() -> Vec<Subject> {
    let mut subjects = layers();
    subjects.extend(masks());
    subjects.extend(networks());
    subjects.extend(recipes().iter().map(Subject::chain));
    subjects
}

/// The architecture of a single layer named `layer`.
pub fn single(kind: LayerKind, input: &[i64]) -> Architecture {
    let side = |size: i64| u32::try_from(size).unwrap();
    let shape = match *input {
        [channels, height, width] => {
            InputShape::Image { channels: side(channels), height: side(height), width: side(width) }
        }
        [features] => InputShape::Vector { features: side(features) },
        _ => panic!("{input:?} is no shape of an example"),
    };
    // Architectures come from recipes alone; this one lends its frame.
    let frame = Tabular {
        input: InputShape::Vector { features: 2 },
        parity: Parity::Corrected,
        couplings: 1,
        network: StNetwork::Mlp { width: 1, layers: 0 },
        transform: Transform::Additive,
    };
    let mut architecture = frame.compose().unwrap();
    architecture.input = shape;
    architecture.layers = vec![Layer { name: "layer".to_owned(), kind, input: input.to_vec() }];
    architecture
}

/// Values in (-bound, bound) by name, the same in every run.
pub fn uniform(name: &str, shape: &[i64], bound: f64) -> Tensor {
    init::uniform(Key { seed: SEED, name }, shape, bound, Kind::Double, Device::Cpu)
}

/// Draws from a standard normal by name, the same in every run.
pub fn normal(name: &str, shape: &[i64]) -> Tensor {
    init::normal(Key { seed: SEED, name }, shape, 1.0, Kind::Double, Device::Cpu)
}

/// The flow as it is built, in double precision.
pub fn fresh_flow(architecture: &Architecture) -> Flow {
    // The tensors are small: threads would only wait for each other.
    tch::set_num_threads(1);
    Flow::build(architecture, SEED, Kind::Double, Device::Cpu).unwrap_or_else(|error| panic!("{error}"))
}

/// The flow with perturbed weights.
pub fn perturbed_flow(architecture: &Architecture) -> Flow {
    let flow = fresh_flow(architecture);
    perturb(flow.parameters());
    flow
}

/// Moves every tensor away from its initial value, so that no zero and no one hides an error, and marks act norms as
/// initialised, so that none takes its first batch.
fn perturb(parameters: &ParameterStore) {
    no_grad(|| {
        for parameter in parameters.parameters() {
            let size = parameter.tensor.size();
            let bound = match parameter.role {
                // Some directions of rescales change their sign.
                Role::Weight if parameter.name.ends_with("rescale.direction") => 1.5,
                // Less where many weights are summed.
                Role::Weight if size.len() > 1 => (1.0 / (size[1..].iter().product::<i64>() as f64).sqrt()).min(0.3),
                Role::Weight | Role::Gain => 0.3,
            };
            let mut tensor = parameter.tensor.shallow_clone();
            tensor += uniform(&format!("noise on {}", parameter.name), &size, bound);
        }
        for buffer in parameters.buffers() {
            let mut tensor = buffer.tensor.shallow_clone();
            if buffer.name.ends_with("initialised") {
                let _ = tensor.fill_(1);
            } else if buffer.name.contains("running_") {
                tensor += uniform(&format!("noise on {}", buffer.name), &tensor.size(), 0.3);
            }
        }
    });
}
