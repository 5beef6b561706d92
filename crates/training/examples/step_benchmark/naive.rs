//! The same RealNVP in plain tch, layer by layer: what one writes first. Weight norm from separate operations, masks
//! multiplied one by one, tch's own Adam and gradient clipping, one tensor at a time.

use std::collections::HashMap;

use flows::recipes::{MaskScheme, RealNvp, StNetwork};
use flows::{Flow, Mode};
use tch::nn::{self, OptimizerConfig};
use tch::{Kind, Tensor};

/// The network's tensors under our names, and what to do with them.
pub struct Naive {
    recipe: RealNvp,
    tensors: HashMap<String, Tensor>,
    optimiser: nn::Optimizer,
}

impl Naive {
    /// A copy of `flow`, which was built from `recipe`.
    pub fn new(recipe: &RealNvp, flow: &Flow, learning_rate: f64) -> Self {
        let store = flow.parameters();
        let variables = nn::VarStore::new(store.device());
        let mut tensors = HashMap::new();
        for parameter in store.parameters() {
            // Group 0 decays: the gains.
            let group = usize::from(!parameter.name.ends_with("gain"));
            let path = variables.root().set_group(group);
            let copy = path.var_copy(&parameter.name.replace('.', "_"), &parameter.tensor.detach());
            tensors.insert(parameter.name.clone(), copy);
        }
        for buffer in store.buffers() {
            tensors.insert(buffer.name.clone(), buffer.tensor.copy());
        }
        let mut optimiser =
            nn::Adam::default().build(&variables, learning_rate).expect("the variables have one device");
        optimiser.set_weight_decay_group(0, 5e-5);
        Self { recipe: recipe.clone(), tensors, optimiser }
    }

    /// One training step; the loss before the update.
    pub fn step(&mut self, images: &Tensor, noise: &Tensor) -> Tensor {
        let loss = -self.log_likelihood(images, noise, Mode::Train).mean(Kind::Float);
        self.optimiser.zero_grad();
        loss.backward();
        self.optimiser.clip_grad_norm(100.0);
        self.optimiser.step();
        loss
    }

    /// `[b]` in nats.
    pub fn log_likelihood(&self, images: &Tensor, noise: &Tensor, mode: Mode) -> Tensor {
        let y: Tensor = (images * 255.0 + noise) / 256.0;
        let p: Tensor = ((y * 2.0 - 1.0) * 0.9 + 1.0) / 2.0;
        let q: Tensor = 1.0 - &p;
        let x: Tensor = p.log() - q.log();
        let dimensions = x.size()[1..].iter().product::<i64>() as f64;
        let pieces: Tensor = x.softplus() + (-&x).softplus() + 0.9f64.ln();
        let mut log_det: Tensor = pieces.flatten(1, -1).sum_dim_intlist(1, false, Kind::Float);
        log_det += dimensions * (255.0f64 / 256.0).ln();
        let (z, couplings) = if self.recipe.scales > 1 { self.scales(x, mode) } else { self.stack(x, mode) };
        log_det += couplings;
        let normal: Tensor = (z.square() + std::f64::consts::TAU.ln()) * -0.5;
        normal.sum_dim_intlist(1, false, Kind::Float) + log_det - dimensions * 256f64.ln()
    }

    fn stack(&self, x: Tensor, mode: Mode) -> (Tensor, Tensor) {
        let (mut x, mut log_det) = (x, Tensor::from(0.0));
        for index in 0..self.recipe.couplings {
            let (seen, changed) = self.masks(&x, index);
            let doubled = self.recipe.mask == MaskScheme::Checkerboard;
            let (y, term) = self.pixel_coupling(index, &x, &seen, &changed, doubled, mode);
            (x, log_det) = (y, log_det + term);
        }
        (x.flatten(1, -1), log_det)
    }

    fn scales(&self, x: Tensor, mode: Mode) -> (Tensor, Tensor) {
        let (mut x, mut log_det, mut latents, mut index) = (x, Tensor::from(0.0), Vec::new(), 0);
        for scale in 0..self.recipe.scales {
            let last = scale + 1 == self.recipe.scales;
            for position in 0..if last { 4 } else { 3 } {
                let (seen, changed) = self.masks(&x, position);
                let (y, term) = self.pixel_coupling(index, &x, &seen, &changed, true, mode);
                (x, log_det, index) = (y, log_det + term, index + 1);
            }
            if !last {
                x = x.pixel_unshuffle(2);
                for position in 0..3 {
                    let (y, term) = self.channel_coupling(index, &x, position % 2 == 1, mode);
                    (x, log_det, index) = (y, log_det + term, index + 1);
                }
                let halves = x.chunk(2, 1);
                latents.push(halves[1].flatten(1, -1));
                x = halves[0].shallow_clone();
            }
        }
        latents.push(x.flatten(1, -1));
        (Tensor::cat(&latents, 1), log_det)
    }

    fn pixel_coupling(
        &self,
        index: u32,
        x: &Tensor,
        seen: &Tensor,
        changed: &Tensor,
        doubled: bool,
        mode: Mode,
    ) -> (Tensor, Tensor) {
        let x_id = x * seen;
        let x_change = x * (1.0 - seen);
        let st = self.network(index, &x_id, doubled, mode).chunk(2, 1);
        let s = self.rescale(index) * st[0].tanh() * changed;
        let t = &st[1] * changed;
        let y: Tensor = (x_change + t) * s.exp() + x_id;
        (y, s.flatten(1, -1).sum_dim_intlist(1, false, Kind::Float))
    }

    fn channel_coupling(&self, index: u32, x: &Tensor, reversed: bool, mode: Mode) -> (Tensor, Tensor) {
        let halves = x.chunk(2, 1);
        let (x_id, x_change) = if reversed { (&halves[0], &halves[1]) } else { (&halves[1], &halves[0]) };
        let st = self.network(index, x_id, false, mode).chunk(2, 1);
        let s = self.rescale(index) * st[0].tanh();
        let y = (x_change + &st[1]) * s.exp();
        let output = if reversed { Tensor::cat(&[x_id, &y], 1) } else { Tensor::cat(&[&y, x_id], 1) };
        (output, s.flatten(1, -1).sum_dim_intlist(1, false, Kind::Float))
    }

    fn network(&self, index: u32, x: &Tensor, doubled: bool, mode: Mode) -> Tensor {
        let StNetwork::Resnet { blocks, .. } = self.recipe.st_network;
        let prefix = format!("couplings.{index}.network");
        let mut a = self.batch_norm(&format!("{prefix}.input_norm"), x, mode);
        if doubled {
            a *= 2.0;
        }
        let mut h = self.convolution(&format!("{prefix}.input"), &Tensor::cat(&[&a, &(-&a)], 1).relu(), 1);
        let mut sum = self.convolution(&format!("{prefix}.input_skip"), &h, 0);
        for block in 0..blocks {
            let block = format!("{prefix}.blocks.{block}");
            let first = self.batch_norm(&format!("{block}.first_norm"), &h, mode).relu();
            let first = self.convolution(&format!("{block}.first"), &first, 1);
            let second = self.batch_norm(&format!("{block}.second_norm"), &first, mode).relu();
            h = self.convolution(&format!("{block}.second"), &second, 1) + h;
            sum += self.convolution(&format!("{block}.skip"), &h, 0);
        }
        let out = self.batch_norm(&format!("{prefix}.output_norm"), &sum, mode).relu();
        self.convolution(&format!("{prefix}.output"), &out, 0)
    }

    fn convolution(&self, name: &str, x: &Tensor, padding: i64) -> Tensor {
        let weight = weight_norm(self.get(name, "direction"), self.get(name, "gain"));
        let bias = self.tensors.get(&format!("{name}.bias"));
        x.conv2d(&weight, bias, [1, 1], [padding, padding], [1, 1], 1)
    }

    fn batch_norm(&self, name: &str, x: &Tensor, mode: Mode) -> Tensor {
        x.batch_norm(
            Some(self.get(name, "scale")),
            Some(self.get(name, "shift")),
            Some(self.get(name, "running_mean")),
            Some(self.get(name, "running_variance")),
            mode == Mode::Train,
            0.1,
            1e-5,
            true,
        )
    }

    fn rescale(&self, index: u32) -> Tensor {
        let name = format!("couplings.{index}.rescale");
        let direction = self.get(&name, "direction");
        self.get(&name, "gain") * direction / direction.abs()
    }

    fn get(&self, layer: &str, tensor: &str) -> &Tensor {
        &self.tensors[&format!("{layer}.{tensor}")]
    }

    fn masks(&self, x: &Tensor, position: u32) -> (Tensor, Tensor) {
        use flows::masks::{Parity, Quadrant, SpatialMask};
        let mask = match self.recipe.mask {
            MaskScheme::Checkerboard => SpatialMask::Checkerboard(Parity::of_position(position)),
            MaskScheme::Horizontal => SpatialMask::Horizontal(Parity::of_position(position)),
            MaskScheme::Cycle => SpatialMask::Cycle(Quadrant::CLOCKWISE[position as usize % 4]),
        };
        let size = x.size();
        let factors = mask.factors([size[2], size[3]], x.kind(), x.device());
        (factors.seen, factors.changed)
    }
}

/// `g v / |v|` per output channel.
fn weight_norm(direction: &Tensor, gain: &Tensor) -> Tensor {
    let length = direction.square().sum_dim_intlist([1i64, 2, 3].as_slice(), true, Kind::Float).sqrt();
    direction / length * gain
}
