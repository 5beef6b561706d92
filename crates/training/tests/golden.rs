//! Every golden case that lies in the folder, computed by the reference implementation in single precision: initial
//! forward pass, gradients, the losses of a few training steps and what they end in. A case that cannot be run fails.

#[path = "golden/case.rs"]
mod case;
#[path = "golden/comparison.rs"]
mod comparison;
#[path = "golden/model.rs"]
mod model;

use std::io::Write as _;

use case::{Case, FOLDER_VARIABLE, Folder};
use comparison::{Table, distance, norm, relative_error, summary};
use flows::parameters::Role;
use flows::{Flow, MemoryOrder, Mode, bits_per_dimension};
use model::Model;
use tch::{Kind, Tensor, no_grad};
use training::optimiser::{Decayed, Optimiser, OptimiserKind, Regularisation};

#[test]
fn every_golden_case_is_reproduced() {
    // One thread gives one order of summation, and does not wait for others on a busy machine.
    tch::set_num_threads(1);
    let Some(folder) = Folder::from_environment().existing() else {
        say(&format!("SKIPPED: there are no golden cases beside the repository; set {FOLDER_VARIABLE} to check them"));
        return;
    };
    let (mut failures, mut tables) = (Vec::new(), Vec::new());
    let paths = case::paths(&folder);
    assert!(!paths.is_empty(), "{} holds no folder with a case.json", folder.display());
    for path in &paths {
        let checked = Case::read(path).and_then(|case| Ok(check(&case, &Model::of(&case)?)));
        match checked {
            Ok(table) => {
                println!("{table}");
                failures.extend(table.failures());
                tables.push(table);
            }
            Err(reason) => failures.push(format!("{} cannot be run: {reason}", path.display())),
        }
    }
    say(&format!("{} of {} golden cases were run, relative errors:\n{}", tables.len(), paths.len(), summary(&tables)));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
#[should_panic(expected = "SPILLWAY_GOLDEN_DIR names /nowhere/golden, which is no folder")]
fn named_folder_that_is_absent_fails() {
    let _folder = Folder::Named("/nowhere/golden".into()).existing();
}

#[test]
fn every_model_of_the_reference_is_built_from_its_configuration() {
    let grey = [1, 28, 28].as_slice();
    let colour = [3, 32, 32].as_slice();
    // Parameter counts of models.md 2.12; what a configuration leaves out has the reference's defaults.
    let expected = [
        (r#"{"model": "RealNVP", "num_blocks": 6}"#, grey, 14_707_336),
        (r#"{"model": "RealNVP", "num_scales": 3}"#, colour, 87_859_080),
        (r#"{"model": "RealNVP", "num_blocks": 6, "skip": false}"#, grey, 13_803_272),
        (r#"{"model": "RealNVP", "num_scales": 3, "batch_norm": false}"#, colour, 87_765_254),
        (r#"{"model": "RealNVP", "st_type": "autoencoder"}"#, grey, 6_574_508),
        (r#"{"model": "RealNVP", "st_type": "autoencoder_old", "latent_dim": 30, "num_scales": 3}"#, colour, 3_008_740),
        (r#"{"model": "RealNVP", "st_type": "resnet_ae", "latent_dim": 10, "num_blocks": 6}"#, grey, 20_652_396),
        (r#"{"model": "RealNVP", "st_type": "convnet", "num_blocks": 6}"#, grey, 6_893_862),
        (r#"{"model": "RealNVP", "st_type": "highway", "num_blocks": 6}"#, grey, 13_749_444),
        (r#"{"model": "RealNVPSmall", "num_blocks": 6}"#, grey, 952_336),
        (r#"{"model": "RealNVP8Layers", "num_scales": 3, "num_blocks": 6}"#, grey, 3_809_344),
        (r#"{"model": "RealNVP8Layers", "st_type": "autoencoder_old", "latent_dim": 5}"#, colour, 7_412_096),
        (r#"{"model": "RealNVPMaskHorizontal", "skip": false}"#, colour, 5_084_352),
        (r#"{"model": "RealNVPMaskHorizontal3Layers"}"#, colour, 1_906_632),
        (r#"{"model": "RealNVPCycleMask"}"#, colour, 5_084_352),
        (r#"{"model": "RealNVPNewMask", "num_blocks": 6}"#, grey, 3_809_344),
        (r#"{"model": "RealNVPNewMask2", "num_blocks": 6}"#, grey, 3_809_344),
        (r#"{"model": "Glow"}"#, colour, 323_328),
        (
            r#"{"model": "Glow", "num_coupling_layers_per_scale": 16, "mid_channels": 200, "num_layers": 3,
                "st_type": "highway", "multi_scale": false}"#,
            grey,
            69_522_432,
        ),
        (r#"{"model": "RealNVPTabular"}"#, &[50], 837_184),
        (r#"{"model": "RealNVPTabular", "hidden_dim": 64, "num_layers": 8}"#, &[1792], 3_076_608),
    ];

    for (text, sizes, parameters) in expected {
        let configuration = serde_json::from_str(text).expect("a configuration");
        let architecture = model::architecture(&configuration, sizes).expect("the reference builds it");
        assert_eq!(architecture.count().parameters, parameters, "{text}");
    }
}

#[test]
fn what_cannot_be_built_is_refused_with_its_reason() {
    let grey = [1, 28, 28].as_slice();
    let refused = [
        (r#"{"model": "RealNVPMNIST"}"#, grey, "no model RealNVPMNIST"),
        (r#"{"model": "RealNVP", "st_type": "transformer"}"#, grey, "no st-network transformer"),
        (r#"{"model": "RealNVP", "st_type": "autoencoder_old"}"#, grey, "14×14"),
        (r#"{"model": "RealNVP", "num_scales": 4}"#, grey, "divisible by 8"),
        (r#"{"model": "Glow", "actnorm_scale": 2}"#, grey, "no scale but 1"),
        (r#"{"model": "Glow"}"#, &[21], "takes images"),
        (r#"{"model": "RealNVPTabular"}"#, grey, "take vectors"),
        (r#"{"model": "RealNVP"}"#, &[28, 28], "neither an image"),
    ];

    for (text, sizes, reason) in refused {
        let configuration = serde_json::from_str(text).expect("a configuration");
        let error = model::architecture(&configuration, sizes).expect_err(text);
        assert!(error.contains(reason), "{text}: {error}");
    }
}

/// Says what everybody should see: the test harness captures what goes through `println!`.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error is open");
}

fn check(case: &Case, model: &Model) -> Table {
    let mut table = Table::new(&case.name);
    let flow = model.load(Kind::Float, MemoryOrder::Fastest, case);
    table.exact("parameters", flow.parameters().count() + model.unused, case.parameters);
    check_evaluation(case, &flow, &mut table);
    check_gradients(case, model, &mut table);
    check_training(case, model, &flow, &mut table);
    check_final(case, model, &flow, &mut table);
    table
}

/// The mean negative log-likelihood of a batch.
fn loss(case: &Case, flow: &Flow, batch: usize, mode: Mode) -> Tensor {
    nudged_loss(case, flow, batch, mode, 0.0)
}

/// The same with all values of the examples larger by `nudge`.
fn nudged_loss(case: &Case, flow: &Flow, batch: usize, mode: Mode, nudge: f64) -> Tensor {
    let kind = flow.parameters().kind();
    let examples = case.examples(batch).to_kind(kind) + nudge;
    let noise = case.noise(batch).map(|noise| noise.to_kind(kind));
    -flow.log_likelihood(&examples, noise.as_ref(), mode).total.mean(kind)
}

fn check_evaluation(case: &Case, flow: &Flow, table: &mut Table) {
    let (examples, noise) = (case.examples(case.steps), case.noise(case.steps));
    let (encoded, likelihood) = no_grad(|| {
        let encoded = flow.encode(&examples, noise.as_ref(), Mode::Evaluate);
        (encoded, flow.log_likelihood(&examples, noise.as_ref(), Mode::Evaluate))
    });
    table.bounded("eval z", relative_error(&encoded.output, &case.tensor("eval/z")), 1e-4);
    table.bounded("eval log-det", relative_error(&encoded.log_det, &case.tensor("eval/logdet")), 1e-4);
    table.bounded("eval nll", relative_error(&-likelihood.total, &case.tensor("eval/nll")), 1e-4);
}

/// Compares the gradients of batch 0 in training mode: in double precision, in single precision with activations in the
/// reference's order, and in single precision as training computes on a CPU.
///
/// In single precision the rounding of an activation can carry a hidden unit over the kink of its ReLU, which moves whole
/// tensors by far more than rounding. Double precision is free of that and shows that the formulas are the same. In the
/// reference's order our roundings are nearly the reference's; where they still fall on other sides of a kink, inputs that
/// are nudged by less than their own rounding tell. In training's own order batch statistics are rounded a hundred times
/// coarser (see [`MemoryOrder`]), so that kinks are met more often: hence its wider limit.
fn check_gradients(case: &Case, model: &Model, table: &mut Table) {
    let errors = |kind, order, nudge| gradient_errors(case, model, &model.load(kind, order, case), nudge);
    let double = errors(Kind::Double, MemoryOrder::Fastest, 0.0);
    table.bounded("grad0 f64", double.worst, 1e-3);
    table.bounded("grad0 f64 tiny", double.tiny, 1e-5);
    let mut single = errors(Kind::Float, MemoryOrder::ChannelsFirst, 0.0);
    for nudge in [5e-8, 1e-7, 2e-7] {
        if single.worst <= 1e-3 {
            break;
        }
        say(&format!("{}: {:.1e} off in single precision: trying nudged inputs", case.name, single.worst));
        let nudged = errors(Kind::Float, MemoryOrder::ChannelsFirst, nudge);
        if nudged.worst < single.worst {
            single = nudged;
        }
    }
    table.bounded("grad0 f32", single.worst, 1e-3);
    table.bounded("grad0 f32 tiny", single.tiny, 1e-4);
    let fastest = errors(Kind::Float, MemoryOrder::Fastest, 0.0);
    table.bounded("grad0 f32 as trained", fastest.worst, 5e-2);
    table.bounded("grad0 f32 as trained, tiny", fastest.tiny, 1e-4);
}

/// How far gradients are off.
struct GradientErrors {
    /// The worst relative error of a tensor.
    worst: f64,
    /// The worst error, over the length of their group, of tensors without a gradient but rounding: directions of single
    /// values and weights in front of batch normalisation.
    tiny: f64,
}

/// The larger error; what is no number is the largest.
fn worse(one: f64, other: f64) -> f64 {
    if other.is_nan() { f64::INFINITY } else { one.max(other) }
}

/// The files hold gradients after the reference clipped each group in place (their groups have exactly the clip's norm), so
/// ours are clipped too; the norms before clipping are compared in training.
fn gradient_errors(case: &Case, model: &Model, flow: &Flow, nudge: f64) -> GradientErrors {
    let parameters = flow.parameters().parameters();
    let leaves: Vec<&Tensor> = parameters.iter().map(|p| &p.tensor).collect();
    let gradients = Tensor::run_backward(&[nudged_loss(case, flow, 0, Mode::Train, nudge)], &leaves, false, false);
    let mut errors = GradientErrors { worst: 0.0, tiny: 0.0 };
    let longest = case.gradient_length();
    for roles in groups(model.decayed) {
        let group = parameters.iter().zip(&gradients).filter(|(parameter, _)| roles.contains(&parameter.role));
        let flat: Vec<Tensor> = group.clone().map(|(_, gradient)| gradient.reshape([-1])).collect();
        let length = norm(&Tensor::cat(&flat, 0));
        let factor = case.grad_clip_norm.map_or(1.0, |clip| f64::min(1.0, clip / length));
        for (parameter, gradient) in group {
            let name = model.reference_name(&parameter.name).expect("every parameter is saved");
            let (found, expected) = (gradient * factor, case.tensor(&format!("grad0/{name}")));
            if norm(&expected) < 1e-4 * longest {
                errors.tiny = worse(errors.tiny, distance(&found, &expected) / longest);
            } else {
                errors.worst = worse(errors.worst, relative_error(&found, &expected));
            }
        }
    }
    errors
}

/// The parameters that are clipped together.
fn groups(decayed: Decayed) -> &'static [&'static [Role]] {
    match decayed {
        Decayed::Gains => &[&[Role::Gain], &[Role::Weight]],
        Decayed::All => &[&[Role::Gain, Role::Weight]],
    }
}

fn check_training(case: &Case, model: &Model, flow: &Flow, table: &mut Table) {
    let regularisation =
        Regularisation { clip_norm: case.grad_clip_norm, weight_decay: case.weight_decay, decayed: model.decayed };
    let mut optimiser = Optimiser::new(model.optimiser, flow.parameters(), regularisation);
    for step in 0..case.steps {
        let tolerance = if step == 0 { 1e-4 } else { 1e-2 };
        let when = if step == 0 { "0" } else { "later" };
        let loss = loss(case, flow, step, Mode::Train);
        let norms = optimiser.step(&loss);
        let nats = loss.double_value(&[]);
        table.bounded(&format!("loss {when}"), (nats / case.losses[step] - 1.0).abs(), tolerance);
        let bits = bits_per_dimension(-nats, flow.dimensions());
        table.bounded(&format!("bits {when}"), (bits / case.bits_per_dim[step] - 1.0).abs(), tolerance);
        assert_eq!(norms.groups.len(), case.grad_norms_before_clip[step].len(), "{}: groups", case.name);
        for (norm, expected) in norms.groups.iter().zip(&case.grad_norms_before_clip[step]) {
            let error = (norm.double_value(&[]) / expected - 1.0).abs();
            table.bounded(&format!("norm {when}"), error, if step == 0 { 1e-3 } else { 2e-2 });
        }
    }
}

fn check_final(case: &Case, model: &Model, flow: &Flow, table: &mut Table) {
    let reach = reach(case, model);
    let looseness = reach / (case.lr * case.steps as f64);
    for (name, tensor) in flow.parameters().state() {
        let Some(reference_name) = model.reference_name(&name) else { continue };
        let expected = case.tensor(&format!("final/{reference_name}"));
        if has_vanishing_gradient(case, reference_name) {
            // The rounding of a zero gradient becomes steps of either sign.
            let moved = (tensor - expected).abs().max().double_value(&[]) / reach;
            table.bounded("final without gradient, in steps' lengths", moved, 2.1);
        } else if name.contains("running") {
            // The running mean follows those biases.
            table.bounded("final running statistics", relative_error(&tensor, &expected), 1e-1 * looseness);
        } else {
            // Tensors that start near zero are as long as their way, so the way counts as length too.
            let farthest = reach * (expected.numel() as f64).sqrt();
            let error = relative_error(&tensor, &expected) / (1.0 + farthest / norm(&expected));
            table.bounded("final", error, 5e-2);
        }
    }
    let (examples, noise) = (case.examples(case.steps), case.noise(case.steps));
    let likelihood = no_grad(|| flow.log_likelihood(&examples, noise.as_ref(), Mode::Evaluate).total);
    table.bounded("final nll", relative_error(&-likelihood, &case.tensor("final_eval/nll")), 1e-2 * looseness);
}

/// The farthest that the optimiser moves a value in the case's steps: Adam by the learning rate in each, RMSprop, whose
/// average starts at zero and is not corrected for that, by up to ten times as much.
fn reach(case: &Case, model: &Model) -> f64 {
    let longest = |step: usize| match model.optimiser {
        OptimiserKind::RmsProp { alpha, .. } => (1.0 - alpha.powi(step as i32)).powf(-0.5),
        _ => 1.0,
    };
    case.lr * (1..=case.steps).map(longest).sum::<f64>()
}

/// Whether nothing but rounding moves a parameter: a rescale's direction, a bias in front of batch normalisation.
fn has_vanishing_gradient(case: &Case, reference_name: &str) -> bool {
    let key = format!("grad0/{reference_name}");
    case.has(&key) && norm(&case.tensor(&key)) < 1e-6 * case.gradient_length()
}
