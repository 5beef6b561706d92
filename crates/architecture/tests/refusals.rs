//! Every way in which a description is no flow, with the field at fault and the words.

use architecture::recipes::Body;
use architecture::{
    Architecture, Glow, InputShape, Mask, Misfit, Order, Parity, PointwiseConvolution, Quadrant, RealNvp, SplitPrior,
    Squeeze, StNetwork, Tabular, Transform,
};

const RESNET: StNetwork = StNetwork::Resnet { width: 4, blocks: 1, batch_norm: true, skip: true };
const CHECKERBOARD: Mask = Mask::Checkerboard(Order::Plain);

fn image(channels: u32, height: u32, width: u32) -> InputShape {
    InputShape::Image { channels, height, width }
}

fn realnvp(body: Body) -> RealNvp {
    RealNvp {
        input: image(1, 28, 28),
        parity: Parity::Corrected,
        body,
        network: RESNET,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    }
}

fn stack(mask: Mask) -> RealNvp {
    realnvp(Body::Stack(vec![mask]))
}

fn by(network: StNetwork) -> RealNvp {
    RealNvp { network, ..stack(CHECKERBOARD) }
}

fn glow() -> Glow {
    Glow {
        input: image(1, 28, 28),
        parity: Parity::Corrected,
        scales: 2,
        steps: 2,
        multi_scale: true,
        network: StNetwork::GlowConvnet { width: 4 },
        convolution: PointwiseConvolution::Full,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    }
}

fn tabular() -> Tabular {
    Tabular {
        input: InputShape::Vector { features: 21 },
        parity: Parity::Corrected,
        couplings: 4,
        network: StNetwork::Mlp { width: 8, layers: 1 },
        transform: Transform::Affine,
    }
}

#[track_caller]
fn assert_refused(composed: Result<Architecture, Misfit>, words: &str) {
    assert_eq!(composed.err().map(|misfit| misfit.to_string()).as_deref(), Some(words));
}

#[test]
fn sound_descriptions_pass() {
    assert!(realnvp(Body::Scales(3)).compose().is_ok());
    assert!(stack(CHECKERBOARD).compose().is_ok());
    assert!(glow().compose().is_ok());
    assert!(tabular().compose().is_ok());
}

#[test]
fn channels_are_halved_whatever_the_number_of_pixels() {
    assert!(Glow { scales: 3, input: image(1, 8, 8), ..glow() }.compose().is_ok(), "the last scale is 16×1×1");
    assert!(RealNvp { input: image(2, 1, 1), ..stack(Mask::Channels(Order::Plain)) }.compose().is_ok());
}

#[test]
fn data_of_the_wrong_kind_are_refused_with_the_recipe_that_takes_them() {
    let vectors = InputShape::Vector { features: 21 };
    let words = "input: the data are vectors of 21 features, and this model takes images: use tabular";

    assert_refused(RealNvp { input: vectors, ..stack(CHECKERBOARD) }.compose(), words);
    assert_refused(Glow { input: vectors, ..glow() }.compose(), words);
    assert_refused(
        Tabular { input: image(3, 32, 32), ..tabular() }.compose(),
        "input: the data are 3×32×32 images, and tabular models take vectors: use realnvp or glow",
    );
}

#[test]
fn networks_of_the_wrong_kind_are_refused() {
    let mlp = StNetwork::Mlp { width: 8, layers: 1 };
    let words = "st_network: mlp takes vectors: use it in a tabular model";

    assert_refused(by(mlp.clone()).compose(), words);
    assert_refused(Glow { network: mlp, ..glow() }.compose(), words);
    assert_refused(
        Tabular { network: RESNET, ..tabular() }.compose(),
        "st_network: a tabular model takes mlp: the others take images",
    );
}

#[test]
fn data_without_dimensions_and_data_of_too_many_are_refused() {
    let none = |shape: &str| format!("input: data of {shape} have no dimensions: every size is at least 1");

    assert_refused(RealNvp { input: image(0, 8, 8), ..stack(CHECKERBOARD) }.compose(), &none("0×8×8"));
    assert_refused(Glow { input: image(1, 0, 8), ..glow() }.compose(), &none("1×0×8"));
    assert_refused(Tabular { input: InputShape::Vector { features: 0 }, ..tabular() }.compose(), &none("0 features"));
    let huge = RealNvp { input: image(u32::MAX, u32::MAX, u32::MAX), ..stack(CHECKERBOARD) };
    assert_refused(
        huge.compose(),
        "input: data of 4294967295×4294967295×4294967295 have 79228162458924105385300197375 dimensions: at most 16777216 allowed",
    );
    assert_refused(
        Tabular { input: InputShape::Vector { features: u32::MAX }, ..tabular() }.compose(),
        "input: data of 4294967295 features have 4294967295 dimensions: at most 16777216 allowed",
    );
}

#[test]
fn scales_that_do_not_halve_the_images_are_refused() {
    let odd = "scales: 4 scales need sides divisible by 8, and the images are 28×28";

    assert_refused(realnvp(Body::Scales(4)).compose(), odd);
    assert_refused(
        Glow { scales: 3, ..glow() }.compose(),
        "scales: 3 scales need sides divisible by 8, and the images are 28×28",
    );
    for scales in [0, 17, u32::MAX] {
        let words = format!("scales: {scales} scales: 1 to 16 allowed");
        assert_refused(realnvp(Body::Scales(scales)).compose(), &words);
        assert_refused(Glow { scales, ..glow() }.compose(), &words);
    }
}

#[test]
fn layers_that_are_too_few_or_too_many_are_refused() {
    let words = |count: u32| format!("couplings: a model has 1 to 1024 coupling layers, not {count}");

    assert_refused(realnvp(Body::Stack(Vec::new())).compose(), &words(0));
    assert_refused(realnvp(Body::Stack(vec![CHECKERBOARD; 1025])).compose(), &words(1025));
    assert_refused(Tabular { couplings: 0, ..tabular() }.compose(), &words(0));
    assert_refused(Tabular { couplings: u32::MAX, ..tabular() }.compose(), &words(u32::MAX));
    assert_refused(Glow { steps: 0, ..glow() }.compose(), "couplings: a scale needs at least 1 step");
    assert_refused(Glow { steps: u32::MAX, ..glow() }.compose(), &words(u32::MAX));
}

#[test]
fn masks_that_do_not_split_their_data_are_refused_by_their_place() {
    let (seen, changed) = (Quadrant::TopLeft, Quadrant::TopRight);
    let tiles = |factor| Mask::SubQuadrants { factor, seen, changed };
    let second = |mask| realnvp(Body::Stack(vec![CHECKERBOARD, mask]));
    let divide = |factor: u32| {
        format!(
            "mask[1]: 28×28 pixels do not divide into {factor}×{factor} tiles of at least 2×2: use a factor of at least 2 that divides both sides"
        )
    };

    let features = Mask::Features(Order::Plain);
    assert_refused(second(features).compose(), "mask[1]: a mask over features needs vectors");
    assert_refused(
        second(Mask::Channels(Order::Plain)).compose(),
        "mask[1]: 1 channels cannot be halved by a channel mask",
    );
    let same = "mask[1]: quadrant 2 cannot be read and changed by one layer";
    let twice = Quadrant::BottomRight;
    assert_refused(second(Mask::Quadrants { seen: twice, changed: twice }).compose(), same);
    assert_refused(second(Mask::SubQuadrants { factor: 2, seen: twice, changed: twice }).compose(), same);
    for factor in [0, 1, 3, 28, u32::MAX] {
        assert_refused(second(tiles(factor)).compose(), &divide(factor));
    }
    for margin in [0, 14, u32::MAX] {
        let words = format!("mask[1]: a margin of {margin} leaves no square in 28×28 pixels: use 1 to 13");
        assert_refused(second(Mask::Center { margin }).compose(), &words);
    }
    let small = |mask, height, width| RealNvp { input: image(1, height, width), ..stack(mask) };
    assert_refused(
        small(Mask::Center { margin: 1 }, 2, 9).compose(),
        "mask[0]: 2×9 pixels are too few for a square within a frame: use at least 3×3",
    );
    for (mask, height, width) in [
        (CHECKERBOARD, 1, 1),
        (Mask::Horizontal(Order::Plain), 1, 9),
        (Mask::Vertical(Order::Plain), 9, 1),
        (Mask::Quadrants { seen, changed }, 9, 1),
    ] {
        let words = format!("mask[0]: {height}×{width} pixels cannot be split by this mask");
        assert_refused(small(mask, height, width).compose(), &words);
    }
    assert_refused(
        Tabular { input: InputShape::Vector { features: 1 }, ..tabular() }.compose(),
        "mask: 1 feature cannot be split in two parts",
    );
}

#[test]
fn masks_over_pixels_are_refused_for_vectors() {
    let mut architecture = tabular().compose().unwrap();
    if let architecture::LayerKind::Coupling(coupling) = &mut architecture.layers[2].kind {
        coupling.mask = CHECKERBOARD;
    }

    let misfit = architecture.check().unwrap_err();

    assert_eq!(misfit.to_string(), "mask: a mask over pixels or channels needs images, and the data are vectors");
}

#[test]
fn transforms_out_of_range_are_refused() {
    let spline = |bins, bound| RealNvp { transform: Transform::Spline { bins, bound }, ..stack(CHECKERBOARD) };

    for bins in [0, 1, 257, u32::MAX] {
        let words = format!("transform: a spline has 2 to 256 bins, not {bins}");
        assert_refused(spline(bins, 3.0).compose(), &words);
    }
    for bound in [0.0, -1.0, 1e-9, 1e9, f64::INFINITY, f64::NAN] {
        let words = format!("transform: a spline's bound is a number from 0.001 to 1000000, not {bound}");
        assert_refused(spline(8, bound).compose(), &words);
    }
}

#[test]
fn reflections_out_of_range_are_refused() {
    for count in [0, 65, u32::MAX] {
        let convolution = PointwiseConvolution::Householder { reflections: Some(count) };
        let words = format!("convolution: {count} reflections of 4 channels: use 1 to 64");
        assert_refused(Glow { convolution, ..glow() }.compose(), &words);
    }
}

#[test]
fn networks_that_do_not_fit_the_pixels_are_refused_with_what_would() {
    let oblong = |network| RealNvp { input: image(1, 28, 14), ..by(network) };
    let square = "st_network: this st-network needs square images, and those of the coupling layer are 28×14";
    let small = |network, side| RealNvp { input: image(1, side, side), ..by(network) };

    for network in [
        StNetwork::ResnetAutoencoder { width: 4, blocks: 2, latent: 3, batch_norm: true },
        StNetwork::Autoencoder { latent: 3 },
        StNetwork::AutoencoderOld { latent: 3 },
    ] {
        assert_refused(oblong(network).compose(), square);
    }
    assert_refused(
        small(StNetwork::Autoencoder { latent: 3 }, 13).compose(),
        "st_network: autoencoder needs images of at least 14×14, and those of one coupling layer are 13×13: use fewer scales, or resnet-autoencoder",
    );
    assert_refused(
        small(StNetwork::AutoencoderOld { latent: 3 }, 14).compose(),
        "st_network: autoencoder-old does not fit images of 14×14: they come back as 12×12; use fewer scales, or resnet-autoencoder",
    );
    assert_refused(
        small(StNetwork::AutoencoderOld { latent: 3 }, 2).compose(),
        "st_network: autoencoder-old does not fit images of 2×2: they shrink to nothing; use fewer scales",
    );
}

/// One network of each kind with its numbers.
fn networks(width: i64, blocks: i64, latent: i64) -> Vec<StNetwork> {
    vec![
        StNetwork::Resnet { width, blocks, batch_norm: true, skip: true },
        StNetwork::ResnetAutoencoder { width, blocks, latent, batch_norm: true },
        StNetwork::Highway { width, blocks },
        StNetwork::Convnet { width, blocks },
        StNetwork::GlowConvnet { width },
        StNetwork::Autoencoder { latent },
        StNetwork::AutoencoderOld { latent },
        StNetwork::Mlp { width, layers: blocks },
    ]
}

fn words_of(network: &StNetwork) -> Option<String> {
    let composed = if network.takes_vectors() {
        Tabular { network: network.clone(), ..tabular() }.compose()
    } else {
        by(network.clone()).compose()
    };
    composed.err().map(|misfit| misfit.to_string())
}

#[test]
fn numbers_of_networks_out_of_range_are_refused_by_name() {
    let most = 1 << 20;
    for network in networks(0, 2, 3) {
        let has_width = !matches!(network, StNetwork::Autoencoder { .. } | StNetwork::AutoencoderOld { .. });
        let words = has_width.then(|| "st_network: width must be at least 1, not 0".to_owned());
        assert_eq!(words_of(&network), words, "{network:?}");
    }
    for network in networks(4, -1, 0) {
        let words = words_of(&network).unwrap_or_default();
        let expected = match network {
            StNetwork::Resnet { .. } | StNetwork::Highway { .. } | StNetwork::Convnet { .. } => {
                "blocks must be at least 0"
            }
            StNetwork::Mlp { .. } => "layers must be at least 0, not -1",
            StNetwork::GlowConvnet { .. } => "",
            StNetwork::ResnetAutoencoder { .. } | StNetwork::Autoencoder { .. } | StNetwork::AutoencoderOld { .. } => {
                "latent must be at least 1, not 0"
            }
        };
        assert!(words.contains(expected) && words.is_empty() == expected.is_empty(), "{network:?}: {words}");
    }
    let few = StNetwork::ResnetAutoencoder { width: 4, blocks: 1, latent: 3, batch_norm: true };
    let words = "st_network: blocks must be at least 2, not 1: the bottleneck lies between blocks";
    assert_eq!(words_of(&few).as_deref(), Some(words));
    let deep = StNetwork::Convnet { width: 4, blocks: 257 };
    assert_eq!(words_of(&deep).as_deref(), Some("st_network: blocks must be at most 256, not 257"));
    let wide = StNetwork::GlowConvnet { width: most + 1 };
    let words = format!("st_network: width must be at most {most}, not {}", most + 1);
    assert_eq!(words_of(&wide), Some(words));
}

/// Every product of sizes is bounded or saturates: nothing panics, and nothing wraps around into a small model.
#[test]
fn numbers_near_the_ends_of_their_range_are_refused_without_overflow() {
    for huge in [i64::MAX, i64::MAX / 2, i64::MAX / 3, 1 << 32, i64::MIN, i64::MIN / 2] {
        for network in networks(huge, huge, huge) {
            let words = words_of(&network);
            assert!(words.is_some_and(|words| words.starts_with("st_network: ")), "{network:?}");
            if network.takes_vectors() {
                continue;
            }
            // Widths double at every squeeze.
            let scaled = RealNvp { network: network.clone(), ..realnvp(Body::Scales(3)) };
            assert!(scaled.compose().is_err(), "{network:?}");
            assert!(Glow { network: network.clone(), ..glow() }.compose().is_err(), "{network:?}");
        }
    }
}

#[test]
fn models_that_fit_no_machine_are_refused_for_their_size() {
    let words = "st_network: the model has more than 20000000000 parameters";
    let most = 1 << 20;

    for network in networks(most, 256, most) {
        match network {
            // 1×28×28 images on the way through fixed widths stay small.
            StNetwork::Autoencoder { .. } | StNetwork::AutoencoderOld { .. } => {}
            _ => assert_eq!(words_of(&network).as_deref(), Some(words), "{network:?}"),
        }
    }
    let wide = image(1, 4096, 4096);
    let bottleneck = StNetwork::ResnetAutoencoder { width: most, blocks: 2, latent: most, batch_norm: false };
    assert_refused(RealNvp { input: wide, ..by(bottleneck) }.compose(), words);
    let channels = Glow { input: image(64, 512, 512), scales: 9, multi_scale: false, ..glow() };
    assert_refused(channels.compose(), words);
}

#[test]
fn flops_of_the_largest_models_are_counted_without_overflow() {
    let network = StNetwork::Convnet { width: 2900, blocks: 256 };
    let architecture = RealNvp { input: image(1, 4096, 4096), ..by(network) }.compose().unwrap();

    let flops = architecture.forward_flops();

    // 256 convolutions of 2900 × 2900 × 9 products at 2²⁴ pixels.
    let hidden = 2 * 256 * 2900 * 2900 * 9 * (1_u64 << 24);
    assert!((hidden..hidden + hidden / 1000).contains(&flops), "{flops}");
    assert_eq!(architecture.step_flops(32), u64::MAX);
}
