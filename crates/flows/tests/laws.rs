//! What must hold for every layer, mask and recipe, in double precision with perturbed weights: the inverse, the
//! log-determinant against the full Jacobian, and the gradients against finite differences.

mod subjects;

use flows::parameters::LoadError;
use flows::recipes::{MaskScheme, Preprocessing, RealNvp, RecipeError, StNetwork};
use flows::{Flow, Mode};
use subjects::{Subject, uniform};
use tch::{Device, Kind, Tensor, no_grad};

const MODES: [Mode; 2] = [Mode::Train, Mode::Evaluate];

fn largest(tensor: &Tensor) -> f64 {
    tensor.detach().abs().max().double_value(&[])
}

#[test]
fn inverse_undoes_forward_and_cancels_its_log_determinant() {
    let mut worst = (0.0f64, 0.0f64);
    for subject in subjects::all() {
        for mode in MODES {
            let x = subject.inputs(3);

            let (forward, back) = no_grad(|| {
                let forward = subject.forward(&x, mode);
                let back = subject.inverse(&forward.output, mode);
                (forward, back)
            });

            let error = largest(&(back.output - &x));
            let gap = largest(&(&back.log_det + &forward.log_det)) / (1.0 + largest(&forward.log_det));
            assert!(error < 1e-10, "{}, {mode:?}: the input is {error:.1e} off", subject.name);
            assert!(gap < 1e-12, "{}, {mode:?}: the log-determinants are {gap:.1e} apart", subject.name);
            worst = (worst.0.max(error), worst.1.max(gap));
        }
    }
    println!("worst input error {:.1e}, worst gap of log-determinants {:.1e}", worst.0, worst.1);
}

#[test]
fn log_determinant_is_that_of_the_jacobian() {
    let mut worst = 0.0f64;
    for subject in subjects::all() {
        let dimensions = subject.dimensions();
        assert!(dimensions <= 64, "{} has {dimensions} dimensions", subject.name);
        // One copy of the sample for each output: its gradient is that output's row of the Jacobian.
        let copies = subject.inputs(1).repeat([dimensions, 1, 1, 1]).set_requires_grad(true);

        let forward = subject.forward(&copies, Mode::Evaluate);
        let diagonal = forward.output.reshape([dimensions, dimensions]).diagonal(0, 0, 1).sum(Kind::Double);
        let jacobian = Tensor::run_backward(&[diagonal], &[&copies], true, false).remove(0);

        let (sign, log_det) = Tensor::linalg_slogdet(&jacobian.reshape([dimensions, dimensions]));
        let expected = log_det.double_value(&[]);
        let error = (forward.log_det.double_value(&[0]) - expected).abs() / (1.0 + expected.abs());
        assert!(sign.double_value(&[]) != 0.0, "{}: the Jacobian is singular", subject.name);
        assert!(error < 1e-11, "{}: log-determinant {error:.1e} off {expected}", subject.name);
        worst = worst.max(error);
    }
    println!("worst relative error of a log-determinant {worst:.1e}");
}

/// A scalar that depends on every output and on the log-determinants.
fn probe(subject: &Subject, x: &Tensor, mode: Mode) -> Tensor {
    let forward = subject.forward(x, mode);
    let output = forward.output.reshape([x.size()[0], -1]);
    let weights = uniform(&format!("probe of {}", subject.name), &output.size(), 1.0);
    (output * weights).sum(Kind::Double) + forward.log_det.sum(Kind::Double)
}

/// How far the gradient along `direction` is from the central difference, relative to their size.
fn gradient_error(value_at: impl Fn(f64) -> f64, slope: f64) -> f64 {
    let step = 1e-6;
    let difference = (value_at(step) - value_at(-step)) / (2.0 * step);
    (difference - slope).abs() / (1.0 + slope.abs())
}

#[test]
fn input_gradients_are_those_of_finite_differences() {
    for subject in subjects::all() {
        for mode in MODES {
            let x = subject.inputs(3).set_requires_grad(true);
            let direction = uniform(&format!("direction of {}", subject.name), &x.size(), 1.0);

            let gradient = Tensor::run_backward(&[probe(&subject, &x, mode)], &[&x], false, false).remove(0);

            let slope = (gradient * &direction).sum(Kind::Double).double_value(&[]);
            let moved = |step: f64| no_grad(|| probe(&subject, &(&x + &direction * step), mode).double_value(&[]));
            let error = gradient_error(moved, slope);
            assert!(error < 1e-7, "{}, {mode:?}: the slope is {error:.1e} off", subject.name);
        }
    }
}

#[test]
fn parameter_gradients_are_those_of_finite_differences() {
    for subject in subjects::couplings() {
        let x = subject.inputs(3);
        for mode in MODES {
            let leaves: Vec<&Tensor> = subject.parameters().parameters().iter().map(|p| &p.tensor).collect();
            let gradients = Tensor::run_backward(&[probe(&subject, &x, mode)], &leaves, false, false);
            for (parameter, gradient) in subject.parameters().parameters().iter().zip(gradients) {
                let direction = uniform(&format!("direction of {}", parameter.name), &gradient.size(), 1.0);
                let slope = (gradient * &direction).sum(Kind::Double).double_value(&[]);
                let moved = |step: f64| {
                    no_grad(|| {
                        let mut tensor = parameter.tensor.shallow_clone();
                        tensor += &direction * step;
                        let value = probe(&subject, &x, mode).double_value(&[]);
                        tensor -= &direction * step;
                        value
                    })
                };
                let error = gradient_error(moved, slope);
                assert!(error < 1e-7, "{}, {mode:?}, {}: {error:.1e} off", subject.name, parameter.name);
            }
        }
    }
}

#[test]
fn whole_flows_have_the_gradient_of_their_parameters_taken_together() {
    for (name, recipe) in subjects::recipes() {
        let flow = subjects::perturbed_flow(&recipe);
        let (images, noise) = batch(&recipe);
        let loss = || flow.log_likelihood(&images, &noise, Mode::Train).total.sum(Kind::Double);
        let leaves: Vec<&Tensor> = flow.parameters().parameters().iter().map(|p| &p.tensor).collect();
        let gradients = Tensor::run_backward(&[loss()], &leaves, false, false);
        let directions: Vec<Tensor> =
            gradients.iter().enumerate().map(|(i, g)| uniform(&format!("{name} {i}"), &g.size(), 0.1)).collect();

        let slope: f64 =
            gradients.iter().zip(&directions).map(|(g, d)| (g * d).sum(Kind::Double).double_value(&[])).sum();
        let error = gradient_error(
            |step| {
                no_grad(|| {
                    let shift = |by: f64| {
                        for (leaf, direction) in leaves.iter().zip(&directions) {
                            let mut leaf = leaf.shallow_clone();
                            leaf += direction * by;
                        }
                    };
                    shift(step);
                    let value = loss().double_value(&[]);
                    shift(-step);
                    value
                })
            },
            slope,
        );

        assert!(error < 1e-6, "{name}: the slope is {error:.1e} off");
    }
}

#[test]
fn every_parameter_gets_a_gradient_but_the_directions_of_rescales() {
    for (name, recipe) in subjects::recipes() {
        let flow = subjects::perturbed_flow(&recipe);
        let (images, noise) = batch(&recipe);
        let loss = flow.log_likelihood(&images, &noise, Mode::Evaluate).total.sum(Kind::Double);
        let leaves: Vec<&Tensor> = flow.parameters().parameters().iter().map(|p| &p.tensor).collect();

        let gradients = Tensor::run_backward(&[loss], &leaves, false, false);

        for (parameter, gradient) in flow.parameters().parameters().iter().zip(gradients) {
            // Only the sign of a single value matters after weight normalisation: zero by construction.
            let vanishes = parameter.name.ends_with("rescale.direction");
            assert_eq!(largest(&gradient) == 0.0, vanishes, "{name}: {}", parameter.name);
        }
    }
}

#[test]
fn decoding_undoes_encoding_to_the_dequantised_image() {
    for (name, recipe) in subjects::recipes() {
        let flow = subjects::perturbed_flow(&recipe);
        let (images, noise) = batch(&recipe);

        let decoded = no_grad(|| flow.decode(&flow.encode(&images, &noise, Mode::Evaluate).output));

        let error = largest(&(decoded - (&images * 255.0 + &noise) / 256.0));
        assert!(error < 1e-10, "{name}: the image is {error:.1e} off");
    }
}

#[test]
fn saved_and_loaded_flows_give_the_same_bits() {
    for (name, recipe) in subjects::recipes() {
        let flow = subjects::perturbed_flow(&recipe);
        let (images, noise) = batch(&recipe);
        let total = |flow: &Flow| no_grad(|| flow.log_likelihood(&images, &noise, Mode::Evaluate).total);
        let other = recipe.build(1, Kind::Double, Device::Cpu).expect("the recipe is valid");
        assert_ne!(total(&flow), total(&other), "{name}: another seed must give another flow");

        other.parameters().load(&flow.parameters().state()).expect("both have one recipe");

        assert_eq!(total(&flow), total(&other), "{name}");
        assert_eq!(flow.parameters().flat_all(), other.parameters().flat_all(), "{name}: the flat buffer follows");
    }
}

#[test]
fn a_call_leaves_nothing_behind_but_running_statistics() {
    let (_, recipe) = subjects::recipes().remove(0);
    let flow = subjects::perturbed_flow(&recipe);
    let (images, noise) = batch(&recipe);
    let total = |mode| no_grad(|| flow.log_likelihood(&images, &noise, mode).total);

    let evaluated = total(Mode::Evaluate);
    assert_eq!(evaluated, total(Mode::Evaluate));
    let trained = total(Mode::Train);
    assert_eq!(trained, total(Mode::Train));
    assert_ne!(evaluated, total(Mode::Evaluate), "the running statistics have moved");
}

#[test]
fn a_state_that_does_not_fit_is_refused_by_name_and_changes_nothing() {
    let (_, recipe) = subjects::recipes().remove(0);
    let flow = subjects::perturbed_flow(&recipe);
    let before = flow.parameters().flat_all().copy();
    let fresh = || recipe.build(2, Kind::Double, Device::Cpu).expect("the recipe is valid").parameters().state();
    let (mut missing, mut extra, mut twice, mut reshaped) = (fresh(), fresh(), fresh(), fresh());
    let (gone, _) = missing.remove(0);
    extra.push(("stranger".to_owned(), Tensor::from(0.0)));
    twice.push((gone.clone(), Tensor::from(0.0)));
    reshaped[0].1 = Tensor::zeros([9], (Kind::Double, Device::Cpu));

    let load = |state: &[(String, Tensor)]| flow.parameters().load(state);

    assert_eq!(load(&missing), Err(LoadError::Missing(gone.clone())));
    assert_eq!(load(&extra), Err(LoadError::Extra("stranger".to_owned())));
    assert_eq!(load(&twice), Err(LoadError::Twice(gone)));
    assert!(matches!(load(&reshaped), Err(LoadError::Shape { found, .. }) if found == [9]));
    assert_eq!(flow.parameters().flat_all(), before);
}

#[test]
fn recipes_that_describe_no_flow_are_refused_with_what_does_not_fit() {
    let sound = RealNvp {
        input: [1, 28, 28],
        mask: MaskScheme::Checkerboard,
        scales: 2,
        couplings: 8,
        st_network: StNetwork::Resnet { width: 4, blocks: 1, batch_norm: true, skip: true },
        preprocessing: Preprocessing::Exact,
    };
    let resnet = |width, blocks| StNetwork::Resnet { width, blocks, batch_norm: true, skip: true };
    let refusal = |recipe: RealNvp| recipe.build(0, Kind::Float, Device::Cpu).err();

    assert_eq!(refusal(sound.clone()), None);
    let odd = RecipeError::OddSide { scale: 3, scales: 4, height: 7, width: 7 };
    assert_eq!(refusal(RealNvp { scales: 4, ..sound.clone() }), Some(odd));
    let single = RecipeError::SingleScaleMask { mask: MaskScheme::Cycle, scales: 2 };
    assert_eq!(refusal(RealNvp { mask: MaskScheme::Cycle, ..sound.clone() }), Some(single));
    assert_eq!(refusal(RealNvp { scales: 0, ..sound.clone() }), Some(RecipeError::NoScale));
    assert_eq!(refusal(RealNvp { scales: 1, couplings: 0, ..sound.clone() }), Some(RecipeError::NoCoupling));
    assert_eq!(refusal(RealNvp { input: [0, 28, 28], ..sound.clone() }), Some(RecipeError::Input([0, 28, 28])));
    assert_eq!(refusal(RealNvp { st_network: resnet(0, 1), ..sound.clone() }), Some(RecipeError::Width(0)));
    assert_eq!(refusal(RealNvp { st_network: resnet(4, -1), ..sound.clone() }), Some(RecipeError::Blocks(-1)));
    assert_eq!(sound.build(0, Kind::Half, Device::Cpu).err(), Some(RecipeError::Kind(Kind::Half)));
}

/// Three images on the grid of grey levels and their noise.
fn batch(recipe: &RealNvp) -> (Tensor, Tensor) {
    let [channels, height, width] = recipe.input;
    let shape = [3, channels, height, width];
    let images = ((uniform("images", &shape, 0.5) + 0.5) * 255.0).floor() / 255.0;
    (images, uniform("noise", &shape, 0.5) + 0.5)
}
