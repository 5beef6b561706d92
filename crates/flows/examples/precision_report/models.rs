//! The baseline recipes.

use flows::architecture::recipes::Body;
use flows::architecture::{
    Architecture, Glow, InputShape, Mask, Misfit, Order, Parity, PointwiseConvolution, RealNvp, SplitPrior, Squeeze,
    StNetwork, Tabular, Transform,
};

/// A recipe and how much of it fits a report of two minutes.
pub struct Model {
    pub name: &'static str,
    pub architecture: Architecture,
    /// Examples of a training step.
    pub batch: i64,
    /// The training steps are divided by this.
    pub share_of_steps: i32,
    /// The measured examples are divided by this.
    pub share_of_examples: i64,
}

const IMAGE: InputShape = InputShape::Image { channels: 1, height: 28, width: 28 };

/// Every baseline recipe at 1×28×28, and a tabular one.
pub fn all() -> Vec<Model> {
    let narrow = resnet(16, 2);
    let of_orders = |mask: fn(Order) -> Mask| (0..8).map(|index| mask(Order::of_position(index))).collect();
    let model = |name, composed: Result<Architecture, Misfit>| Model {
        name,
        architecture: composed.expect("the baseline recipes are sound"),
        batch: 8,
        share_of_steps: 1,
        share_of_examples: 1,
    };
    let wide = model("realnvp 2 scales, 64x6", realnvp(Body::Scales(2), resnet(64, 6)));
    vec![
        model("realnvp 2 scales, 16x2", realnvp(Body::Scales(2), narrow.clone())),
        Model { batch: 4, share_of_steps: 5, share_of_examples: 4, ..wide },
        model("checkerboard 8, 16x2", realnvp(Body::Stack(of_orders(Mask::Checkerboard)), narrow.clone())),
        model("cycle 8, 16x2", realnvp(Body::Stack(Mask::cycle(8)), narrow.clone())),
        model("horizontal 8, 16x2", realnvp(Body::Stack(of_orders(Mask::Horizontal)), narrow)),
        model("glow 2 scales, 4 steps", glow()),
        model("tabular 21, 8 couplings", tabular()),
    ]
}

fn resnet(width: i64, blocks: i64) -> StNetwork {
    StNetwork::Resnet { width, blocks, batch_norm: true, skip: true }
}

fn realnvp(body: Body, network: StNetwork) -> Result<Architecture, Misfit> {
    let recipe = RealNvp {
        input: IMAGE,
        parity: Parity::Corrected,
        body,
        network,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    };
    recipe.compose()
}

fn glow() -> Result<Architecture, Misfit> {
    let recipe = Glow {
        input: IMAGE,
        parity: Parity::Corrected,
        scales: 2,
        steps: 4,
        multi_scale: true,
        network: StNetwork::GlowConvnet { width: 64 },
        convolution: PointwiseConvolution::Full,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    };
    recipe.compose()
}

fn tabular() -> Result<Architecture, Misfit> {
    let recipe = Tabular {
        input: InputShape::Vector { features: 21 },
        parity: Parity::Corrected,
        couplings: 8,
        network: StNetwork::Mlp { width: 256, layers: 1 },
        transform: Transform::Affine,
    };
    recipe.compose()
}
