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
use comparison::{Table, relative_error, summary};
use flows::parameters::Role;
use flows::{Flow, MemoryOrder, Mode, bits_per_dimension};
use model::Model;
use tch::{Kind, Tensor, no_grad};
use training::optimiser::{Decayed, Optimiser, Regularisation};

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

/// Says what everybody should see: the test harness captures what goes through `println!`.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error is open");
}

fn check(case: &Case, model: &Model) -> Table {
    let mut table = Table::new(&case.name);
    let flow = model.load(Kind::Float, MemoryOrder::Fastest, case);
    table.exact("parameters", flow.parameters().count(), case.parameters);
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
        println!("{}: {:.1e} off in single precision: trying nudged inputs", case.name, single.worst);
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

/// The files hold gradients after the reference clipped each group in place (their groups have exactly the clip's norm), so
/// ours are clipped too; the norms before clipping are compared in training.
fn gradient_errors(case: &Case, model: &Model, flow: &Flow, nudge: f64) -> GradientErrors {
    let parameters = flow.parameters().parameters();
    let leaves: Vec<&Tensor> = parameters.iter().map(|p| &p.tensor).collect();
    let gradients = Tensor::run_backward(&[nudged_loss(case, flow, 0, Mode::Train, nudge)], &leaves, false, false);
    let mut errors = GradientErrors { worst: 0.0, tiny: 0.0 };
    for roles in groups(model.decayed) {
        let group = parameters.iter().zip(&gradients).filter(|(parameter, _)| roles.contains(&parameter.role));
        let flat: Vec<Tensor> = group.clone().map(|(_, gradient)| gradient.reshape([-1])).collect();
        let factor = f64::min(1.0, case.grad_clip_norm / Tensor::cat(&flat, 0).norm().double_value(&[]));
        for (parameter, gradient) in group {
            let name = model.reference_name(&parameter.name).expect("every parameter is saved");
            let expected = case.tensor(&format!("grad0/{name}"));
            let error = relative_error(&(gradient * factor), &expected);
            let error = if error.is_nan() { f64::INFINITY } else { error };
            let share = norm(&expected) / case.grad_clip_norm;
            if share < 1e-4 {
                errors.tiny = errors.tiny.max(error * share);
            } else {
                errors.worst = errors.worst.max(error);
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
    let regularisation = Regularisation {
        clip_norm: Some(case.grad_clip_norm),
        weight_decay: case.weight_decay,
        decayed: model.decayed,
    };
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
    for (name, tensor) in flow.parameters().state() {
        let Some(reference_name) = model.reference_name(&name) else { continue };
        let expected = case.tensor(&format!("final/{reference_name}"));
        if has_vanishing_gradient(case, reference_name) {
            // Adam turns the rounding of a zero gradient into steps of either sign, at most the learning rate long.
            let moved = (tensor - expected).abs().max().double_value(&[]) / (case.lr * case.steps as f64);
            table.bounded("final without gradient, in steps' lengths", moved, 2.1);
        } else if name.contains("running") {
            // The running mean follows those biases.
            table.bounded("final running statistics", relative_error(&tensor, &expected), 1e-1);
        } else {
            // Tensors that start near zero are as long as their way, so the way counts as length too.
            let farthest = case.lr * case.steps as f64 * (expected.numel() as f64).sqrt();
            let error = relative_error(&tensor, &expected) / (1.0 + farthest / norm(&expected));
            table.bounded("final", error, 5e-2);
        }
    }
    let (examples, noise) = (case.examples(case.steps), case.noise(case.steps));
    let likelihood = no_grad(|| flow.log_likelihood(&examples, noise.as_ref(), Mode::Evaluate).total);
    table.bounded("final nll", relative_error(&-likelihood, &case.tensor("final_eval/nll")), 1e-2);
}

/// Whether nothing but rounding moves a parameter: a rescale's direction, a bias in front of batch normalisation.
fn has_vanishing_gradient(case: &Case, reference_name: &str) -> bool {
    let key = format!("grad0/{reference_name}");
    case.has(&key) && norm(&case.tensor(&key)) < 1e-6 * case.grad_clip_norm
}

fn norm(tensor: &Tensor) -> f64 {
    tensor.to_kind(Kind::Double).norm().double_value(&[])
}
