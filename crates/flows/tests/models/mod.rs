//! The models that several tests build, under the reference's names; all in parity with it.

use architecture::recipes::Body;
use architecture::{
    Architecture, Glow, InputShape, Mask, Order, Parity, PointwiseConvolution, RealNvp, SplitPrior, Squeeze, StNetwork,
    Tabular, Transform,
};

/// Fashion-MNIST and MNIST.
pub const GREY: InputShape = InputShape::Image { channels: 1, height: 28, width: 28 };
/// CelebA, CIFAR-10 and SVHN.
pub const COLOUR: InputShape = InputShape::Image { channels: 3, height: 32, width: 32 };
/// The networks of most checks: two residual blocks of width 8.
pub const RESNET: StNetwork = StNetwork::Resnet { width: 8, blocks: 2, batch_norm: true, skip: true };

/// The multi-scale `RealNVP`.
pub fn multi_scale(input: InputShape, scales: u32, network: StNetwork) -> Architecture {
    realnvp(input, Body::Scales(scales), network)
}

/// A single-scale stack.
pub fn stack(input: InputShape, masks: Vec<Mask>, network: StNetwork) -> Architecture {
    realnvp(input, Body::Stack(masks), network)
}

/// A stack's checkerboards, plain and reversed in turn.
pub fn checkerboards(count: u32) -> Vec<Mask> {
    (0..count).map(|position| Mask::Checkerboard(Order::of_position(position))).collect()
}

/// A stack's horizontal halves, plain and reversed in turn.
pub fn horizontals(count: u32) -> Vec<Mask> {
    (0..count).map(|position| Mask::Horizontal(Order::of_position(position))).collect()
}

/// `Glow` over 1x28x28 images: two scales of two steps.
pub fn glow(network: StNetwork) -> Architecture {
    let recipe = Glow {
        input: GREY,
        parity: Parity::FlowsOod,
        scales: 2,
        steps: 2,
        multi_scale: true,
        network,
        convolution: PointwiseConvolution::Full,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    };
    recipe.compose().expect("the reference builds it")
}

/// `RealNVPTabular` with one hidden layer after the first.
pub fn tabular(features: u32, couplings: u32, width: i64) -> Architecture {
    let recipe = Tabular {
        input: InputShape::Vector { features },
        parity: Parity::FlowsOod,
        couplings,
        network: StNetwork::Mlp { width, layers: 1 },
        transform: Transform::Affine,
    };
    recipe.compose().expect("the reference builds it")
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
    recipe.compose().expect("the reference builds it")
}
