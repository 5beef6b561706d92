//! The same models in plain tch, layer by layer: what one writes first. Weight norm from separate operations, masks
//! multiplied one by one, tch's own optimisers and gradient clipping, one tensor at a time.

mod networks;

use std::collections::HashMap;

use architecture::{Architecture, Coupling, InputShape, Layer, LayerKind, Mask, Order};
use flows::{Flow, Mode};
use tch::nn::{self, OptimizerConfig};
use tch::{Kind, Tensor};
use training::optimiser::{Decayed, OptimiserKind};

use crate::recipes::Recipe;
use crate::{CLIP_NORM, WEIGHT_DECAY};

/// A model's tensors under our names, and what to do with them.
pub struct Naive {
    architecture: Architecture,
    tensors: HashMap<String, Tensor>,
    optimiser: nn::Optimizer,
}

impl Naive {
    /// A copy of `flow`, which was built from `recipe`.
    pub fn new(recipe: &Recipe, flow: &Flow, learning_rate: f64) -> Self {
        let store = flow.parameters();
        let variables = nn::VarStore::new(store.device());
        let mut tensors = HashMap::new();
        let (kind, decayed) = crate::rule(recipe);
        for parameter in store.parameters() {
            // Group 0 decays.
            let decays = decayed == Decayed::All || parameter.name.ends_with("gain");
            let path = variables.root().set_group(usize::from(!decays));
            let copy = path.var_copy(&parameter.name.replace('.', "_"), &parameter.tensor.detach());
            tensors.insert(parameter.name.clone(), copy);
        }
        for buffer in store.buffers() {
            tensors.insert(buffer.name.clone(), buffer.tensor.copy());
        }
        let optimiser = match kind {
            OptimiserKind::RmsProp { .. } => nn::RmsProp::default().build(&variables, learning_rate),
            _ => nn::Adam::default().build(&variables, learning_rate),
        };
        let mut optimiser = optimiser.expect("the variables have one device");
        optimiser.set_weight_decay_group(0, WEIGHT_DECAY);
        Self { architecture: recipe.architecture.clone(), tensors, optimiser }
    }

    /// One training step; the loss before the update.
    pub fn step(&mut self, examples: &Tensor, noise: Option<&Tensor>) -> f64 {
        let loss = -self.log_likelihood(examples, noise, Mode::Train).mean(Kind::Float);
        self.optimiser.zero_grad();
        loss.backward();
        self.optimiser.clip_grad_norm(CLIP_NORM);
        self.optimiser.step();
        loss.double_value(&[])
    }

    /// `[b]` in nats.
    fn log_likelihood(&self, examples: &Tensor, noise: Option<&Tensor>, mode: Mode) -> Tensor {
        let dimensions = self.architecture.input.dimensions() as f64;
        let (mut x, mut log_det) = match self.architecture.input {
            InputShape::Vector { .. } => (examples.shallow_clone(), Tensor::from(0.0)),
            InputShape::Image { .. } => logits(examples, noise.expect("images come with noise")),
        };
        let mut latents = Vec::new();
        for layer in &self.architecture.layers {
            match &layer.kind {
                LayerKind::Factor { keep, .. } => {
                    latents.push(x.narrow(1, *keep, x.size()[1] - keep).flatten(1, -1));
                    x = x.narrow(1, 0, *keep);
                }
                LayerKind::Squeeze(_) => x = x.pixel_unshuffle(2),
                _ => {
                    let (y, term) = self.layer(layer, &x, mode);
                    (x, log_det) = (y, log_det + term);
                }
            }
        }
        latents.push(x.flatten(1, -1));
        let z = Tensor::cat(&latents, 1);
        let normal: Tensor = (z.square() + std::f64::consts::TAU.ln()) * -0.5;
        normal.sum_dim_intlist(1, false, Kind::Float) + log_det - dimensions * 256f64.ln()
    }

    fn layer(&self, layer: &Layer, x: &Tensor, mode: Mode) -> (Tensor, Tensor) {
        let pixels = layer.input[1..].iter().product::<i64>() as f64;
        match &layer.kind {
            LayerKind::ActNorm => {
                let log_scale = self.get(&layer.name, "log_scale");
                let y = (x + self.get(&layer.name, "shift")) * log_scale.exp();
                (y, log_scale.sum(Kind::Float) * pixels)
            }
            LayerKind::PointwiseConvolution(_) => {
                let weight = self.get(&layer.name, "weight");
                let size = weight.size();
                let kernel = weight.view([size[0], size[1], 1, 1]);
                let y = x.conv2d(&kernel, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1);
                (y, weight.slogdet().1 * pixels)
            }
            LayerKind::Coupling(coupling) => match coupling.mask {
                Mask::Channels(order) => self.channel_coupling(&layer.name, coupling, x, order, mode),
                _ => self.masked_coupling(&layer.name, coupling, x, mode),
            },
            LayerKind::Factor { .. } | LayerKind::Squeeze(_) => unreachable!("these change the shape"),
        }
    }

    fn masked_coupling(&self, name: &str, coupling: &Coupling, x: &Tensor, mode: Mode) -> (Tensor, Tensor) {
        let factors = factors(coupling.mask, x);
        let (seen, changed) = (factors.seen, factors.changed);
        let x_id = x * &seen;
        let x_change = x * (1.0 - &seen);
        let st = self.network(name, coupling, &x_id, mode).chunk(2, 1);
        let s = self.rescale(name) * st[0].tanh() * &changed;
        let t = &st[1] * &changed;
        let y: Tensor = (x_change + t) * s.exp() + x_id;
        (y, s.flatten(1, -1).sum_dim_intlist(1, false, Kind::Float))
    }

    fn channel_coupling(
        &self,
        name: &str,
        coupling: &Coupling,
        x: &Tensor,
        order: Order,
        mode: Mode,
    ) -> (Tensor, Tensor) {
        let halves = x.chunk(2, 1);
        let (x_id, x_change) = match order {
            Order::Plain => (&halves[1], &halves[0]),
            Order::Reversed => (&halves[0], &halves[1]),
        };
        let st = self.network(name, coupling, x_id, mode).chunk(2, 1);
        let s = self.rescale(name) * st[0].tanh();
        let y = (x_change + &st[1]) * s.exp();
        let output = match order {
            Order::Plain => Tensor::cat(&[&y, x_id], 1),
            Order::Reversed => Tensor::cat(&[x_id, &y], 1),
        };
        (output, s.flatten(1, -1).sum_dim_intlist(1, false, Kind::Float))
    }

    fn rescale(&self, coupling: &str) -> Tensor {
        let name = format!("{coupling}.rescale");
        let direction = self.get(&name, "direction");
        self.get(&name, "gain") * direction / direction.abs()
    }

    fn get(&self, layer: &str, tensor: &str) -> &Tensor {
        &self.tensors[&format!("{layer}.{tensor}")]
    }
}

/// Logits of dequantised images and their log-determinant.
fn logits(images: &Tensor, noise: &Tensor) -> (Tensor, Tensor) {
    let y: Tensor = (images * 255.0 + noise) / 256.0;
    let p: Tensor = ((y * 2.0 - 1.0) * 0.9 + 1.0) / 2.0;
    let q: Tensor = 1.0 - &p;
    let x: Tensor = p.log() - q.log();
    let dimensions = x.size()[1..].iter().product::<i64>() as f64;
    let pieces: Tensor = x.softplus() + (-&x).softplus() + 0.9f64.ln();
    let log_det: Tensor = pieces.flatten(1, -1).sum_dim_intlist(1, false, Kind::Float);
    (x, log_det + dimensions * (255.0f64 / 256.0).ln())
}

fn factors(mask: Mask, x: &Tensor) -> flows::masks::Factors {
    let size = x.size();
    match mask {
        Mask::Features(order) => flows::masks::Factors::of_features(order, size[1], x.kind(), x.device()),
        mask => flows::masks::Factors::of_pixels(mask, [size[2], size[3]], x.kind(), x.device()),
    }
}
