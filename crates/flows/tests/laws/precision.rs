//! Single precision against double: `examples/precision_report` prints the whole table.

use flows::{Bijection, Flow, Mode, bits_per_dimension};
use tch::{Device, Kind, no_grad};

use crate::adam::{discs, train};
use crate::subjects::{self, Recipe, SEED, uniform};
use crate::table::largest;

/// One recipe of each kind and each layer that rounds in a way of its own.
const RECIPES: [&str; 8] = [
    "realnvp 3 scales",
    "realnvp spline",
    "realnvp haar",
    "realnvp learned prior",
    "stack checkerboard 8",
    "stack cycle 8",
    "glow full",
    "glow LU, one exit",
];

/// The flow in single precision after a few steps, and its copy in double precision.
fn pair(recipe: &Recipe) -> [Flow; 2] {
    tch::set_num_threads(1);
    let single = Flow::build(&recipe.architecture, SEED, Kind::Float, Device::Cpu).unwrap();
    let losses = train(&single, 2e-3, 15, |step| {
        let images = discs(&single, 16, 16 * i64::from(step));
        let noise = uniform(&format!("noise of step {step}"), &images.size(), 0.5) + 0.5;
        (images, Some(noise.to_kind(Kind::Float)))
    });
    assert!(losses[1] < losses[0], "{}", recipe.name);
    let double = Flow::build(&recipe.architecture, SEED, Kind::Double, Device::Cpu).unwrap();
    double.parameters().load(&single.parameters().state()).unwrap();
    [single, double]
}

#[test]
fn single_precision_drifts_by_rounding_alone_and_its_inverse_undoes_it() {
    for recipe in subjects::image_recipes().iter().filter(|recipe| RECIPES.contains(&recipe.name.as_str())) {
        let flows = pair(recipe);
        let [single, double] = &flows;
        let images = discs(double, 16, 0);
        let noise = uniform("noise", &images.size(), 0.5) + 0.5;
        let nats = flows.each_ref().map(|flow| {
            let kind = flow.parameters().kind();
            let (images, noise) = (images.to_kind(kind), noise.to_kind(kind));
            no_grad(|| flow.log_likelihood(&images, Some(&noise), Mode::Evaluate).total).to_kind(Kind::Double)
        });
        let logits = ((&images * 255.0 + &noise) / 256.0 * 0.9 + 0.05).logit(None).to_kind(Kind::Float);

        let z = no_grad(|| single.chain().forward(&logits, Mode::Evaluate)).output;
        let back = no_grad(|| single.chain().inverse(&z, Mode::Evaluate)).output;

        let drift = bits_per_dimension(largest(&(&nats[0] - &nats[1])), double.dimensions()).abs();
        let pixel = largest(&(back.sigmoid() - logits.sigmoid())) / 0.9;
        println!("{}: {drift:.1e} bits/dim, worst pixel {pixel:.1e}", recipe.name);
        // The evaluation reports five decimals of a bit; a tenth of a grey level is 4e-4.
        assert!(drift < 5e-6, "{}: {drift:.1e} bits/dim", recipe.name);
        assert!(pixel < 4e-5, "{}: a pixel is {pixel:.1e} off", recipe.name);
    }
}

#[test]
fn every_recipe_named_here_exists() {
    let known: Vec<String> = subjects::image_recipes().into_iter().map(|recipe| recipe.name).collect();

    for name in RECIPES {
        assert!(known.iter().any(|known| known == name), "{name} is no recipe");
    }
}
