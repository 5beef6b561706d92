//! Parameter counts of every model that the reference lists (models.md 2.12), to the last value.

use architecture::recipes::Body;
use architecture::{
    Architecture, Count, Glow, InputShape, Mask, Order, Parity, PointwiseConvolution, RealNvp, SplitPrior, Squeeze,
    StNetwork, Tabular, Transform,
};

const GREY: InputShape = InputShape::Image { channels: 1, height: 28, width: 28 };
const COLOUR: InputShape = InputShape::Image { channels: 3, height: 32, width: 32 };

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
    recipe.compose().expect("the reference builds it")
}

fn scales(input: InputShape, scales: u32, network: StNetwork) -> Architecture {
    realnvp(input, Body::Scales(scales), network)
}

fn glow(input: InputShape, scales: u32, steps: u32, multi_scale: bool, network: StNetwork) -> Architecture {
    let recipe = Glow {
        input,
        parity: Parity::FlowsOod,
        scales,
        steps,
        multi_scale,
        network,
        convolution: PointwiseConvolution::Full,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    };
    recipe.compose().expect("the reference builds it")
}

fn tabular(features: u32, couplings: u32, width: i64, layers: i64) -> Architecture {
    let recipe = Tabular {
        input: InputShape::Vector { features },
        parity: Parity::FlowsOod,
        couplings,
        network: StNetwork::Mlp { width, layers },
        transform: Transform::Affine,
    };
    recipe.compose().expect("the reference builds it")
}

fn checkerboards(count: u32) -> Vec<Mask> {
    (0..count).map(|position| Mask::Checkerboard(Order::of_position(position))).collect()
}

fn horizontals(count: u32) -> Vec<Mask> {
    (0..count).map(|position| Mask::Horizontal(Order::of_position(position))).collect()
}

#[track_caller]
fn assert_counts(architecture: &Architecture, parameters: u64, gains: u64, statistics: u64) {
    assert_eq!(architecture.count(), Count { gains, parameters, statistics });
}

#[track_caller]
fn assert_parameters(architecture: &Architecture, parameters: u64, gains: u64) {
    assert_counts(architecture, parameters, gains, 0);
}

#[test]
fn multi_scale_resnets_have_the_reference_s_counts() {
    let bare = |batch_norm, skip| StNetwork::Resnet { width: 64, blocks: 6, batch_norm, skip };
    assert_counts(&scales(GREY, 2, resnet(64, 6)), 14_707_336, 21_811, 28_462);
    assert_counts(&scales(GREY, 2, resnet(64, 8)), 19_552_008, 28_339, 37_206);
    assert_counts(&scales(GREY, 2, bare(false, true)), 14_679_014, 21_811, 0);
    assert_counts(&scales(GREY, 2, bare(true, false)), 13_803_272, 14_195, 28_462);
    assert_counts(&scales(COLOUR, 3, resnet(64, 8)), 87_859_080, 71_939, 94_114);
    assert_counts(&scales(COLOUR, 2, resnet(64, 8)), 19_631_640, 28_441, 37_274);
    let without = StNetwork::Resnet { width: 64, blocks: 8, batch_norm: false, skip: true };
    assert_counts(&scales(COLOUR, 3, without), 87_765_254, 71_939, 0);
}

#[test]
fn glows_have_the_reference_s_counts() {
    let highway = |width| StNetwork::Highway { width, blocks: 3 };
    assert_parameters(&glow(GREY, 2, 16, true, highway(200)), 69_378_048, 96);
    assert_parameters(&glow(COLOUR, 3, 8, true, highway(400)), 208_932_480, 336);
    assert_parameters(&glow(GREY, 2, 16, false, highway(200)), 69_522_432, 160);
    assert_parameters(&glow(GREY, 2, 16, true, StNetwork::GlowConvnet { width: 200 }), 1_813_248, 96);
    assert_parameters(&glow(COLOUR, 2, 8, true, StNetwork::GlowConvnet { width: 64 }), 323_328, 144);
}

#[test]
fn single_scale_stacks_have_the_reference_s_counts() {
    for masks in [Mask::cycle(8), horizontals(8), checkerboards(8)] {
        assert_counts(&realnvp(GREY, Body::Stack(masks.clone()), resnet(64, 6)), 3_809_344, 10_264, 13_440);
        assert_counts(&realnvp(COLOUR, Body::Stack(masks), resnet(64, 8)), 5_084_352, 13_384, 17_600);
    }
    let small = Body::Stack(checkerboards(2));
    assert_counts(&realnvp(GREY, small.clone(), resnet(64, 6)), 952_336, 2_566, 3_360);
    assert_counts(&realnvp(COLOUR, small, resnet(64, 8)), 1_271_088, 3_346, 4_400);
    let three = Body::Stack(horizontals(3));
    assert_counts(&realnvp(GREY, three.clone(), resnet(64, 6)), 1_428_504, 3_849, 5_040);
    assert_counts(&realnvp(COLOUR, three, resnet(64, 8)), 1_906_632, 5_019, 6_600);
}

#[test]
fn autoencoders_have_the_reference_s_counts() {
    let latents = [10, 30, 50, 80, 100];
    let grey = [4_822_568, 5_211_888, 5_601_208, 6_185_188, 6_574_508];
    let colour = [5_173_296, 6_130_936, 7_088_576, 8_525_036, 9_482_676];
    let old_two = [1_472_176, 2_250_616, 3_029_056, 4_196_716, 4_975_156];
    let old_three = [2_199_460, 3_008_740, 3_818_020, 5_031_940, 5_841_220];
    for (index, latent) in latents.into_iter().enumerate() {
        let (new, old) = (StNetwork::Autoencoder { latent }, StNetwork::AutoencoderOld { latent });
        assert_parameters(&scales(GREY, 2, new.clone()), grey[index], 17);
        assert_parameters(&scales(COLOUR, 2, new), colour[index], 51);
        assert_parameters(&scales(COLOUR, 2, old.clone()), old_two[index], 51);
        assert_parameters(&scales(COLOUR, 3, old), old_three[index], 129);
    }
    let (new, old) = (StNetwork::Autoencoder { latent: 100 }, StNetwork::AutoencoderOld { latent: 100 });
    let eight = Body::Stack(checkerboards(8));
    assert_parameters(&realnvp(GREY, eight.clone(), old.clone()), 5_843_776, 8);
    assert_parameters(&realnvp(COLOUR, eight.clone(), old), 7_412_096, 24);
    assert_parameters(&realnvp(GREY, eight.clone(), new.clone()), 6_979_904, 8);
    assert_parameters(&realnvp(COLOUR, eight, new), 8_856_960, 24);
}

#[test]
fn bottlenecks_convnets_and_highways_have_the_reference_s_counts() {
    let counts = [(10, 20_652_396), (30, 33_698_356), (50, 46_744_316), (80, 66_313_256), (100, 79_359_216)];
    for (latent, parameters) in counts {
        let network = StNetwork::ResnetAutoencoder { width: 64, blocks: 6, latent, batch_norm: true };
        assert_counts(&scales(GREY, 2, network), parameters, 14_195, 28_462);
    }
    assert_parameters(&scales(GREY, 2, StNetwork::Convnet { width: 64, blocks: 6 }), 6_893_862, 7_667);
    assert_parameters(&scales(COLOUR, 3, StNetwork::Convnet { width: 64, blocks: 8 }), 41_336_646, 25_155);
    assert_parameters(&scales(GREY, 2, StNetwork::Highway { width: 64, blocks: 6 }), 13_749_444, 17);
}

#[test]
fn tabular_models_have_the_reference_s_counts() {
    assert_parameters(&tabular(50, 8, 256, 1), 837_184, 400);
    assert_parameters(&tabular(15, 8, 256, 1), 621_024, 120);
    assert_parameters(&tabular(1792, 8, 512, 1), 24_182_784, 14_336);
    assert_parameters(&tabular(1792, 8, 64, 8), 3_076_608, 14_336);
}

#[test]
fn flops_of_the_readme_models_are_those_of_their_convolutions() {
    // Layer by layer on paper: 2 k² c_in c_out h w of each convolution, summed over the first coupling of each model.
    let mut small = scales(GREY, 2, resnet(64, 6));
    small.layers.truncate(1);
    let hidden = 2 * 28 * 28 * (2 * 64 * 9 + 64 * 64 + 6 * (2 * 64 * 64 * 9 + 64 * 64) + 64 * 2);
    assert_eq!(small.forward_flops(), hidden);
    assert_eq!(small.step_flops(32), 96 * hidden);
}
