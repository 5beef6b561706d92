//! One row of the report: a flow computed in a given arithmetic, against the same weights in double precision.

use std::f64::consts::LN_2;

use flows::architecture::InputShape;
use flows::base::standard_normal_log_density;
use flows::init::{self, Key};
use flows::{Arithmetic, Bijection, Flow, Mode, Transformed};
use tch::{Device, Kind, Tensor, no_grad};

use crate::adam::discs;

/// How a direction of the flow computes.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub name: &'static str,
    pub kind: Kind,
    pub arithmetic: Arithmetic,
}

/// The examples that are measured, in double precision.
pub struct Examples {
    x: Tensor,
    noise: Option<Tensor>,
    /// Draws from the prior, `[b, d]`.
    latents: Tensor,
}

/// What one row says; the legend of the report explains it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub drift_mean: f64,
    pub drift_worst: f64,
    pub pixel_rms: f64,
    pub pixel_worst: f64,
    pub latent_worst: f64,
}

const DOUBLE: Pass = Pass { name: "float64", kind: Kind::Double, arithmetic: Arithmetic::Full };

fn draw(name: &str, size: &[i64]) -> Tensor {
    init::uniform(Key { seed: 0, name }, size, 0.5, Kind::Double, Device::Cpu) + 0.5
}

/// The training batch of a step, in the kind of the flow.
pub fn batch(flow: &Flow, size: i64, step: i64) -> (Tensor, Option<Tensor>) {
    let kind = flow.parameters().kind();
    match flow.input() {
        InputShape::Image { .. } => {
            let images = discs(flow, size, size * step);
            let noise = draw(&format!("noise of step {step}"), &images.size()).to_kind(kind);
            (images, Some(noise))
        }
        InputShape::Vector { features } => (ring(&format!("ring of step {step}"), size, features.into(), kind), None),
    }
}

/// Vectors near a ring in the first two features.
fn ring(name: &str, count: i64, features: i64, kind: Kind) -> Tensor {
    let draws = init::normal(Key { seed: 0, name }, &[count, features], 1.0, Kind::Double, Device::Cpu);
    let plane = draws.narrow(1, 0, 2);
    let radius = plane.square().sum_dim_intlist(1, true, Kind::Double).sqrt();
    let ring = plane / radius * 2.0 + draws.narrow(1, 2, 2) * 0.1;
    Tensor::cat(&[ring, draws.narrow(1, 2, features - 2)], 1).to_kind(kind)
}

impl Examples {
    /// Examples that no training step has seen.
    pub fn of(flow: &Flow, count: i64) -> Self {
        let (x, noise) = batch(flow, count, 1_000_000);
        let key = Key { seed: 0, name: "latents" };
        let latents = init::normal(key, &[count, flow.dimensions()], 1.0, Kind::Double, Device::Cpu);
        let double = |tensor: Tensor| tensor.to_kind(Kind::Double);
        Self { x: double(x), noise: noise.map(double), latents }
    }

    /// What the flow's chain takes: logits of pixels, or vectors.
    fn inputs(&self) -> Tensor {
        match &self.noise {
            Some(noise) => ((&self.x * 255.0 + noise) / 256.0 * 0.9 + 0.05).logit(None),
            None => self.x.shallow_clone(),
        }
    }

    /// How far inputs of the chain are from each other, in grey levels or units of the data.
    fn distance(&self, one: &Tensor, other: &Tensor) -> Tensor {
        let [one, other] = [one, other].map(|tensor| tensor.to_kind(Kind::Double));
        match &self.noise {
            Some(_) => (one.sigmoid() - other.sigmoid()) / 0.9 * 255.0,
            None => one - other,
        }
    }
}

/// The same weights in another arithmetic.
fn copy(trained: &Flow, pass: Pass) -> Flow {
    let architecture = trained.architecture();
    let flow = Flow::build_rounding(architecture, 0, pass.kind, Device::Cpu, pass.arithmetic)
        .expect("the baseline recipes are sound");
    flow.parameters().load(&trained.parameters().state()).expect("both have one architecture");
    flow
}

/// One arithmetic and what it makes of the examples.
pub struct Measured {
    flow: Flow,
    /// Bits per dimension of each example in double precision, `[b]`.
    bits: Tensor,
    /// The latents of the examples.
    encoded: Tensor,
    /// What the latents drawn from the prior decode to, before the logit layer.
    samples: Tensor,
}

impl Measured {
    /// Encodes the examples and decodes the latents.
    pub fn new(trained: &Flow, examples: &Examples, pass: Pass) -> Self {
        let flow = copy(trained, pass);
        let noise = examples.noise.as_ref().map(|noise| noise.to_kind(pass.kind));
        let Transformed { output, log_det } =
            no_grad(|| flow.encode(&examples.x.to_kind(pass.kind), noise.as_ref(), Mode::Evaluate));
        let nats = standard_normal_log_density(&output) + log_det - flow.discretisation_nats();
        let bits = nats.to_kind(Kind::Double) / (-LN_2 * flow.dimensions() as f64);
        let latents = examples.latents.to_kind(pass.kind);
        let samples = no_grad(|| flow.chain().inverse(&latents, Mode::Evaluate)).output;
        Self { flow, bits, encoded: output, samples }
    }
}

/// Bits per dimension of each example in double precision, `[b]`.
pub fn bits_per_dimension_in_double(trained: &Flow, examples: &Examples) -> Tensor {
    let flow = copy(trained, DOUBLE);
    let total = no_grad(|| flow.log_likelihood(&examples.x, examples.noise.as_ref(), Mode::Evaluate).total);
    total / (-LN_2 * flow.dimensions() as f64)
}

/// Compares one arithmetic going forward and one going back against the truth in double precision.
pub fn compare(examples: &Examples, truth: &Tensor, [forward, inverse]: [&Measured; 2]) -> Row {
    let drift = &forward.bits - truth;
    let returned = no_grad(|| inverse.flow.chain().inverse(&forward.encoded, Mode::Evaluate)).output;
    let again = no_grad(|| forward.flow.chain().forward(&inverse.samples, Mode::Evaluate)).output;
    let pixels = examples.distance(&returned, &examples.inputs());
    let worst = |tensor: &Tensor| tensor.abs().max().double_value(&[]);
    Row {
        drift_mean: drift.mean(Kind::Double).double_value(&[]),
        drift_worst: worst(&drift),
        pixel_rms: pixels.square().mean(Kind::Double).sqrt().double_value(&[]),
        pixel_worst: worst(&pixels),
        latent_worst: worst(&(again.to_kind(Kind::Double) - &examples.latents)),
    }
}
