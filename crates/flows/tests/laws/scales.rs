//! The contributions of a flow's scales are the whole flow, taken apart.

use flows::architecture::{InputShape, LayerKind};
use flows::layers::multiscale::ScalePart;
use flows::{Flow, Mode};
use tch::{Kind, Tensor, no_grad};

use crate::subjects::{Recipe, perturbed_flow, recipes, uniform};

const BATCH: i64 = 3;

/// Examples of a recipe, with noise where it takes images.
fn examples(recipe: &Recipe) -> (Tensor, Option<Tensor>) {
    let size = [vec![BATCH], recipe.architecture.input.sizes()].concat();
    let halves = |name: &str| uniform(name, &size, 0.45) + 0.5;
    match recipe.architecture.input {
        InputShape::Image { .. } => (halves("pixels of scales"), Some(halves("noise of scales"))),
        InputShape::Vector { .. } => (uniform("vectors of scales", &size, 2.0), None),
    }
}

/// The log-determinants of each scale as an observer of every layer adds them up.
fn observed(flow: &Flow, x: &Tensor, noise: Option<&Tensor>, scales: usize) -> Vec<Tensor> {
    let mut sums: Vec<Tensor> = (0..scales).map(|_| Tensor::zeros([BATCH], (Kind::Double, x.device()))).collect();
    flow.encode_observed(x, noise, Mode::Evaluate, |traced| sums[traced.factored.len()] += traced.log_det);
    sums
}

#[test]
fn scales_are_the_whole_flow_taken_apart() {
    let mut most = 0;
    for recipe in recipes() {
        let flow = perturbed_flow(&recipe.architecture);
        let (x, noise) = examples(&recipe);
        let leaving = |layer: &&flows::architecture::Layer| matches!(layer.kind, LayerKind::Factor { .. });
        let scales = 1 + recipe.architecture.layers.iter().filter(leaving).count();
        most = most.max(scales);

        let (whole, parts) = no_grad(|| {
            (flow.encode(&x, noise.as_ref(), Mode::Evaluate), flow.encode_by_scale(&x, noise.as_ref(), Mode::Evaluate))
        });

        assert_eq!(parts.len(), scales, "{}", recipe.name);
        let latents: Vec<&Tensor> = parts.iter().map(|part| &part.latent).collect();
        assert!(Tensor::cat(&latents, 1).equal(&whole.output), "{}: another latent", recipe.name);
        let sum: Tensor = parts.iter().map(|ScalePart { log_det, .. }| log_det).sum();
        assert!(sum.allclose(&whole.log_det, 1e-12, 1e-10, false), "{}: {sum:?}", recipe.name);
        let each = no_grad(|| observed(&flow, &x, noise.as_ref(), scales));
        for (part, each) in parts.iter().zip(&each) {
            assert!(part.log_det.allclose(each, 1e-12, 1e-10, false), "{}: {:?} {each:?}", recipe.name, part.log_det);
        }
    }
    assert!(most >= 3, "some recipe has three scales");
}
