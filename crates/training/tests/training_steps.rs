//! Five training steps in double precision against the reference's losses and gradient norms (reference section 8.3).

#[path = "../../flows/tests/deterministic/mod.rs"]
mod deterministic;

use flows::recipes::{MaskScheme, Preprocessing, RealNvp, StNetwork};
use flows::{Flow, Mode};
use tch::{Device, Kind, Tensor, no_grad};
use training::optimiser::{Decayed, Optimiser, OptimiserKind, Regularisation};

/// The tolerances of section 8.3: rounding grows as Adam divides small gradients by their own size.
fn relative_tolerance(step: usize) -> f64 {
    if step < 2 { 1e-6 } else { 1e-4 }
}

struct Run {
    flow: Flow,
    images: Tensor,
    noise: Tensor,
    optimiser: Optimiser,
}

impl Run {
    fn new(clip_norm: f64, weight_decay: f64) -> Self {
        let recipe = RealNvp {
            input: [1, 28, 28],
            mask: MaskScheme::Checkerboard,
            scales: 2,
            couplings: 8,
            st_network: StNetwork::Resnet { width: 8, blocks: 2, batch_norm: true, skip: true },
            preprocessing: Preprocessing::FlowsOod,
        };
        let flow = recipe.build(0, Kind::Double, Device::Cpu).expect("the recipe is valid");
        deterministic::fill(&flow);
        let (images, noise) = deterministic::inputs(recipe.input);
        let regularisation = Regularisation { clip_norm: Some(clip_norm), weight_decay, decayed: Decayed::Gains };
        let optimiser = Optimiser::new(OptimiserKind::adam(1e-3), flow.parameters(), regularisation);
        Self { flow, images, noise, optimiser }
    }

    fn loss(&self, mode: Mode) -> Tensor {
        -self.flow.log_likelihood(&self.images, &self.noise, mode).total.mean(Kind::Double)
    }

    /// The loss before the update and both gradient norms before clipping.
    fn step(&mut self) -> (f64, [f64; 2]) {
        let loss = self.loss(Mode::Train);
        let norms = self.optimiser.step(&loss).groups;
        (loss.double_value(&[]), [norms[0].double_value(&[]), norms[1].double_value(&[])])
    }
}

#[track_caller]
fn assert_close(what: &str, step: usize, found: f64, printed: f64) {
    let error = (found / printed - 1.0).abs();
    assert!(error < relative_tolerance(step), "{what} at step {step}: {found}, not {printed} ({error:.1e} off)");
}

#[test]
fn adam_follows_the_reference_in_losses_and_gradient_norms() {
    let losses = [5666.50529002, 5272.36580158, 4807.22258924, 4586.81821979, 4450.09283760];
    let norms = [
        [2693.58523485, 28577.06093051],
        [2076.21007758, 23177.32321500],
        [967.45836073, 10165.55967386],
        [657.93665600, 7213.92910618],
        [403.06021993, 4817.61101091],
    ];
    let mut run = Run::new(100.0, 5e-5);

    for (step, (loss, printed)) in losses.into_iter().zip(norms).enumerate() {
        let (found, groups) = run.step();
        assert_close("loss", step, found, loss);
        assert_close("norm of the gains", step, groups[0], printed[0]);
        assert_close("norm of the weights", step, groups[1], printed[1]);
    }

    let evaluated = no_grad(|| run.loss(Mode::Evaluate)).double_value(&[]);
    assert_close("evaluation loss", 5, evaluated, 4556.95354873);
}

#[test]
fn a_tight_clip_follows_the_reference() {
    let losses = [5666.50529002, 5272.34394161, 4806.88285398, 4587.56050516, 4452.47713161];
    let mut run = Run::new(1.0, 5e-5);

    for (step, loss) in losses.into_iter().enumerate() {
        assert_close("loss", step, run.step().0, loss);
    }
}

#[test]
fn strong_decay_of_gains_follows_the_reference() {
    let losses = [5666.50529002, 5272.21366662, 4806.83065408, 4585.03696180, 4450.73642835];
    let mut run = Run::new(100.0, 0.1);

    for (step, loss) in losses.into_iter().enumerate() {
        assert_close("loss", step, run.step().0, loss);
    }
}

#[test]
fn the_same_steps_end_in_the_same_bits() {
    let (mut one, mut other) = (Run::new(100.0, 5e-5), Run::new(100.0, 5e-5));

    for _ in 0..3 {
        one.step();
        other.step();
    }

    assert_eq!(one.flow.parameters().flat_all(), other.flow.parameters().flat_all());
}
