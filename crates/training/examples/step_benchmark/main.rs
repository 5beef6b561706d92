//! Milliseconds per training step and images per second in training and evaluation of our engine, beside the same
//! model in plain tch, interleaved in one run.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod naive;

use std::time::Instant;

use clap::Parser;
use flows::recipes::{MaskScheme, Preprocessing, RealNvp, StNetwork};
use flows::{Flow, Mode};
use naive::Naive;
use tch::{Device, Kind, Tensor, no_grad};
use training::optimiser::{Decayed, Optimiser, OptimiserKind, Regularisation};

const LEARNING_RATE: f64 = 5e-4;

/// What to measure and how.
#[derive(Debug, Parser)]
struct Arguments {
    /// Threads within an operation.
    #[arg(long, default_value_t = 2)]
    threads: i32,
    /// Images per step.
    #[arg(long, default_value_t = 32)]
    batch: i64,
    /// Measurements of each engine; the median counts.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Only models whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Measure on the first CUDA device.
    #[arg(long)]
    cuda: bool,
}

fn main() {
    let arguments = Arguments::parse();
    tch::set_num_threads(arguments.threads);
    let device = if arguments.cuda { Device::Cuda(0) } else { Device::Cpu };
    println!("{} threads, batch {}, medians of {}", arguments.threads, arguments.batch, arguments.rounds);
    println!(
        "{:<24} {:>10} {:>10} {:>6} {:>12} {:>10} {:>10} {:>6} {:>12} {:>10}",
        "model", "step ms", "plain ms", "ratio", "images/s", "eval ms", "plain ms", "ratio", "images/s", "loss gap"
    );
    for (name, recipe) in models().into_iter().filter(|(name, _)| name.contains(&arguments.only)) {
        measure(name, &recipe, &arguments, device);
    }
}

/// The demo's three variants and the paper's model for Fashion-MNIST.
fn models() -> Vec<(&'static str, RealNvp)> {
    let recipe = |mask, scales, width, blocks| RealNvp {
        input: [1, 28, 28],
        mask,
        scales,
        couplings: 8,
        st_network: StNetwork::Resnet { width, blocks, batch_norm: true, skip: true },
        preprocessing: Preprocessing::FlowsOod,
    };
    vec![
        ("demo checkerboard", recipe(MaskScheme::Checkerboard, 2, 16, 2)),
        ("demo horizontal", recipe(MaskScheme::Horizontal, 1, 16, 2)),
        ("demo cycle", recipe(MaskScheme::Cycle, 1, 16, 2)),
        ("paper checkerboard", recipe(MaskScheme::Checkerboard, 2, 64, 6)),
    ]
}

fn measure(name: &str, recipe: &RealNvp, arguments: &Arguments, device: Device) {
    let flow = recipe.build(0, Kind::Float, device).expect("the recipes above are valid");
    let mut plain = Naive::new(recipe, &flow, LEARNING_RATE);
    let regularisation = Regularisation { clip_norm: Some(100.0), weight_decay: 5e-5, decayed: Decayed::Gains };
    let mut optimiser = Optimiser::new(OptimiserKind::adam(LEARNING_RATE), flow.parameters(), regularisation);
    let (images, noise) = batch(arguments.batch, device);

    let ours = step(&flow, &mut optimiser, &images, &noise);
    let theirs = plain.step(&images, &noise).double_value(&[]);
    let gap = (ours / theirs - 1.0).abs();
    let mut times = Times::default();
    for _ in 0..arguments.rounds {
        times.step.push(milliseconds(|| {
            step(&flow, &mut optimiser, &images, &noise);
        }));
        times.plain_step.push(milliseconds(|| {
            plain.step(&images, &noise).double_value(&[]);
        }));
        times.evaluation.push(milliseconds(|| {
            no_grad(|| flow.log_likelihood(&images, &noise, Mode::Evaluate).total.double_value(&[0]));
        }));
        times.plain_evaluation.push(milliseconds(|| {
            no_grad(|| plain.log_likelihood(&images, &noise, Mode::Evaluate).double_value(&[0]));
        }));
    }
    let [step, plain_step, evaluation, plain_evaluation] =
        [times.step, times.plain_step, times.evaluation, times.plain_evaluation].map(median);
    let rate = |milliseconds: f64| arguments.batch as f64 / milliseconds * 1e3;
    println!(
        "{name:<24} {step:>10.2} {plain_step:>10.2} {:>6.2} {:>12.0} {evaluation:>10.2} {plain_evaluation:>10.2} {:>6.2} {:>12.0} {gap:>10.1e}",
        plain_step / step,
        rate(step),
        plain_evaluation / evaluation,
        rate(evaluation),
    );
}

/// Measurements in milliseconds.
#[derive(Default)]
struct Times {
    step: Vec<f64>,
    plain_step: Vec<f64>,
    evaluation: Vec<f64>,
    plain_evaluation: Vec<f64>,
}

/// One training step of ours; reading the loss waits for the device.
fn step(flow: &Flow, optimiser: &mut Optimiser, images: &Tensor, noise: &Tensor) -> f64 {
    let loss = -flow.log_likelihood(images, noise, Mode::Train).total.mean(Kind::Float);
    optimiser.step(&loss);
    loss.double_value(&[])
}

fn milliseconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Images of smooth stripes on the grid of grey levels, and noise; the values hardly matter for speed.
fn batch(size: i64, device: Device) -> (Tensor, Tensor) {
    let index = Tensor::arange(size * 784, (Kind::Double, Device::Cpu));
    let images = ((index.sin() * 0.5 + 0.5) * 255.0).floor() / 255.0;
    let noise = (index * 0.618_033_988_749_895).frac();
    let shape = |tensor: Tensor| tensor.to_kind(Kind::Float).view([size, 1, 28, 28]).to_device(device);
    (shape(images), shape(noise))
}
