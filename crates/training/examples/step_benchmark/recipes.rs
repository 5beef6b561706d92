//! What is measured: the demo's models, and those of the paper at their full size.

use architecture::recipes::Body;
use architecture::{
    Architecture, Glow, InputShape, Mask, Order, Parity, PointwiseConvolution, RealNvp, SplitPrior, Squeeze, StNetwork,
    Tabular, Transform,
};

const GREY: InputShape = InputShape::Image { channels: 1, height: 28, width: 28 };
const COLOUR: InputShape = InputShape::Image { channels: 3, height: 32, width: 32 };

/// A model with its name in the table.
pub struct Recipe {
    pub name: &'static str,
    pub architecture: Architecture,
}

impl Recipe {
    /// Examples per step in the reference's runs (models.md 4.3).
    pub fn default_batch(&self) -> u32 {
        match self.architecture.input {
            InputShape::Image { .. } => 32,
            InputShape::Vector { .. } => 1024,
        }
    }
}

/// Every recipe, small ones first.
pub fn all() -> Vec<Recipe> {
    let recipe = |name, architecture| Recipe { name, architecture };
    let checkerboards = || (0..8).map(|at| Mask::Checkerboard(Order::of_position(at))).collect();
    let horizontals = || (0..8).map(|at| Mask::Horizontal(Order::of_position(at))).collect();
    let bottleneck = StNetwork::ResnetAutoencoder { width: 64, blocks: 6, latent: 50, batch_norm: true };
    vec![
        recipe("demo checkerboard", realnvp(GREY, Body::Scales(2), resnet(16, 2))),
        recipe("demo horizontal", realnvp(GREY, Body::Stack(horizontals()), resnet(16, 2))),
        recipe("demo cycle", realnvp(GREY, Body::Stack(Mask::cycle(8)), resnet(16, 2))),
        recipe("realnvp fashion-mnist", realnvp(GREY, Body::Scales(2), resnet(64, 6))),
        recipe("realnvp celeba", realnvp(COLOUR, Body::Scales(3), resnet(64, 8))),
        recipe("eight checkerboards", realnvp(GREY, Body::Stack(checkerboards()), resnet(64, 6))),
        recipe("eight horizontals", realnvp(GREY, Body::Stack(horizontals()), resnet(64, 6))),
        recipe("cycle", realnvp(GREY, Body::Stack(Mask::cycle(8)), resnet(64, 6))),
        recipe("convnet", realnvp(GREY, Body::Scales(2), StNetwork::Convnet { width: 64, blocks: 6 })),
        recipe("autoencoder l=50", realnvp(GREY, Body::Scales(2), StNetwork::Autoencoder { latent: 50 })),
        recipe("resnet bottleneck l=50", realnvp(GREY, Body::Scales(2), bottleneck)),
        recipe("glow fashion-mnist", glow(GREY, 2, 16, 200)),
        recipe("glow celeba", glow(COLOUR, 3, 8, 400)),
        recipe("tabular hepmass", tabular(15, 256)),
        recipe("tabular miniboone", tabular(50, 256)),
        recipe("embeddings", tabular(1792, 512)),
    ]
}

fn resnet(width: i64, blocks: i64) -> StNetwork {
    StNetwork::Resnet { width, blocks, batch_norm: true, skip: true }
}

fn realnvp(input: InputShape, body: Body, network: StNetwork) -> Architecture {
    let recipe = RealNvp {
        input,
        parity: Parity::FlowsOod,
        body,
        network,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    };
    recipe.compose().expect("the paper trained it")
}

fn glow(input: InputShape, scales: u32, steps: u32, width: i64) -> Architecture {
    let recipe = Glow {
        input,
        parity: Parity::FlowsOod,
        scales,
        steps,
        multi_scale: true,
        network: StNetwork::Highway { width, blocks: 3 },
        convolution: PointwiseConvolution::Full,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    };
    recipe.compose().expect("the paper trained it")
}

fn tabular(features: u32, width: i64) -> Architecture {
    let recipe = Tabular {
        input: InputShape::Vector { features },
        parity: Parity::FlowsOod,
        couplings: 8,
        network: StNetwork::Mlp { width, layers: 1 },
        transform: Transform::Affine,
    };
    recipe.compose().expect("the reference builds it")
}
