//! Inverses after training, since that is when they explode (Behrmann, Vicol, Wang, Grosse and Jacobsen 2021): every recipe
//! takes steps at a rate twenty times the usual one, and is then inverted also far away from what it was trained on.

use flows::{Bijection, Flow, Mode};
use tch::{Tensor, no_grad};

use crate::adam::{discs, train};
use crate::subjects::{self, Recipe, fresh_flow, normal, uniform};
use crate::table::{Worst, largest};

const RATE: f64 = 1e-2;
const STEPS: i32 = 30;

#[test]
fn inverses_and_log_determinants_hold_after_training() {
    let (mut errors, mut gaps) = (Worst::default(), Worst::default());
    for recipe in subjects::recipes() {
        let flow = fresh_flow(&recipe.architecture);

        let losses = train(&flow, RATE, STEPS, |step| examples(&recipe, &flow, step));

        assert!(losses[1] < losses[0], "{}: the loss goes from {:.3} to {:.3}", recipe.name, losses[0], losses[1]);
        for (what, x) in inputs(&recipe, &flow) {
            for mode in [Mode::Evaluate, Mode::Train] {
                let forward = no_grad(|| flow.chain().forward(&x, mode));
                let back = no_grad(|| flow.chain().inverse(&forward.output, mode));

                let error = largest(&(back.output - &x)) / (1.0 + largest(&x));
                let gap = largest(&(&back.log_det + &forward.log_det)) / (1.0 + largest(&forward.log_det));
                assert!(error < 1e-10, "{}, {what}, {mode:?}: the input is {error:.1e} off", recipe.name);
                assert!(gap < 1e-10, "{}, {what}, {mode:?}: log-determinants {gap:.1e} apart", recipe.name);
                errors.see_kind(&format!("{}, {what}", recipe.kind), error);
                gaps.see_kind(&format!("{}, {what}", recipe.kind), gap);
            }
        }
    }
    errors.print("trained: inverse error");
    gaps.print("trained: cancellation gap");
}

fn examples(recipe: &Recipe, flow: &Flow, step: i32) -> (Tensor, Option<Tensor>) {
    match recipe.kind.as_str() {
        "tabular" => (ring(flow.dimensions()), None),
        _ => {
            let images = discs(flow, 8, 8 * i64::from(step));
            let noise = uniform(&format!("noise of step {step}"), &images.size(), 0.5) + 0.5;
            (images, Some(noise))
        }
    }
}

/// Points near a circle in the first two dimensions.
fn ring(features: i64) -> Tensor {
    let points = normal("points", &[64, features]);
    let plane = points.narrow(1, 0, 2);
    let radius = plane.square().sum_dim_intlist(1, true, tch::Kind::Double).sqrt();
    let near = plane / radius * 2.0 + points.narrow(1, 0, 2) * 0.1;
    Tensor::cat(&[near, points.narrow(1, 2, features - 2)], 1)
}

/// What the chain is inverted at: values like those of training, noise, and both ends of the range.
fn inputs(recipe: &Recipe, flow: &Flow) -> Vec<(&'static str, Tensor)> {
    let size: Vec<i64> = [4].into_iter().chain(flow.input().sizes()).collect();
    let noise = uniform("far away", &size, 2.9);
    if recipe.kind == "tabular" {
        return vec![("trained on", ring(flow.dimensions())), ("far away", noise * 3.0)];
    }
    let pixels = (discs(flow, 4, 0) * 255.0 + uniform("noise", &size, 0.5) + 0.5) / 256.0;
    let logits = (pixels * 0.9 + 0.05).logit(None);
    let extremes = noise.sign() * 2.94;
    vec![("trained on", logits), ("far away", Tensor::cat(&[noise, extremes], 0))]
}
