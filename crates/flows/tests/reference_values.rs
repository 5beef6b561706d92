//! The reference's numbers in double precision, to the printed digits (reference sections 2.12, 8.1 and 8.2).

mod deterministic;
mod models;

use flows::base::standard_normal_log_density;
use flows::masks::{Parity, Quadrant, SpatialMask};
use flows::parameters::Role;
use flows::recipes::{MaskScheme, RealNvp, StNetwork};
use flows::{Bijection, Flow, Mode, bits_per_dimension};
use models::{RESNET, multi_scale, resnet, stack};
use tch::{Device, Kind, Tensor, no_grad};

use Mode::{Evaluate, Train};

const GREY: [i64; 3] = [1, 28, 28];
const COLOUR: [i64; 3] = [3, 32, 32];

fn filled_flow(recipe: &RealNvp) -> Flow {
    let flow = recipe.build(0, Kind::Double, Device::Cpu).expect("the recipe is valid");
    deterministic::fill(&flow);
    flow
}

/// Half a unit in the eighth printed decimal, and a little for the order of summation.
#[track_caller]
fn assert_printed(what: &str, found: f64, printed: f64) {
    let tolerance = 5.1e-9 + 1e-12 * printed.abs();
    assert!((found - printed).abs() <= tolerance, "{what}: found {found:.10}, the reference prints {printed:.8}");
}

fn number(tensor: &Tensor) -> f64 {
    tensor.to_kind(Kind::Double).double_value(&[])
}

fn sum(tensor: &Tensor) -> f64 {
    number(&tensor.sum(Kind::Double))
}

#[test]
fn g1_logit_layer_has_the_printed_outputs_and_log_determinants() {
    let flow = filled_flow(&stack([1, 2, 2], MaskScheme::Checkerboard, 2, RESNET));
    let corners = [(0.0, 0.0, -2.944438979166), (1.0, 1.0, 2.944438979166), (0.5, 0.5, 0.0)];
    let log_dets = [2.937751160655, 2.937751160655, 1.277019953834];

    for ((x, u, printed), log_det) in corners.into_iter().zip(log_dets) {
        let image = Tensor::full([1, 1, 2, 2], x, (Kind::Double, Device::Cpu));
        let mut seen = None;
        flow.encode_observed(&image, &(image.zeros_like() + u), Evaluate, |layer| {
            seen.get_or_insert((layer.output.double_value(&[0, 0, 1, 1]), layer.log_det.double_value(&[0]) / 4.0));
        });

        let (output, per_pixel) = seen.expect("the logit layer is observed first");
        assert!((output - printed).abs() < 1e-12, "logit of ({x}, {u}) is {output}");
        // The reference adds log 0.9 rounded to single precision, 8e-9 off.
        assert!((per_pixel - log_det).abs() < 1e-8, "log-determinant at ({x}, {u}) is {per_pixel}");
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
    let drawn = |mask: SpatialMask, size: [i64; 2]| {
        let row = |i| (0..size[1]).map(|j| symbol(mask, i, j, size)).collect::<String>();
        (0..size[0]).map(row).collect::<Vec<_>>()
    };

    // s: seen, c: changed, o: passed through unseen.
    let plain = SpatialMask::Checkerboard(Parity::Plain);
    assert_eq!(drawn(plain, [3, 4]), ["cscs", "scsc", "cscs"]);
    assert_eq!(drawn(SpatialMask::Checkerboard(Parity::Reversed), [3, 4]), ["scsc", "cscs", "scsc"]);
    assert_eq!(drawn(SpatialMask::Horizontal(Parity::Plain), [5, 2]), ["ss", "ss", "cc", "cc", "cc"]);
    assert_eq!(drawn(SpatialMask::Horizontal(Parity::Reversed), [5, 2]), ["cc", "cc", "ss", "ss", "ss"]);
    let cycle = Quadrant::CLOCKWISE.map(|quadrant| drawn(SpatialMask::Cycle(quadrant), [2, 3]));
    assert_eq!(cycle, [["scc", "ooo"], ["oss", "occ"], ["ooo", "css"], ["coo", "soo"]]);
}

fn symbol(mask: SpatialMask, row: i64, column: i64, size: [i64; 2]) -> char {
    match (mask.sees(row, column, size), mask.changes(row, column, size)) {
        (true, false) => 's',
        (false, true) => 'c',
        (false, false) => 'o',
        (true, true) => '!',
    }
}

#[test]
fn g5_reference_decoding_returns_the_contracted_image() {
    let _guard = tch::no_grad_guard();
    for recipe in [
        multi_scale(GREY, 2, RESNET),
        multi_scale(COLOUR, 3, RESNET),
        stack(GREY, MaskScheme::Horizontal, 8, RESNET),
        stack(GREY, MaskScheme::Cycle, 8, RESNET),
    ] {
        let flow = filled_flow(&recipe);
        let (images, noise) = deterministic::inputs(recipe.input);

        let decoded = flow.decode(&flow.encode(&images, &noise, Evaluate).output);

        let contracted: Tensor = (&images * 255.0 + &noise) / 256.0 * 0.9 + 0.05;
        let error = number(&(decoded - contracted).abs().max());
        assert!(error < 1e-12, "{recipe:?}: the image is {error} off");
    }
}

#[test]
fn g9_standard_normal_at_the_origin_is_the_closed_form() {
    let density = standard_normal_log_density(&Tensor::zeros([1, 784], (Kind::Double, Device::Cpu)));
    let log_likelihood = number(&density.squeeze()) - 784.0 * 256f64.ln();

    assert!((log_likelihood + 784.0 * (0.5 * std::f64::consts::TAU.ln() + 256f64.ln())).abs() < 1e-9);
    assert!((log_likelihood + 5067.86).abs() < 0.01, "{log_likelihood}");
    assert!((bits_per_dimension(log_likelihood, 784) - 9.32575).abs() < 5e-6);
}

#[test]
fn g10_exact_preprocessing_is_better_by_the_constant_of_the_reference() {
    let quirky = multi_scale(GREY, 2, RESNET);
    let exact = RealNvp { preprocessing: flows::recipes::Preprocessing::Exact, ..quirky.clone() };
    let (images, noise) = deterministic::inputs(GREY);
    let bits = |recipe: &RealNvp| {
        let total = no_grad(|| filled_flow(recipe).log_likelihood(&images, &noise, Evaluate).total);
        bits_per_dimension(number(&total.mean(Kind::Double)), 784)
    };

    let offset = bits(&quirky) - bits(&exact);

    assert!((offset - (256f64 / 255.0).log2()).abs() < 1e-12, "{offset}");
    assert!((offset - 0.0056466).abs() < 5e-8, "{offset}");
}

/// What section 8.2 prints of one forward pass.
struct Row {
    recipe: RealNvp,
    mode: Mode,
    parameters: i64,
    /// log-det 0, log-det 1, sum z, sum z^2, z[0][0], z[1][last], bits per dimension.
    printed: [f64; 7],
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let grey = |st_network| multi_scale(GREY, 2, st_network);
    let no_norm = StNetwork::Resnet { width: 8, blocks: 2, batch_norm: false, skip: true };
    let no_skip = StNetwork::Resnet { width: 8, blocks: 2, batch_norm: true, skip: false };
    let cycle = stack(GREY, MaskScheme::Cycle, 8, RESNET);
    let horizontal = stack(GREY, MaskScheme::Horizontal, 8, RESNET);
    let eight = stack(GREY, MaskScheme::Checkerboard, 8, RESNET);
    let small = stack(GREY, MaskScheme::Checkerboard, 2, RESNET);
    let row = |recipe: &RealNvp, mode, parameters, printed| Row { recipe: recipe.clone(), mode, parameters, printed };
    vec![
        row(&grey(RESNET), Evaluate, 85736, [1581.05761784, 1580.41573441, 626.27716700, 12187.14863233, -2.25646332, -0.49150950, 12.02353347]),
        row(&grey(RESNET), Train, 85736, [1471.96815641, 1471.38990232, 85.15598485, 8281.26957154, -2.37372083, -0.34289904, 10.42734577]),
        row(&grey(no_norm), Evaluate, 84342, [1507.76216788, 1507.12990838, 531.44153995, 8905.49465830, -2.07083000, -0.47220979, 10.64869873]),
        row(&grey(no_norm), Train, 84342, [1507.76216788, 1507.12990838, 531.44153995, 8905.49465830, -2.07083000, -0.47220979, 10.64869873]),
        row(&grey(no_skip), Evaluate, 78968, [1381.35560786, 1379.65073997, 569.15469842, 4873.64967451, -1.50430617, -0.71614678, 9.02747316]),
        row(&grey(no_skip), Train, 78968, [1452.21189346, 1448.86162853, 680.79182485, 8450.85349756, -1.59039967, -0.48063146, 10.54426709]),
        row(&multi_scale(COLOUR, 3, RESNET), Evaluate, 422952, [5286.84222213, 5287.12347617, 995.49895350, 37720.80811899, 1.22145933, 0.69867096, 11.27151687]),
        row(&multi_scale(COLOUR, 3, RESNET), Train, 422952, [5115.14272225, 5115.47711153, 649.22329113, 21156.75126013, 0.80930230, 0.66445109, 9.40740587]),
        row(&cycle, Evaluate, 22848, [1343.41111946, 1339.75891947, 639.64223646, 3389.89757449, -2.01210399, 0.49500289, 8.41649940]),
        row(&cycle, Train, 22848, [1388.91926263, 1383.44958553, 63.87290229, 3673.24948785, -2.48589036, 0.14235174, 8.46478290]),
        row(&horizontal, Evaluate, 22848, [1398.15006110, 1395.57190717, 1368.62843493, 6229.93580880, -1.68483642, 0.92196592, 9.62132199]),
        row(&horizontal, Train, 22848, [1486.97144112, 1476.97571494, 135.70019867, 7833.34385478, -2.66864368, 0.19686409, 10.20233691]),
        row(&eight, Evaluate, 22848, [2387.85441554, 2390.95395546, 4166.65283812, 140218.08479425, -3.89687901, 0.99736882, 69.43518981]),
        row(&eight, Train, 22848, [1708.37977300, 1708.55018951, 280.23621588, 14824.18899573, -3.69556961, 0.20960042, 13.00164351]),
        row(&small, Evaluate, 5712, [1493.15685749, 1492.25323784, 437.28317457, 5692.17519154, -2.53808203, 0.32283136, 9.19755937]),
        row(&small, Train, 5712, [1410.01674659, 1408.93378604, 46.21623713, 4063.33444963, -2.65737566, 0.12130557, 8.60137962]),
    ]
}

#[test]
fn forward_passes_give_every_printed_number() {
    for Row { recipe, mode, parameters, printed } in rows() {
        let flow = filled_flow(&recipe);
        let (images, noise) = deterministic::inputs(recipe.input);

        let (latents, bits) = no_grad(|| {
            let latents = flow.encode(&images, &noise, mode);
            // A second pass in training mode reads no running statistics, so both see the same model.
            let total = flow.log_likelihood(&images, &noise, mode).total;
            (latents, bits_per_dimension(number(&total.mean(Kind::Double)), flow.dimensions()))
        });

        let z = &latents.output;
        let found = [
            latents.log_det.double_value(&[0]),
            latents.log_det.double_value(&[1]),
            sum(z),
            sum(&z.square()),
            z.double_value(&[0, 0]),
            z.double_value(&[1, flow.dimensions() - 1]),
            bits,
        ];
        assert_eq!(flow.parameters().count(), parameters, "{recipe:?}");
        for (found, printed) in found.into_iter().zip(printed) {
            assert_printed(&format!("{recipe:?} {mode:?}"), found, printed);
        }
    }
}

/// Sum, sum of squares and log-det of sample 0 of each layer of a filled flow, squeezes left out.
fn trace(recipe: &RealNvp, mode: Mode) -> Vec<[f64; 3]> {
    let flow = filled_flow(recipe);
    let (images, noise) = deterministic::inputs(recipe.input);
    let mut rows = Vec::new();
    no_grad(|| {
        flow.encode_observed(&images, &noise, mode, |layer| {
            if !layer.name.starts_with("squeeze") {
                rows.push([sum(layer.output), sum(&layer.output.square()), layer.log_det.double_value(&[0])]);
            }
        })
    });
    rows
}

#[track_caller]
fn assert_trace(found: &[[f64; 3]], printed: &[[f64; 3]]) {
    assert_eq!(found.len(), printed.len());
    for (layer, (found, printed)) in found.iter().zip(printed).enumerate() {
        for (found, printed) in found.iter().zip(printed) {
            assert_printed(&format!("layer {layer}"), *found, *printed);
        }
    }
}

#[test]
fn realnvp_trace_gives_every_printed_number_in_both_modes() {
    let logit = [-4.15946993, 2801.82024416, 1306.54228619];
    let evaluated = [
        logit,
        [211.86289114, 4074.80148059, 83.74526189],
        [437.28317457, 5692.17519154, 102.86930940],
        [748.23957894, 9335.27877507, 107.04797051],
        [721.03361151, 9751.85651836, -4.14259921],
        [651.01378554, 9355.20246904, -3.78793605],
        [635.58611671, 10020.59141842, -4.04991170],
        [328.72822622, 6251.78602458, -1.86152004],
        [323.42431411, 6714.59246381, -1.75713187],
        [323.60233481, 7328.24889565, -1.83135943],
        [324.02712201, 7967.40351764, -1.71675186],
    ];
    let trained = [
        logit,
        [20.67764699, 3449.42889175, 52.36635709],
        [46.21623713, 4063.33444963, 51.10810331],
        [77.99408465, 5072.09303846, 50.81393548],
        [51.55084609, 5335.64950580, 2.53864076],
        [32.13226853, 5378.73149756, 2.10886538],
        [29.68865911, 5994.91827084, 2.60181593],
        [14.41878318, 3900.91867384, 0.91875205],
        [22.37629041, 4318.79658264, 1.10811497],
        [43.46738165, 5063.41176907, 0.82788005],
        [63.49883186, 5722.05005685, 1.03340519],
    ];

    let recipe = multi_scale(GREY, 2, RESNET);

    assert_trace(&trace(&recipe, Evaluate), &evaluated);
    assert_trace(&trace(&recipe, Train), &trained);
}

#[test]
fn cycle_trace_gives_every_printed_number() {
    let printed = [
        [-4.15946993, 2801.82024416, 1306.54228619],
        [74.51830252, 2847.78451930, 3.93174222],
        [152.38214523, 2900.31462051, 5.01329511],
        [231.89469430, 2948.35801579, 4.26075448],
        [313.38241381, 3009.67286763, 4.99902872],
        [393.84717052, 3091.75789255, 3.91040381],
        [473.58203567, 3192.71263526, 5.26390386],
        [554.92855669, 3277.67989663, 4.30398820],
        [639.64223646, 3389.89757449, 5.18571685],
    ];

    assert_trace(&trace(&stack(GREY, MaskScheme::Cycle, 8, RESNET), Evaluate), &printed);
}

#[test]
fn colour_logit_has_the_printed_sums() {
    let found = trace(&multi_scale(COLOUR, 3, RESNET), Evaluate)[0];

    assert_trace(&[found], &[[-0.59733237, 10993.19803461, 5117.93612601]]);
}

#[test]
fn running_statistics_after_one_training_pass_are_the_printed_ones() {
    let flow = filled_flow(&multi_scale(GREY, 2, RESNET));
    let (images, noise) = deterministic::inputs(GREY);
    let _guard = tch::no_grad_guard();

    flow.encode(&images, &noise, Train);

    let state = flow.parameters().state();
    let buffer = |name: &str| {
        let full = format!("couplings.0.network.input_norm.{name}");
        let (_, tensor) = state.iter().find(|(name, _)| *name == full).expect("the first network has a norm");
        tensor.to_kind(Kind::Double).flatten(0, -1).double_value(&[0])
    };
    assert!((buffer("running_mean") - 0.0752299106).abs() < 1e-10);
    assert!((buffer("running_variance") - 1.3078637030).abs() < 1e-10);
    assert_eq!(buffer("batches"), 1.0);
    let evaluated = flow.log_likelihood(&images, &noise, Evaluate);
    assert_printed("log-det of sample 0", evaluated.log_det.double_value(&[0]), 1533.29955293);
    assert_printed("log-det of sample 1", evaluated.log_det.double_value(&[1]), 1532.71057349);
    assert_printed("bits", bits_per_dimension(number(&evaluated.total.mean(Kind::Double)), 784), 11.02102190);
}

/// Builds each model and compares its parameters, the gains among them and the values in buffers.
fn assert_counts(rows: &[(RealNvp, [i64; 3])]) {
    tch::set_num_threads(1);
    for (recipe, expected) in rows {
        let flow = recipe.build(0, Kind::Float, Device::Cpu).expect("the recipe is valid");

        let store = flow.parameters();
        assert_eq!([store.count(), store.count_of(Role::Gain), store.buffer_count()], *expected, "{recipe:?}");
    }
}

fn without_norm(blocks: i64) -> StNetwork {
    StNetwork::Resnet { width: 64, blocks, batch_norm: false, skip: true }
}

#[test]
fn g4_parameter_counts_are_those_of_the_reference() {
    let no_skip = StNetwork::Resnet { width: 64, blocks: 6, batch_norm: true, skip: false };
    assert_counts(&[
        (multi_scale(GREY, 2, resnet(64, 6)), [14_707_336, 21_811, 28_462]),
        (multi_scale(GREY, 2, without_norm(6)), [14_679_014, 21_811, 0]),
        (multi_scale(GREY, 2, no_skip), [13_803_272, 14_195, 28_462]),
        (stack(GREY, MaskScheme::Cycle, 8, resnet(64, 6)), [3_809_344, 10_264, 13_440]),
        (stack(GREY, MaskScheme::Horizontal, 8, resnet(64, 6)), [3_809_344, 10_264, 13_440]),
        (stack(COLOUR, MaskScheme::Checkerboard, 8, resnet(64, 8)), [5_084_352, 13_384, 17_600]),
        (stack(GREY, MaskScheme::Checkerboard, 2, resnet(64, 6)), [952_336, 2_566, 3_360]),
        (stack(COLOUR, MaskScheme::Checkerboard, 2, resnet(64, 8)), [1_271_088, 3_346, 4_400]),
        (stack(GREY, MaskScheme::Horizontal, 3, resnet(64, 6)), [1_428_504, 3_849, 5_040]),
        (stack(COLOUR, MaskScheme::Horizontal, 3, resnet(64, 8)), [1_906_632, 5_019, 6_600]),
    ]);
}

#[test]
fn g4_parameter_counts_of_the_largest_models_are_those_of_the_reference() {
    assert_counts(&[
        (multi_scale(GREY, 2, resnet(64, 8)), [19_552_008, 28_339, 37_206]),
        (multi_scale(COLOUR, 3, resnet(64, 8)), [87_859_080, 71_939, 94_114]),
        (multi_scale(COLOUR, 2, resnet(64, 8)), [19_631_640, 28_441, 37_274]),
        (multi_scale(COLOUR, 3, without_norm(8)), [87_765_254, 71_939, 0]),
    ]);
}
