//! How far densities and inverses drift from double precision when st-networks compute in single precision, TF32 or
//! bfloat16, on the baseline recipes after a few training steps.
#![allow(clippy::print_stdout, reason = "a report prints its table")]

#[path = "../../tests/laws/adam.rs"]
mod adam;
mod drift;
mod models;

use clap::Parser;
use drift::{Examples, Measured, Pass, Row};
use flows::{Arithmetic, Flow};
use models::Model;
use tch::{Device, Kind};

/// What to measure and how.
#[derive(Debug, Parser)]
struct Arguments {
    /// Threads within an operation; more than one wait for each other on a machine that does other work.
    #[arg(long, default_value_t = 1)]
    threads: i32,
    /// Training steps of each model before it is measured; the widest takes a fifth of them.
    #[arg(long, default_value_t = 60)]
    steps: i32,
    /// Examples that are measured; the widest model takes a quarter of them.
    #[arg(long, default_value_t = 16)]
    examples: i64,
    /// Only models whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

const SINGLE: Pass = Pass { name: "float32", kind: Kind::Float, arithmetic: Arithmetic::Full };
const TF32: Pass = Pass { name: "TF32", kind: Kind::Float, arithmetic: Arithmetic::Tf32 };
const BFLOAT16: Pass = Pass { name: "bfloat16", kind: Kind::Float, arithmetic: Arithmetic::Bfloat16 };

const PASSES: [Pass; 3] = [SINGLE, TF32, BFLOAT16];

/// Forward and inverse as places in [`PASSES`]: the same arithmetic, then mixtures.
const PAIRS: [[usize; 2]; 5] = [[0, 0], [1, 1], [2, 2], [0, 1], [0, 2]];

const LEGEND: &str = "\
Each model is trained for a few steps of Adam in float32 on synthetic images (bright discs on a slope of grey; vectors near a
ring), then measured on other examples in evaluation mode. Latents, log-determinants and the prior are always float32; the
arithmetic named is that of convolutions and matrix products inside st-networks. TF32 and bfloat16 are emulated on CPUs.

A coupling layer undoes whatever its network said, so the inverse of the same arithmetic is as good as float32, except where
a float32 rounding of a network's input tips a coarser rounding inside it. Another arithmetic's inverse undoes something
that was never done.

  forward     arithmetic of the st-networks from example to latent; the density is computed by it
  inverse     arithmetic of the st-networks from latent to example
  bits/dim    mean over the examples in float64
  drift mean  mean of (bits/dim by this arithmetic - bits/dim in float64)
  drift worst largest absolute value of the same over single examples
  pixel rms   root mean square of decode(encode(x)) - x, in grey levels (of 255); in units of the data for vectors
  pixel worst largest absolute value of the same over single pixels
  z worst     largest absolute value of encode(decode(z)) - z over single latents, z drawn from the prior; decode by the
              arithmetic of the inverse, encode by that of the forward pass
";

fn main() {
    let arguments = Arguments::parse();
    tch::set_num_threads(arguments.threads);
    println!("{LEGEND}");
    println!(
        "{:<24} {:<9} {:<9} {:>9} {:>11} {:>11} {:>10} {:>11} {:>10}",
        "model", "forward", "inverse", "bits/dim", "drift mean", "drift worst", "pixel rms", "pixel worst", "z worst"
    );
    for model in models::all().into_iter().filter(|model| model.name.contains(&arguments.only)) {
        report(&model, &arguments);
    }
}

/// Trains a model and prints its rows.
fn report(model: &Model, arguments: &Arguments) {
    let trained =
        Flow::build(&model.architecture, 0, Kind::Float, Device::Cpu).expect("the baseline recipes are sound");
    let steps = (arguments.steps / model.share_of_steps).max(1);
    adam::train(&trained, 1e-3, steps, |step| drift::batch(&trained, model.batch, i64::from(step)));
    let examples = Examples::of(&trained, (arguments.examples / model.share_of_examples).max(1));
    let truth = drift::bits_per_dimension_in_double(&trained, &examples);
    let measured = PASSES.map(|pass| Measured::new(&trained, &examples, pass));
    for [forward, inverse] in PAIRS {
        let Row { drift_mean, drift_worst, pixel_rms, pixel_worst, latent_worst } =
            drift::compare(&examples, &truth, [&measured[forward], &measured[inverse]]);
        println!(
            "{:<24} {:<9} {:<9} {:>9.5} {drift_mean:>11.1e} {drift_worst:>11.1e} {pixel_rms:>10.1e} {pixel_worst:>11.1e} {latent_worst:>10.1e}",
            model.name,
            PASSES[forward].name,
            PASSES[inverse].name,
            truth.mean(Kind::Double).double_value(&[]),
        );
    }
}
