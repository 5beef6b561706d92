//! What the descriptions say of a model's tensors is what is built: names, shapes, roles, order and counts.

use architecture::recipes::Body;
use architecture::{
    Architecture, Count, Glow, InputShape, Mask, Order, Parity, PointwiseConvolution, Quadrant, RealNvp, Role,
    SplitPrior, Squeeze, StNetwork, Tabular, TensorShape, Transform,
};
use flows::Flow;
use flows::parameters::{self, ParameterStore};
use tch::{Device, Kind};

const GREY: InputShape = InputShape::Image { channels: 1, height: 28, width: 28 };
const COLOUR: InputShape = InputShape::Image { channels: 3, height: 32, width: 32 };
const SPLINE: Transform = Transform::Spline { bins: 4, bound: 3.0 };

fn realnvp(input: InputShape, body: Body, network: StNetwork) -> RealNvp {
    RealNvp {
        input,
        parity: Parity::Corrected,
        body,
        network,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    }
}

fn glow(input: InputShape, network: StNetwork) -> Glow {
    Glow {
        input,
        parity: Parity::Corrected,
        scales: 2,
        steps: 2,
        multi_scale: true,
        network,
        convolution: PointwiseConvolution::Full,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    }
}

/// Every st-network of images, with its switches.
fn networks() -> Vec<StNetwork> {
    let mut networks = vec![
        StNetwork::Highway { width: 3, blocks: 2 },
        StNetwork::Convnet { width: 3, blocks: 2 },
        StNetwork::GlowConvnet { width: 3 },
        StNetwork::Autoencoder { latent: 5 },
        StNetwork::Resnet { width: 3, blocks: 0, batch_norm: true, skip: true },
        StNetwork::Highway { width: 3, blocks: 0 },
    ];
    for batch_norm in [true, false] {
        networks.push(StNetwork::ResnetAutoencoder { width: 2, blocks: 3, latent: 5, batch_norm });
        for skip in [true, false] {
            networks.push(StNetwork::Resnet { width: 3, blocks: 2, batch_norm, skip });
        }
    }
    networks
}

fn masks() -> Vec<Mask> {
    let mut masks = Mask::cycle(4);
    for order in [Order::Plain, Order::Reversed] {
        masks.extend([Mask::Checkerboard(order), Mask::Horizontal(order), Mask::Vertical(order)]);
    }
    masks.push(Mask::Center { margin: 4 });
    masks.push(Mask::SubQuadrants { factor: 2, seen: Quadrant::TopLeft, changed: Quadrant::BottomLeft });
    masks
}

#[track_caller]
fn assert_inventory(architecture: &Architecture) {
    tch::set_num_threads(1);
    let flow = Flow::build(architecture, 0, Kind::Float, Device::Cpu).expect("the description fits");
    let described = architecture.tensors();
    let store = flow.parameters();

    let (trained, others): (Vec<TensorShape>, Vec<TensorShape>) =
        described.into_iter().partition(|tensor| tensor.role.is_trained());

    let built: Vec<TensorShape> = store
        .parameters()
        .iter()
        .map(|parameter| TensorShape {
            name: parameter.name.clone(),
            shape: parameter.tensor.size(),
            role: match parameter.role {
                parameters::Role::Gain => Role::Gain,
                parameters::Role::Weight => Role::Weight,
            },
        })
        .collect();
    assert_eq!(built, trained);
    let buffers: Vec<_> = store.buffers().iter().map(|buffer| (buffer.name.clone(), buffer.tensor.size())).collect();
    let expected: Vec<_> = others.iter().map(|tensor| (tensor.name.clone(), tensor.shape.clone())).collect();
    assert_eq!(buffers, expected);
    assert_eq!(counted(store, &others), architecture.count());
}

/// The counts as the built model has them; constants are buffers that no count includes.
fn counted(store: &ParameterStore, others: &[TensorShape]) -> Count {
    let constants: i64 = others
        .iter()
        .filter(|tensor| tensor.role == Role::Constant)
        .map(|tensor| tensor.shape.iter().product::<i64>())
        .sum();
    let count = |values: i64| u64::try_from(values).expect("a count is not negative");
    Count {
        gains: count(store.count_of(parameters::Role::Gain)),
        parameters: count(store.count()),
        statistics: count(store.buffer_count() - constants),
    }
}

#[test]
fn multi_scale_realnvps_are_built_as_described() {
    for network in networks() {
        assert_inventory(&realnvp(GREY, Body::Scales(2), network).compose().expect("it fits"));
    }
    let resnet = StNetwork::Resnet { width: 2, blocks: 1, batch_norm: true, skip: true };
    assert_inventory(&realnvp(COLOUR, Body::Scales(3), resnet).compose().expect("it fits"));
    let old = StNetwork::AutoencoderOld { latent: 5 };
    assert_inventory(&realnvp(COLOUR, Body::Scales(3), old.clone()).compose().expect("it fits"));
    assert_inventory(&realnvp(GREY, Body::Scales(1), old).compose().expect("it fits"));
}

#[test]
fn stacks_of_every_mask_are_built_as_described() {
    let networks = [
        StNetwork::Resnet { width: 3, blocks: 1, batch_norm: true, skip: true },
        StNetwork::Highway { width: 3, blocks: 1 },
        StNetwork::AutoencoderOld { latent: 5 },
    ];
    for mask in masks() {
        for network in networks.iter().filter(|network| takes(network, mask)) {
            assert_inventory(&realnvp(COLOUR, Body::Stack(vec![mask]), network.clone()).compose().expect("it fits"));
        }
    }
    assert_inventory(&realnvp(GREY, Body::Stack(masks()), networks[0].clone()).compose().expect("it fits"));
}

/// The autoencoder takes whole images of 32x32 and, cut in four, tiles of 16x16.
fn takes(network: &StNetwork, mask: Mask) -> bool {
    let input = COLOUR;
    realnvp(input, Body::Stack(vec![mask]), network.clone()).compose().is_ok()
}

#[test]
fn every_transform_squeeze_and_prior_of_realnvp_is_built_as_described() {
    for network in networks() {
        for transform in [Transform::Affine, Transform::Additive, SPLINE] {
            for squeeze in [Squeeze::Pixels, Squeeze::Haar] {
                for split_prior in [SplitPrior::Standard, SplitPrior::Learned] {
                    let base = realnvp(GREY, Body::Scales(2), network.clone());
                    let recipe = RealNvp { transform, squeeze, split_prior, ..base };
                    assert_inventory(&recipe.compose().expect("it fits"));
                }
            }
        }
    }
}

#[test]
fn every_glow_is_built_as_described() {
    let convolutions = [
        PointwiseConvolution::Full,
        PointwiseConvolution::Lu,
        PointwiseConvolution::Householder { reflections: None },
        PointwiseConvolution::Householder { reflections: Some(3) },
    ];
    for network in [StNetwork::Highway { width: 3, blocks: 1 }, StNetwork::GlowConvnet { width: 3 }] {
        for convolution in convolutions {
            for transform in [Transform::Affine, Transform::Additive, SPLINE] {
                for split_prior in [SplitPrior::Standard, SplitPrior::Learned] {
                    for (multi_scale, squeeze) in [(true, Squeeze::Pixels), (false, Squeeze::Haar)] {
                        let base = glow(GREY, network.clone());
                        let recipe = Glow { convolution, transform, split_prior, multi_scale, squeeze, ..base };
                        assert_inventory(&recipe.compose().expect("it fits"));
                    }
                }
            }
        }
    }
    for network in networks().into_iter().filter(|network| !matches!(network, StNetwork::Autoencoder { .. })) {
        assert_inventory(&glow(COLOUR, network).compose().expect("it fits"));
    }
}

#[test]
fn tabular_models_are_built_as_described() {
    for features in [2, 15, 50] {
        for transform in [Transform::Affine, Transform::Additive, SPLINE] {
            for layers in [0, 1, 3] {
                let recipe = Tabular {
                    input: InputShape::Vector { features },
                    parity: Parity::Corrected,
                    couplings: 3,
                    network: StNetwork::Mlp { width: 4, layers },
                    transform,
                };
                assert_inventory(&recipe.compose().expect("it fits"));
            }
        }
    }
}
