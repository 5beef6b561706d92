//! Everything that the laws are checked on: each layer, each mask and each recipe, with perturbed weights in double
//! precision. A new mask, layer or recipe joins here.

use flows::conditioners::resnet::{InputDensity, Normalisation, Resnet, ResnetShape, Skip};
use flows::init::{self, Key};
use flows::layers::{Coupling, Logit, Squeeze};
use flows::masks::{Parity, Quadrant, SpatialMask};
use flows::parameters::{ParameterBuilder, ParameterStore, Role};
use flows::recipes::{MaskScheme, Preprocessing, RealNvp, StNetwork};
use flows::{Bijection, Flow, Mode, Transformed};
use tch::{Device, Kind, Tensor, no_grad};

pub const SEED: u64 = 20_200_615;

/// A bijection with the shape it takes and the tensors it is made of.
pub struct Subject {
    pub name: String,
    pub input: [i64; 3],
    body: Body,
}

enum Body {
    Layer {
        bijection: Box<dyn Bijection>,
        parameters: ParameterStore,
    },
    /// The chain of a flow, from logits to the latent vector.
    Chain(Flow),
}

impl Subject {
    /// A batch of inputs in (0, 1), where every layer is defined.
    pub fn inputs(&self, batch: i64) -> Tensor {
        let [channels, height, width] = self.input;
        uniform(&format!("inputs of {}", self.name), &[batch, channels, height, width], 0.45) + 0.5
    }

    pub fn dimensions(&self) -> i64 {
        self.input.iter().product()
    }

    pub fn parameters(&self) -> &ParameterStore {
        match &self.body {
            Body::Layer { parameters, .. } => parameters,
            Body::Chain(flow) => flow.parameters(),
        }
    }

    pub fn forward(&self, x: &Tensor, mode: Mode) -> Transformed {
        match &self.body {
            Body::Layer { bijection, .. } => bijection.forward(x, mode),
            Body::Chain(flow) => flow.chain().forward(x, mode),
        }
    }

    pub fn inverse(&self, z: &Tensor, mode: Mode) -> Transformed {
        match &self.body {
            Body::Layer { bijection, .. } => bijection.inverse(z, mode),
            Body::Chain(flow) => flow.chain().inverse(z, mode),
        }
    }
}

/// Values in (-bound, bound) by name, the same in every run.
pub fn uniform(name: &str, shape: &[i64], bound: f64) -> Tensor {
    init::uniform(Key { seed: SEED, name }, shape, bound, Kind::Double, Device::Cpu)
}

/// All subjects; at most 64 dimensions each.
#[expect(clippy::print_stdout, reason = "a test that draws at random says its seed")]
pub fn all() -> Vec<Subject> {
    println!("weights and inputs are drawn with seed {SEED}");
    let mut subjects = vec![plain("logit", [2, 3, 3], Logit), plain("squeeze", [2, 4, 4], Squeeze)];
    subjects.extend(masks().into_iter().map(|mask| pixel_coupling(mask, [2, 5, 4])));
    subjects.extend([Parity::Plain, Parity::Reversed].map(channel_coupling));
    subjects.extend(recipes().into_iter().map(|(name, recipe)| Subject {
        name,
        input: recipe.input,
        body: Body::Chain(perturbed_flow(&recipe)),
    }));
    subjects
}

/// The subjects that are one coupling.
pub fn couplings() -> Vec<Subject> {
    let mut subjects: Vec<Subject> = masks().into_iter().map(|mask| pixel_coupling(mask, [2, 5, 4])).collect();
    subjects.extend([Parity::Plain, Parity::Reversed].map(channel_coupling));
    subjects
}

fn masks() -> Vec<SpatialMask> {
    let both = [Parity::Plain, Parity::Reversed];
    let mut masks: Vec<SpatialMask> = both.map(SpatialMask::Checkerboard).into();
    masks.extend(both.map(SpatialMask::Horizontal));
    masks.extend(Quadrant::CLOCKWISE.map(SpatialMask::Cycle));
    masks
}

/// Every scheme and every form of the resnet.
pub fn recipes() -> Vec<(String, RealNvp)> {
    let mut recipes = Vec::new();
    for (batch_norm, skip) in [(true, true), (true, false), (false, true), (false, false)] {
        let st_network = StNetwork::Resnet { width: 4, blocks: 1, batch_norm, skip };
        for (mask, input, scales) in [
            (MaskScheme::Checkerboard, [1, 8, 8], 2),
            (MaskScheme::Checkerboard, [1, 8, 8], 3),
            (MaskScheme::Checkerboard, [1, 5, 6], 1),
            (MaskScheme::Horizontal, [1, 5, 6], 1),
            (MaskScheme::Cycle, [3, 4, 4], 1),
        ] {
            let preprocessing = Preprocessing::Exact;
            let recipe = RealNvp { input, mask, scales, couplings: 4, st_network, preprocessing };
            recipes.push((format!("{mask:?}, {scales} scales, {st_network:?}"), recipe));
        }
    }
    recipes
}

/// A flow of the recipe with perturbed weights.
pub fn perturbed_flow(recipe: &RealNvp) -> Flow {
    let flow = recipe.build(SEED, Kind::Double, Device::Cpu).expect("the recipe is valid");
    perturb(flow.parameters());
    flow
}

fn plain(name: &str, input: [i64; 3], bijection: impl Bijection + 'static) -> Subject {
    let parameters = ParameterBuilder::new(SEED, Kind::Double, Device::Cpu).finish();
    Subject { name: name.to_owned(), input, body: Body::Layer { bijection: Box::new(bijection), parameters } }
}

fn pixel_coupling(mask: SpatialMask, input: [i64; 3]) -> Subject {
    let density = match mask {
        SpatialMask::Checkerboard(_) => InputDensity::Half,
        SpatialMask::Horizontal(_) | SpatialMask::Cycle(_) => InputDensity::Full,
    };
    let mut builder = ParameterBuilder::new(SEED, Kind::Double, Device::Cpu);
    let mut scope = builder.root();
    let network = Box::new(Resnet::new(&mut scope.enter("network"), input[0], density, NETWORK));
    let coupling = Coupling::over_pixels(&mut scope, mask, input[0], [input[1], input[2]], network);
    finish(format!("coupling over {mask:?}"), input, coupling, builder)
}

fn channel_coupling(parity: Parity) -> Subject {
    let mut builder = ParameterBuilder::new(SEED, Kind::Double, Device::Cpu);
    let mut scope = builder.root();
    let network = Box::new(Resnet::new(&mut scope.enter("network"), 2, InputDensity::Full, NETWORK));
    let coupling = Coupling::over_channels(&mut scope, parity, 4, network);
    finish(format!("coupling over channels, {parity:?}"), [4, 3, 3], coupling, builder)
}

const NETWORK: ResnetShape =
    ResnetShape { width: 5, blocks: 2, normalisation: Normalisation::Batch, skip: Skip::EveryBlock };

fn finish(name: String, input: [i64; 3], coupling: Coupling, builder: ParameterBuilder) -> Subject {
    let parameters = builder.finish();
    perturb(&parameters);
    Subject { name, input, body: Body::Layer { bijection: Box::new(coupling), parameters } }
}

/// Moves every tensor away from its initial value, so that no zero and no one hides an error.
fn perturb(parameters: &ParameterStore) {
    // The tensors are small: threads would only wait for each other.
    tch::set_num_threads(1);
    no_grad(|| {
        for parameter in parameters.parameters() {
            let noise = uniform(&format!("noise on {}", parameter.name), &parameter.tensor.size(), 0.3);
            let noise = match parameter.role {
                Role::Gain => noise,
                // Some directions of rescales change their sign.
                Role::Weight if parameter.name.ends_with("rescale.direction") => noise * 5.0,
                Role::Weight => noise,
            };
            let mut tensor = parameter.tensor.shallow_clone();
            tensor += noise;
        }
        for buffer in parameters.buffers().iter().filter(|buffer| buffer.tensor.kind() == Kind::Double) {
            let mut tensor = buffer.tensor.shallow_clone();
            tensor += uniform(&format!("noise on {}", buffer.name), &tensor.size(), 0.3);
        }
    });
}
