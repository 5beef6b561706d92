//! What needs no training: G1 to G3, G5, G6, G9 and G10 of models.md 8.1, and the fill rule and inputs of 8.2 themselves.

use architecture::{InputShape, Mask, Order, Quadrant, StNetwork};
use flows::base::standard_normal_log_density;
use flows::{Bijection, Flow, Mode, bits_per_dimension};
use tch::{Device, Kind, Tensor, no_grad};

use crate::deterministic;
use crate::models::{COLOUR, GREY, RESNET, checkerboards, glow, horizontals, multi_scale, stack};
use crate::{assert_printed, assert_within, filled_flow, number, sum};

use Mode::Evaluate;

#[test]
fn inputs_have_the_printed_sums() {
    let (grey, noise) = deterministic::inputs(GREY);
    let (colour, _) = deterministic::inputs(COLOUR);

    assert_within("x of 28x28", sum(&grey), 783.1215686275, 5.1e-11);
    assert_within("u of 28x28", sum(&noise.expect("images have noise")), 777.3366336634, 5.1e-11);
    assert_within("x of 32x32", sum(&colour), 3072.0, 1e-9);
}

#[test]
fn filled_rescaling_has_the_printed_signs_and_sizes() {
    let printed = [
        0.584147, 0.590930, 0.514112, -0.424320, -0.404108, -0.472058, 0.565699, 0.598936, 0.541212, -0.445598,
        -0.400001, -0.446343,
    ];
    let flow = filled_flow(&multi_scale(COLOUR, 2, StNetwork::Convnet { width: 1, blocks: 0 }));
    let state = flow.parameters().state();
    let tensor = |name: &str| &state.iter().find(|(found, _)| found == name).expect("coupling 4 is channel-wise").1;

    // Six of the 12 channels change in each channel-wise coupling: the rule is a prefix of the printed list.
    let rescale = tensor("couplings.4.rescale.gain") * tensor("couplings.4.rescale.direction").sign();

    for (found, printed) in Vec::<f64>::try_from(rescale.view([-1])).expect("doubles").into_iter().zip(printed) {
        assert_within("rescale", found, printed, 5.1e-7);
    }
}

#[test]
fn filled_channel_matrices_have_the_printed_determinants() {
    let flow = filled_flow(&glow(StNetwork::GlowConvnet { width: 8 }));
    let state = flow.parameters().state();

    for (index, printed) in [(0, -0.0733389339), (2, 0.0868726240)] {
        let name = format!("convolutions.{index}.weight");
        let (_, matrix) = state.iter().find(|(found, _)| *found == name).expect("each step has a matrix");
        let log_det = number(&Tensor::linalg_slogdet(matrix).1);
        assert_within(&name, log_det, printed, 5.1e-11);
    }
}

#[test]
fn g1_logit_layer_has_the_printed_outputs_and_log_determinants() {
    let input = InputShape::Image { channels: 1, height: 2, width: 2 };
    let flow = filled_flow(&stack(input, checkerboards(2), RESNET));
    let corners = [(0.0, 0.0, -2.944438979166), (1.0, 1.0, 2.944438979166), (0.5, 0.5, 0.0)];
    let log_dets = [2.937751160655, 2.937751160655, 1.277019953834];

    for ((x, u, printed), log_det) in corners.into_iter().zip(log_dets) {
        let image = Tensor::full([1, 1, 2, 2], x, (Kind::Double, Device::Cpu));
        let noise = image.zeros_like() + u;
        let mut seen = None;
        flow.encode_observed(&image, Some(&noise), Evaluate, |layer| {
            seen.get_or_insert((layer.output.double_value(&[0, 0, 1, 1]), layer.log_det.double_value(&[0]) / 4.0));
        });

        let (output, per_pixel) = seen.expect("the logit layer is observed first");
        assert_within("logit", output, printed, 1e-12);
        // The reference adds log 0.9 rounded to single precision, 8e-9 off.
        assert_within("log-determinant", per_pixel, log_det, 1e-8);
    }
}

#[test]
fn g2_squeeze_orders_channels_as_the_reference() {
    let image = Tensor::arange(32, (Kind::Double, Device::Cpu)).view([1, 2, 4, 4]);

    let squeezed = flows::layers::Squeeze.forward(&image, Evaluate).output;

    let channels: Vec<Vec<f64>> =
        (0..4).map(|c| Vec::try_from(squeezed.select(1, c).flatten(0, -1)).expect("a vector of doubles")).collect();
    let expected = [[0.0, 2.0, 8.0, 10.0], [1.0, 3.0, 9.0, 11.0], [4.0, 6.0, 12.0, 14.0], [5.0, 7.0, 13.0, 15.0]];
    assert_eq!(channels, expected);
    let corner: Vec<f64> = Vec::try_from(squeezed.select(3, 0).select(2, 0).flatten(0, -1)).expect("doubles");
    assert_eq!(corner, [0.0, 1.0, 4.0, 5.0, 16.0, 17.0, 20.0, 21.0]);
}

#[test]
fn g3_masks_are_those_of_the_reference() {
    let drawn = |mask: Mask, size: [i64; 2]| {
        let row = |i| (0..size[1]).map(|j| symbol(mask, i, j, size)).collect::<String>();
        (0..size[0]).map(row).collect::<Vec<_>>()
    };

    // s: seen, c: changed, o: passed through unseen.
    assert_eq!(drawn(Mask::Checkerboard(Order::Plain), [3, 4]), ["cscs", "scsc", "cscs"]);
    assert_eq!(drawn(Mask::Checkerboard(Order::Reversed), [3, 4]), ["scsc", "cscs", "scsc"]);
    assert_eq!(drawn(Mask::Horizontal(Order::Plain), [5, 2]), ["ss", "ss", "cc", "cc", "cc"]);
    assert_eq!(drawn(Mask::Horizontal(Order::Reversed), [5, 2]), ["cc", "cc", "ss", "ss", "ss"]);
    assert_eq!(drawn(Mask::Vertical(Order::Plain), [2, 5]), ["ssccc", "ssccc"]);
    assert_eq!(drawn(Mask::Vertical(Order::Reversed), [2, 5]), ["ccsss", "ccsss"]);
    let cycle = Quadrant::CLOCKWISE.map(|quadrant| drawn(Mask::next_quadrant(quadrant), [2, 3]));
    assert_eq!(cycle, [["scc", "ooo"], ["oss", "occ"], ["ooo", "css"], ["coo", "soo"]]);
    assert_eq!(drawn(Mask::Center { margin: 4 }, [9, 9])[3..6], ["ccccccccc", "ccccscccc", "ccccccccc"]);
    let kept = |order| (0..5).map(|index| Mask::keeps_feature(order, index, 5)).collect::<Vec<_>>();
    assert_eq!(kept(Order::Plain), [true, true, false, false, false]);
    assert_eq!(kept(Order::Reversed), [false, false, true, true, true]);
}

fn symbol(mask: Mask, row: i64, column: i64, size: [i64; 2]) -> char {
    match (mask.sees(row, column, size), mask.changes(row, column, size)) {
        (true, false) => 's',
        (false, true) => 'c',
        (false, false) => 'o',
        (true, true) => '!',
    }
}

#[test]
fn g5_decoding_returns_the_contracted_image() {
    let _guard = tch::no_grad_guard();
    let models = [
        multi_scale(GREY, 2, RESNET),
        multi_scale(COLOUR, 3, RESNET),
        stack(GREY, horizontals(8), RESNET),
        stack(GREY, Mask::cycle(8), RESNET),
        glow(StNetwork::Highway { width: 8, blocks: 2 }),
    ];
    for architecture in models {
        let (images, noise) = deterministic::inputs(architecture.input);
        let noise = noise.expect("images have noise");
        let contracted: Tensor = (&images * 255.0 + &noise) / 256.0 * 0.9 + 0.05;
        for (kind, limit) in [(Kind::Double, 1e-12), (Kind::Float, 1e-4)] {
            let flow = Flow::build(&architecture, 0, kind, Device::Cpu).expect("the reference builds it");
            deterministic::fill(&flow);

            let latents = flow.encode(&images.to_kind(kind), Some(&noise.to_kind(kind)), Evaluate);
            let decoded = flow.decode(&latents.output);

            let error = number(&(decoded.to_kind(Kind::Double) - &contracted).abs().max());
            assert!(error < limit, "the image is {error} off in {kind:?}");
        }
    }
}

#[test]
fn g6_log_determinant_is_that_of_the_whole_jacobian() {
    let input = InputShape::Image { channels: 1, height: 8, width: 8 };
    let network = StNetwork::Resnet { width: 6, blocks: 1, batch_norm: true, skip: true };
    let flow = filled_flow(&multi_scale(input, 2, network));
    let (images, noise) = deterministic::inputs(input);
    let (image, noise) = (images.narrow(0, 0, 1), noise.map(|noise| noise.narrow(0, 0, 1)));
    let leaf = image.copy().set_requires_grad(true);

    let encoded = flow.encode(&leaf, noise.as_ref(), Evaluate);

    let rows: Vec<Tensor> = (0..64)
        .map(|row| {
            let latent = encoded.output.get(0).get(row);
            Tensor::run_backward(&[latent], &[&leaf], true, false)[0].view([64])
        })
        .collect();
    let (sign, log_det) = Tensor::linalg_slogdet(&Tensor::stack(&rows, 0));
    assert_eq!(number(&sign).abs(), 1.0);
    // The Jacobian is by x in [0, 1]: y = (255 x + u) / 256, whose part is what parity counts.
    let (found, expected) = (encoded.log_det.double_value(&[0]), number(&log_det));
    assert!((found / expected - 1.0).abs() < 1e-12, "the layers say {found}, the Jacobian {expected}");
}

#[test]
fn g9_standard_normal_at_the_origin_is_the_closed_form() {
    let density = standard_normal_log_density(&Tensor::zeros([1, 784], (Kind::Double, Device::Cpu)));
    let log_likelihood = number(&density.squeeze()) - 784.0 * 256f64.ln();

    assert_within("nats", log_likelihood, -784.0 * (0.5 * std::f64::consts::TAU.ln() + 256f64.ln()), 1e-9);
    assert_within("nats", log_likelihood, -5067.86, 0.01);
    assert_within("bits", bits_per_dimension(log_likelihood, 784), 9.32575, 5.1e-6);
}

#[test]
fn colour_logits_have_the_printed_sums() {
    let flow = filled_flow(&multi_scale(COLOUR, 3, StNetwork::Convnet { width: 1, blocks: 0 }));
    let (images, noise) = deterministic::inputs(COLOUR);
    let mut found = None;

    no_grad(|| {
        flow.encode_observed(&images, noise.as_ref(), Evaluate, |layer| {
            found.get_or_insert((layer.output.copy(), layer.log_det.copy()));
        })
    });

    let (output, log_det) = found.expect("the logit layer is observed first");
    assert_printed("sum", sum(&output), -0.59733237);
    assert_printed("sum of squares", sum(&output.square()), 10993.19803461);
    assert_printed("log-det of sample 0", log_det.double_value(&[0]), 5117.93612601);
    assert_printed("log-det of sample 1", log_det.double_value(&[1]), 5118.19591997);
}
