//! What a training step costs: milliseconds, examples per second, achieved GFLOP/s and peak memory of our engine, beside
//! the same model in plain tch, interleaved in one run. Each model is measured in a process of its own.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod naive;
mod recipes;

use std::process::{Command, ExitCode};
use std::time::Instant;

use architecture::InputShape;
use clap::Parser;
use flows::{Flow, Mode};
use naive::Naive;
use recipes::Recipe;
use tch::{Kind, Tensor, no_grad};
use training::Device;
use training::optimiser::{Decayed, Optimiser, OptimiserKind, Regularisation};

/// The rate of every model: small enough that none diverges within the rounds.
const LEARNING_RATE: f64 = 5e-5;
const CLIP_NORM: f64 = 100.0;
const WEIGHT_DECAY: f64 = 5e-5;

/// What to measure and how.
#[derive(Debug, Parser)]
struct Arguments {
    /// Threads within an operation.
    #[arg(long, default_value_t = 2)]
    threads: u16,
    /// Examples per step; the reference's if absent: 32 images, 1024 vectors.
    #[arg(long)]
    batch: Option<u32>,
    /// Measurements of each engine; the median counts.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only models whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Where to measure: cpu, or cuda for the first device.
    #[arg(long, default_value = "cpu")]
    device: Device,
    /// Leave plain tch out: half the time, half the memory.
    #[arg(long)]
    alone: bool,
    /// Measure the one model of this name, in this process.
    #[arg(long, hide = true)]
    measure: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(error) = arguments.device.require() {
        println!("{error}");
        return ExitCode::FAILURE;
    }
    let recipes = recipes::all();
    if let Some(name) = &arguments.measure {
        for recipe in recipes.iter().filter(|recipe| recipe.name == name) {
            measure(recipe, &arguments);
        }
        return ExitCode::SUCCESS;
    }
    let chosen: Vec<&Recipe> = recipes.iter().filter(|recipe| recipe.name.contains(&arguments.only)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = recipes.iter().map(|recipe| recipe.name).collect();
        println!("no model's name contains {:?}; there are: {}", arguments.only, names.join(", "));
        return ExitCode::FAILURE;
    }
    println!("{}, {} threads, medians of {}", arguments.device, arguments.threads, arguments.rounds);
    println!(
        "{:<24} {:>11} {:>6} {:>10} {:>11} {:>9} {:>9} {:>10} {:>11} {:>10} {:>6} {:>8}",
        "model",
        "parameters",
        "batch",
        "step ms",
        "examples/s",
        "GFLOP/s",
        "peak MiB",
        "eval ms",
        "examples/s",
        "plain ms",
        "ratio",
        "loss gap"
    );
    let mut all_done = true;
    for recipe in chosen {
        let own = std::env::current_exe().expect("a running program has a path");
        let status = Command::new(own).args(std::env::args_os().skip(1)).args(["--measure", recipe.name]).status();
        let done = status.as_ref().is_ok_and(std::process::ExitStatus::success);
        if !done {
            println!("{:<24} not measured: {status:?}", recipe.name);
        }
        all_done &= done;
    }
    if all_done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Our engine with one model and one batch.
struct Engine {
    flow: Flow,
    optimiser: Optimiser,
    examples: Tensor,
    noise: Option<Tensor>,
}

impl Engine {
    fn new(recipe: &Recipe, batch: u32, device: tch::Device) -> Self {
        let flow = Flow::build(&recipe.architecture, 0, Kind::Float, device).expect("the recipes are valid");
        let (examples, noise) = inputs(recipe.architecture.input, batch, device);
        // Act norm takes its first batch before anything is copied or timed.
        no_grad(|| flow.encode(&examples, noise.as_ref(), Mode::Train));
        let (kind, decayed) = rule(recipe);
        let regularisation = Regularisation { clip_norm: Some(CLIP_NORM), weight_decay: WEIGHT_DECAY, decayed };
        let optimiser = Optimiser::new(kind, flow.parameters(), regularisation);
        Self { flow, optimiser, examples, noise }
    }

    /// One training step; reading the loss waits for the device.
    fn step(&mut self) -> f64 {
        let likelihood = self.flow.log_likelihood(&self.examples, self.noise.as_ref(), Mode::Train);
        let loss = -likelihood.total.mean(Kind::Float);
        self.optimiser.step(&loss);
        loss.double_value(&[])
    }

    fn evaluate(&self) -> f64 {
        let total = || self.flow.log_likelihood(&self.examples, self.noise.as_ref(), Mode::Evaluate).total;
        no_grad(total).double_value(&[0])
    }
}

/// The reference's optimiser of each model.
fn rule(recipe: &Recipe) -> (OptimiserKind, Decayed) {
    let has_act_norm = recipe.architecture.layers.iter().any(|layer| layer.kind == architecture::LayerKind::ActNorm);
    match (has_act_norm, recipe.architecture.decays_gains_alone()) {
        (true, _) => (OptimiserKind::rms_prop(LEARNING_RATE), Decayed::All),
        (false, true) => (OptimiserKind::adam(LEARNING_RATE), Decayed::Gains),
        (false, false) => (OptimiserKind::adam(LEARNING_RATE), Decayed::All),
    }
}

fn measure(recipe: &Recipe, arguments: &Arguments) {
    training::set_threads(arguments.threads);
    let device = match arguments.device {
        Device::Cpu => tch::Device::Cpu,
        Device::Cuda => tch::Device::Cuda(0),
    };
    let batch = arguments.batch.unwrap_or_else(|| recipe.default_batch());
    let mut engine = Engine::new(recipe, batch, device);
    let mut plain = None;
    let (mut peak, mut gap) = (0, None);
    let (mut steps, mut evaluations, mut plain_steps) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=arguments.rounds {
        if round == 0 {
            // The first step warms up; plain tch starts from the same weights after it, and its first step from there
            // has the loss of our second.
            engine.step();
            peak = peak_memory_mib();
            plain = (!arguments.alone).then(|| Naive::new(recipe, &engine.flow, LEARNING_RATE));
            if let Some(plain) = &mut plain {
                let theirs = plain.step(&engine.examples, engine.noise.as_ref());
                gap = Some((engine.step() / theirs - 1.0).abs());
            }
            continue;
        }
        steps.push(milliseconds(|| engine.step()));
        evaluations.push(milliseconds(|| engine.evaluate()));
        if let Some(plain) = &mut plain {
            plain_steps.push(milliseconds(|| plain.step(&engine.examples, engine.noise.as_ref())));
        }
    }
    let (step, evaluation) = (median(steps), median(evaluations));
    let rate = |milliseconds: f64| f64::from(batch) / milliseconds * 1e3;
    let flops = recipe.architecture.step_flops(batch.into()) as f64 / step / 1e6;
    print!(
        "{:<24} {:>11} {batch:>6} {step:>10.2} {:>11.0} {flops:>9.1} {peak:>9} {evaluation:>10.2} {:>11.0}",
        recipe.name,
        recipe.architecture.count().parameters,
        rate(step),
        rate(evaluation),
    );
    match gap {
        Some(gap) => {
            let plain = median(plain_steps);
            println!(" {plain:>10.2} {:>6.2} {gap:>8.0e}", plain / step);
        }
        None => println!(" {:>10} {:>6} {:>8}", "-", "-", "-"),
    }
}

fn milliseconds(work: impl FnOnce() -> f64) -> f64 {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed().as_secs_f64() * 1e3
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The most memory that the process ever had resident, in MiB; of the host, whatever the device. 0 where the kernel does
/// not say.
fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
}

/// Images of smooth stripes on the grid of grey levels with their noise, or smooth vectors; the values hardly matter for
/// speed.
fn inputs(shape: InputShape, batch: u32, device: tch::Device) -> (Tensor, Option<Tensor>) {
    let index = Tensor::arange(i64::from(batch) * shape.dimensions(), (Kind::Double, tch::Device::Cpu));
    let sizes = [vec![i64::from(batch)], shape.sizes()].concat();
    let ready = |tensor: Tensor| tensor.to_kind(Kind::Float).view(sizes.as_slice()).to_device(device);
    match shape {
        InputShape::Vector { .. } => (ready(index.sin() * 1.4), None),
        InputShape::Image { .. } => {
            let images = ((index.sin() * 0.5 + 0.5) * 255.0).floor() / 255.0;
            (ready(images), Some(ready((index * 0.618_033_988_749_895).frac())))
        }
    }
}
