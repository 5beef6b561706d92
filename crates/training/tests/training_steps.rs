//! Training in double precision against the reference's losses, gradient norms and statistics (models.md 8.3).

#[path = "../../flows/tests/deterministic/mod.rs"]
mod deterministic;
#[path = "../../flows/tests/models/mod.rs"]
#[expect(dead_code, reason = "other tests build more models")]
mod models;

use architecture::{Architecture, StNetwork};
use flows::{Flow, Mode, bits_per_dimension};
use models::{GREY, RESNET, glow, multi_scale};
use tch::{Device, Kind, Tensor, no_grad};
use training::optimiser::{Decayed, Optimiser, OptimiserKind, Regularisation};

/// The tolerances of section 8.3: rounding grows as Adam divides small gradients by their own size.
fn relative_tolerance(step: usize) -> f64 {
    if step < 2 { 1e-6 } else { 1e-4 }
}

/// A filled model with the inputs of section 8.2.
struct Scene {
    flow: Flow,
    images: Tensor,
    noise: Option<Tensor>,
}

impl Scene {
    fn new(architecture: &Architecture) -> Self {
        let flow = Flow::build(architecture, 0, Kind::Double, Device::Cpu).expect("the reference builds it");
        deterministic::fill(&flow);
        let (images, noise) = deterministic::inputs(architecture.input);
        Self { flow, images, noise }
    }

    fn realnvp() -> Self {
        Self::new(&multi_scale(GREY, 2, RESNET))
    }

    fn glow() -> Self {
        Self::new(&glow(StNetwork::Highway { width: 8, blocks: 2 }))
    }

    fn loss(&self, mode: Mode) -> Tensor {
        -self.flow.log_likelihood(&self.images, self.noise.as_ref(), mode).total.mean(Kind::Double)
    }

    fn encode(&self, mode: Mode) -> flows::Transformed {
        no_grad(|| self.flow.encode(&self.images, self.noise.as_ref(), mode))
    }

    fn bits(&self, mode: Mode) -> f64 {
        bits_per_dimension(-no_grad(|| self.loss(mode)).double_value(&[]), 784)
    }

    /// The values of one tensor of the model.
    fn values(&self, name: &str) -> Vec<f64> {
        let state = self.flow.parameters().state();
        let (_, tensor) = state.iter().find(|(found, _)| found == name).expect("the model has the tensor");
        Vec::try_from(tensor.to_kind(Kind::Double).reshape([-1])).expect("doubles")
    }
}

struct Run {
    scene: Scene,
    optimiser: Optimiser,
}

impl Run {
    /// The RealNVP, trained by Adam.
    fn adam(clip_norm: f64, weight_decay: f64) -> Self {
        let regularisation = Regularisation { clip_norm: Some(clip_norm), weight_decay, decayed: Decayed::Gains };
        Self::new(Scene::realnvp(), OptimiserKind::adam(1e-3), regularisation)
    }

    fn new(scene: Scene, kind: OptimiserKind, regularisation: Regularisation) -> Self {
        let optimiser = Optimiser::new(kind, scene.flow.parameters(), regularisation);
        Self { scene, optimiser }
    }

    /// The loss before the update and the norm of each group's gradient before clipping.
    fn step(&mut self) -> (f64, Vec<f64>) {
        let loss = self.scene.loss(Mode::Train);
        let norms = self.optimiser.step(&loss).groups;
        (loss.double_value(&[]), norms.iter().map(|norm| norm.double_value(&[])).collect())
    }
}

#[track_caller]
fn assert_close(what: &str, step: usize, found: f64, printed: f64) {
    let error = (found / printed - 1.0).abs();
    assert!(error < relative_tolerance(step), "{what} at step {step}: {found}, not {printed} ({error:.1e} off)");
}

#[track_caller]
fn assert_printed(what: &str, found: f64, printed: f64) {
    let tolerance = 5.1e-9 + 1e-12 * printed.abs();
    assert!((found - printed).abs() <= tolerance, "{what}: found {found:.10}, the reference prints {printed:.8}");
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
    let mut run = Run::adam(100.0, 5e-5);

    for (step, (loss, printed)) in losses.into_iter().zip(norms).enumerate() {
        let (found, groups) = run.step();
        assert_close("loss", step, found, loss);
        assert_eq!(groups.len(), 2);
        assert_close("norm of the gains", step, groups[0], printed[0]);
        assert_close("norm of the weights", step, groups[1], printed[1]);
    }

    let evaluated = no_grad(|| run.scene.loss(Mode::Evaluate)).double_value(&[]);
    assert_close("evaluation loss", 5, evaluated, 4556.95354873);
}

#[test]
fn a_tight_clip_follows_the_reference() {
    let losses = [5666.50529002, 5272.34394161, 4806.88285398, 4587.56050516, 4452.47713161];
    let mut run = Run::adam(1.0, 5e-5);

    for (step, loss) in losses.into_iter().enumerate() {
        assert_close("loss", step, run.step().0, loss);
    }
}

#[test]
fn strong_decay_of_gains_follows_the_reference() {
    let losses = [5666.50529002, 5272.21366662, 4806.83065408, 4585.03696180, 4450.73642835];
    let mut run = Run::adam(100.0, 0.1);

    for (step, loss) in losses.into_iter().enumerate() {
        assert_close("loss", step, run.step().0, loss);
    }
}

#[test]
fn rmsprop_follows_the_reference_through_glow() {
    let losses = [4958.21429325, 4916.46245074, 4889.00447161, 4867.53795856, 4849.53563883];
    let norms = [2956.20237758, 2784.17644503, 2673.01428171, 2586.69812716, 2514.63835196];
    let regularisation = Regularisation { clip_norm: Some(100.0), weight_decay: 5e-5, decayed: Decayed::All };
    let mut run = Run::new(Scene::glow(), OptimiserKind::rms_prop(1e-4), regularisation);

    for (step, (loss, norm)) in losses.into_iter().zip(norms).enumerate() {
        let (found, groups) = run.step();
        assert_close("loss", step, found, loss);
        assert_eq!(groups.len(), 1);
        assert_close("norm", step, groups[0], norm);
    }
}

#[test]
fn act_norm_takes_its_first_batch_as_the_reference_does() {
    let scene = Scene::glow();
    let unmarked: Vec<(String, Tensor)> = scene
        .flow
        .parameters()
        .state()
        .into_iter()
        .map(|(name, tensor)| {
            let tensor = if name.ends_with(".initialised") { tensor.zeros_like() } else { tensor.copy() };
            (name, tensor)
        })
        .collect();
    scene.flow.parameters().load(&unmarked).expect("the state is the model's own");

    let first = scene.encode(Mode::Train);

    assert_printed("log-det of sample 0", first.log_det.double_value(&[0]), 998.35473286);
    assert_printed("log-det of sample 1", first.log_det.double_value(&[1]), 997.19628701);
    assert_printed("sum", first.output.sum(Kind::Double).double_value(&[]), 18.05949635);
    assert_printed("sum of squares", first.output.square().sum(Kind::Double).double_value(&[]), 1622.52517753);
    let expected = [
        ("act_norms.0.shift", [-0.00489216, 0.03026576, -0.01016664, -0.00459607]),
        ("act_norms.0.log_scale", [-0.29198964, -0.28927065, -0.28903711, -0.29033903]),
    ];
    for (name, printed) in expected {
        for (found, printed) in scene.values(name).into_iter().zip(printed) {
            assert_printed(name, found, printed);
        }
    }
    for step in 0..4 {
        assert_eq!(scene.values(&format!("act_norms.{step}.initialised")), [1.0]);
    }
    assert_eq!(scene.encode(Mode::Evaluate).output, first.output);
    assert_eq!(scene.encode(Mode::Train).output, first.output);
    assert_printed("bits", scene.bits(Mode::Evaluate), 8.23610071);
}

#[test]
fn running_statistics_after_one_training_pass_are_the_reference_s() {
    let scene = Scene::realnvp();

    scene.encode(Mode::Train);

    let first = |name: &str| scene.values(&format!("couplings.0.network.input_norm.{name}"))[0];
    assert!((first("running_mean") - 0.0752299106).abs() < 5.1e-11);
    assert!((first("running_variance") - 1.3078637030).abs() < 5.1e-11);
    assert_eq!(first("batches"), 1.0);
    let evaluated = scene.encode(Mode::Evaluate);
    assert_printed("log-det of sample 0", evaluated.log_det.double_value(&[0]), 1533.29955293);
    assert_printed("log-det of sample 1", evaluated.log_det.double_value(&[1]), 1532.71057349);
    assert_printed("bits", scene.bits(Mode::Evaluate), 11.02102190);
}

#[test]
fn the_same_steps_end_in_the_same_bits() {
    let (mut one, mut other) = (Run::adam(100.0, 5e-5), Run::adam(100.0, 5e-5));

    for _ in 0..3 {
        one.step();
        other.step();
    }

    assert_eq!(one.scene.flow.parameters().flat_all(), other.scene.flow.parameters().flat_all());
}
