//! The optimisers against the rules written out by hand, and their states.

use flows::parameters::{ParameterBuilder, ParameterStore, Role};
use tch::nn::{self, OptimizerConfig};
use tch::{Device, Kind, Tensor, no_grad};
use training::optimiser::{Decayed, Optimiser, OptimiserKind, Regularisation, StateError};

/// Two gains and three weights.
fn store() -> ParameterStore {
    let mut builder = ParameterBuilder::new(0, Kind::Double, Device::Cpu);
    let mut scope = builder.root();
    let _ = scope.parameter("gain", Role::Gain, &Tensor::from_slice(&[0.5, -1.5]));
    let _ = scope.parameter("weight", Role::Weight, &Tensor::from_slice(&[1.0, 2.0, -3.0]));
    builder.finish()
}

/// A loss whose gradient changes from step to step: the sum of fourth powers.
fn loss(store: &ParameterStore) -> Tensor {
    store
        .parameters()
        .iter()
        .map(|p| p.tensor.pow_tensor_scalar(4).sum(Kind::Double))
        .fold(Tensor::from(0.0), |a, b| a + b)
}

fn values(store: &ParameterStore) -> Vec<f64> {
    Vec::try_from(store.flat_all()).expect("a vector of doubles")
}

fn regularisation(clip_norm: Option<f64>, weight_decay: f64, decayed: Decayed) -> Regularisation {
    Regularisation { clip_norm, weight_decay, decayed }
}

/// The gradients of `loss` with clipping and decay by groups, then the rule, all in plain numbers.
fn by_hand(kind: OptimiserKind, groups: &[(std::ops::Range<usize>, f64)], clip: Option<f64>, steps: i32) -> Vec<f64> {
    let mut values = vec![0.5, -1.5, 1.0, 2.0, -3.0];
    let (mut first, mut second) = (vec![0.0; 5], vec![0.0; 5]);
    for step in 1..=steps {
        let raw: Vec<f64> = values.iter().map(|v: &f64| 4.0 * v.powi(3)).collect();
        for (range, decay) in groups {
            let norm = raw[range.clone()].iter().map(|g| g * g).sum::<f64>().sqrt();
            let factor = clip.map_or(1.0, |limit| f64::min(1.0, limit / (norm + 1e-6)));
            for i in range.clone() {
                let mut gradient = raw[i] * factor;
                match kind {
                    OptimiserKind::AdamW { learning_rate, .. } => values[i] -= learning_rate * decay * values[i],
                    OptimiserKind::Adam { .. } | OptimiserKind::RmsProp { .. } => gradient += decay * values[i],
                }
                values[i] -= match kind {
                    OptimiserKind::Adam { learning_rate, beta1, beta2, epsilon }
                    | OptimiserKind::AdamW { learning_rate, beta1, beta2, epsilon } => {
                        first[i] = beta1 * first[i] + (1.0 - beta1) * gradient;
                        second[i] = beta2 * second[i] + (1.0 - beta2) * gradient * gradient;
                        let mean = first[i] / (1.0 - beta1.powi(step));
                        learning_rate * mean / ((second[i] / (1.0 - beta2.powi(step))).sqrt() + epsilon)
                    }
                    OptimiserKind::RmsProp { learning_rate, alpha, epsilon } => {
                        second[i] = alpha * second[i] + (1.0 - alpha) * gradient * gradient;
                        learning_rate * gradient / (second[i].sqrt() + epsilon)
                    }
                };
            }
        }
    }
    values
}

#[test]
fn all_rules_equal_the_formulas_with_every_regularisation() {
    let apart = |decay| vec![(0..2, decay), (2..5, 0.0)];
    for kind in [OptimiserKind::adam(0.05), OptimiserKind::rms_prop(0.02), OptimiserKind::adam_w(0.05)] {
        for (clip, decay, decayed, groups) in [
            (None, 0.0, Decayed::Gains, apart(0.0)),
            (Some(3.0), 0.1, Decayed::Gains, apart(0.1)),
            (Some(3.0), 0.1, Decayed::All, vec![(0..5, 0.1)]),
            (Some(1e6), 0.0, Decayed::All, vec![(0..5, 0.0)]),
        ] {
            let store = store();
            let mut optimiser = Optimiser::new(kind, &store, regularisation(clip, decay, decayed));

            for _ in 0..4 {
                optimiser.step(&loss(&store));
            }

            for (found, expected) in values(&store).into_iter().zip(by_hand(kind, &groups, clip, 4)) {
                assert!((found - expected).abs() < 1e-12, "{kind:?} {decayed:?} {clip:?}: {found}, not {expected}");
            }
        }
    }
}

/// The values after four steps of an optimiser of libtorch's own on the same loss, without clipping.
fn by_libtorch(optimiser: impl OptimizerConfig, learning_rate: f64) -> Vec<f64> {
    let store = nn::VarStore::new(Device::Cpu);
    let start = Tensor::from_slice(&[0.5, -1.5, 1.0, 2.0, -3.0]);
    let values = store.root().add("values", start, true);
    let mut optimiser = optimiser.build(&store, learning_rate).expect("libtorch has the optimiser");
    for _ in 0..4 {
        optimiser.backward_step(&values.pow_tensor_scalar(4).sum(Kind::Double));
    }
    Vec::try_from(values.detach()).expect("a vector of doubles")
}

#[test]
fn all_rules_equal_those_of_libtorch() {
    let decay = 0.1;
    let adam = nn::Adam { wd: decay, ..nn::Adam::default() };
    let rms_prop = nn::RmsProp { wd: decay, ..nn::RmsProp::default() };
    for (kind, expected) in [
        (OptimiserKind::adam(0.05), by_libtorch(adam, 0.05)),
        (OptimiserKind::adam_w(0.05), by_libtorch(nn::adamw(0.9, 0.999, decay), 0.05)),
        (OptimiserKind::rms_prop(0.02), by_libtorch(rms_prop, 0.02)),
    ] {
        let store = store();
        let mut optimiser = Optimiser::new(kind, &store, regularisation(None, decay, Decayed::All));

        for _ in 0..4 {
            optimiser.step(&loss(&store));
        }

        for (found, expected) in values(&store).into_iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-12, "{kind:?}: {found}, not {expected}");
        }
    }
}

#[test]
fn gradients_of_parts_of_a_loss_add_up() {
    let (whole, parted) = (store(), store());
    let rule = regularisation(Some(3.0), 0.1, Decayed::Gains);
    let mut at_once = Optimiser::new(OptimiserKind::adam_w(0.05), &whole, rule);
    let mut in_parts = Optimiser::new(OptimiserKind::adam_w(0.05), &parted, rule);

    let norms = at_once.step(&loss(&whole)).groups;
    let mut gradients = in_parts.gradients(&(loss(&parted) * 0.25));
    gradients.add(&in_parts.gradients(&(loss(&parted) * 1.5)));
    gradients.scale(&Tensor::from(1.0 / 1.75));
    let norms_in_parts = in_parts.apply(gradients).groups;

    for (found, expected) in values(&parted).into_iter().zip(values(&whole)) {
        assert!((found - expected).abs() < 1e-14, "{found}, not {expected}");
    }
    for (found, expected) in norms_in_parts.iter().zip(&norms) {
        assert!((found.double_value(&[]) / expected.double_value(&[]) - 1.0).abs() < 1e-14);
    }
}

#[test]
fn norms_are_those_before_clipping() {
    let store = store();
    let mut optimiser =
        Optimiser::new(OptimiserKind::adam(0.1), &store, regularisation(Some(1e-3), 0.0, Decayed::Gains));

    let norms = optimiser.step(&loss(&store)).groups;

    let expected = [(0.5f64.powi(2) + 13.5f64.powi(2)).sqrt(), (16f64 + 32f64.powi(2) + 108f64.powi(2)).sqrt()];
    for (found, expected) in norms.iter().zip(expected) {
        assert!((found.double_value(&[]) - expected).abs() < 1e-9);
    }
}

#[test]
fn a_restored_optimiser_continues_in_the_same_bits() {
    for kind in [OptimiserKind::adam(0.05), OptimiserKind::rms_prop(0.02), OptimiserKind::adam_w(0.05)] {
        let rule = regularisation(Some(5.0), 0.01, Decayed::Gains);
        let (straight, interrupted) = (store(), store());
        let mut never_stopped = Optimiser::new(kind, &straight, rule);
        let mut stopped = Optimiser::new(kind, &interrupted, rule);
        for _ in 0..3 {
            never_stopped.step(&loss(&straight));
            stopped.step(&loss(&interrupted));
        }
        let copy = |state: Vec<(String, Tensor)>| -> Vec<_> {
            state.into_iter().map(|(name, tensor)| (name, no_grad(|| tensor.copy()))).collect()
        };
        let saved = (copy(interrupted.state()), copy(stopped.state()));

        let resumed = store();
        let mut restored = Optimiser::new(kind, &resumed, rule);
        resumed.load(&saved.0).expect("the same parameters");
        restored.load_state(&saved.1).expect("the same optimiser");
        for _ in 0..3 {
            never_stopped.step(&loss(&straight));
            restored.step(&loss(&resumed));
        }

        assert_eq!(restored.steps(), 6);
        assert_eq!(values(&straight), values(&resumed), "{kind:?}");
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused_by_name_and_changes_nothing() {
    let store = store();
    let rule = regularisation(None, 0.0, Decayed::Gains);
    let mut adam = Optimiser::new(OptimiserKind::adam(0.1), &store, rule);
    let rms_prop = Optimiser::new(OptimiserKind::rms_prop(0.1), &store, rule);
    let mut reshaped = adam.state();
    reshaped[1].1 = Tensor::zeros([7], (Kind::Double, Device::Cpu));
    let mut crowded = adam.state();
    crowded.push(("gains.third_moment".to_owned(), Tensor::from(0.0)));
    adam.step(&loss(&store));

    assert_eq!(adam.load_state(&rms_prop.state()), Err(StateError::Missing("gains.first_moment".to_owned())));
    assert_eq!(adam.load_state(&crowded), Err(StateError::Extra("gains.third_moment".to_owned())));
    let shape = StateError::Shape { name: "gains.first_moment".to_owned(), expected: vec![2], found: vec![7] };
    assert_eq!(adam.load_state(&reshaped), Err(shape));
    assert_eq!(adam.steps(), 1);
}

#[test]
fn a_new_learning_rate_holds_from_the_next_step() {
    let store = store();
    let before = values(&store);
    let mut optimiser = Optimiser::new(OptimiserKind::adam(0.1), &store, regularisation(None, 0.0, Decayed::All));

    optimiser.set_learning_rate(0.0);
    optimiser.step(&loss(&store));
    assert_eq!(values(&store), before);

    optimiser.set_learning_rate(0.1);
    optimiser.step(&loss(&store));
    assert_ne!(values(&store), before);
}
