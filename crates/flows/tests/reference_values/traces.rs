//! The layer-by-layer traces of models.md 8.2, and the inside of a first coupling.

use architecture::{Architecture, Mask, StNetwork};
use flows::conditioners::Conditioner;
use flows::conditioners::resnet::{Plan, Resnet};
use flows::parameters::ParameterBuilder;
use flows::{Mode, ScaleAndShift};
use tch::{Device, Kind, no_grad};

use crate::models::{GREY, RESNET, glow, multi_scale, stack};
use crate::{assert_printed, assert_within, deterministic, filled_flow, sum};

use Mode::{Evaluate, Train};

/// Sum, sum of squares and log-det of sample 0 of each layer of a filled flow, squeezes left out.
fn trace(architecture: &Architecture, mode: Mode) -> Vec<[f64; 3]> {
    let flow = filled_flow(architecture);
    let (images, noise) = deterministic::inputs(architecture.input);
    let mut rows = Vec::new();
    no_grad(|| {
        flow.encode_observed(&images, noise.as_ref(), mode, |layer| {
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

    let architecture = multi_scale(GREY, 2, RESNET);

    assert_trace(&trace(&architecture, Evaluate), &evaluated);
    assert_trace(&trace(&architecture, Train), &trained);
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

    assert_trace(&trace(&stack(GREY, Mask::cycle(8), RESNET), Evaluate), &printed);
}

#[test]
fn glow_trace_gives_every_printed_number() {
    let steps = [
        [22.24768412, -14.37443105, 5.64871851],
        [22.24768412, -14.37443105, 5.76252962],
        [7.56114588, 4.25675857, 0.84850143],
        [7.56114588, 4.25675857, 0.87863940],
    ];
    let first = [[-63.13627399, 2999.73179397], [-64.93854159, 3218.94991675], [-149.71989808, 3316.58550871]];

    let found = trace(&glow(StNetwork::Highway { width: 8, blocks: 2 }), Evaluate);

    let layers = &found[1..];
    assert_eq!(layers.len(), 12);
    for (layer, printed) in layers.iter().zip(steps.as_flattened()) {
        assert_printed("log-det of sample 0", layer[2], *printed);
    }
    for (layer, printed) in layers.iter().zip(first.as_flattened().chunks(2)) {
        assert_printed("sum", layer[0], printed[0]);
        assert_printed("sum of squares", layer[1], printed[1]);
    }
    assert_printed("sum after the first scale", layers[5][0], -312.76943690);
    assert_printed("sum after the last coupling", layers[11][0], -163.57759398);
}

#[test]
fn the_inside_of_the_first_coupling_has_the_printed_numbers() {
    let _guard = tch::no_grad_guard();
    let architecture = multi_scale(GREY, 2, RESNET);
    let flow = filled_flow(&architecture);
    let (images, noise) = deterministic::inputs(GREY);
    let (mut logits, mut observed) = (None, None);
    flow.encode_observed(&images, noise.as_ref(), Evaluate, |layer| {
        logits.get_or_insert(layer.output.copy());
        if let (None, Some(ScaleAndShift { log_scale, shift })) = (&observed, layer.scale_and_shift) {
            observed = Some((log_scale.double_value(&[0, 0, 0, 0]), shift.double_value(&[0, 0, 0, 0])));
        }
    });
    let logits = logits.expect("the logit layer is observed first");
    // The same network on its own: its tensors depend on their place in it alone.
    let architecture::LayerKind::Coupling(coupling) = &architecture.layers[0].kind else { panic!("no coupling first") };
    let shape = coupling.network_shape(&GREY.sizes());
    let mut builder = ParameterBuilder::new(0, Kind::Double, Device::Cpu);
    let plan = Plan { width: 8, blocks: 2, batch_norm: true, skip: true, latent: None };
    let network = Resnet::new(&mut builder.root().enter("network"), shape, plan);
    deterministic::fill_parts(&builder.finish(), coupling.network.parts("network", shape).into_iter());
    let factors = flows::masks::Factors::of_pixels(coupling.mask, [28, 28], Kind::Double, Device::Cpu);

    let seen = &logits * factors.seen;
    let st = network.forward(&seen, Evaluate);

    assert_printed("x_id", sum(&seen), -7.87885617);
    assert_printed("st", sum(&st), 1040.37577168);
    assert_printed("st squared", sum(&st.square()), 666.82832980);
    let (s_raw, t, rescale) = (st.double_value(&[0, 0, 0, 0]), st.double_value(&[0, 1, 0, 0]), 0.5841470985);
    assert_within("s_raw", s_raw, 0.3167077067, 5.1e-11);
    assert_within("t", t, 0.2049640453, 5.1e-11);
    let (log_scale, shift) = observed.expect("the first coupling is affine");
    assert_within("log-scale", log_scale, rescale * s_raw.tanh(), 1e-10);
    assert_within("shift", shift, t, 1e-14);
}
