//! Parts of a batch against the whole, in double precision and without batch normalisation.

use flows::architecture::recipes::Body;
use flows::architecture::{InputShape, Mask, Order, Parity, RealNvp, SplitPrior, Squeeze, StNetwork, Transform};
use tch::{Device, Kind, no_grad};

use super::*;
use crate::optimiser::{Decayed, OptimiserKind, Regularisation};

/// A flow over 1×4×4 images and its optimiser.
fn flow() -> (Flow, Optimiser) {
    let recipe = RealNvp {
        input: InputShape::Image { channels: 1, height: 4, width: 4 },
        parity: Parity::Corrected,
        body: Body::Stack([Order::Plain, Order::Reversed].map(Mask::Checkerboard).to_vec()),
        network: StNetwork::Resnet { width: 4, blocks: 1, batch_norm: false, skip: true },
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    };
    let flow = Flow::build(&recipe.compose().unwrap(), 1, Kind::Double, Device::Cpu).unwrap();
    let regularisation = Regularisation { clip_norm: None, weight_decay: 0.0, decayed: Decayed::Gains };
    let optimiser = Optimiser::new(OptimiserKind::adam(1e-3), flow.parameters(), regularisation);
    (flow, optimiser)
}

/// Values without randomness, other ones for each `phase`.
fn batch(count: i64, phase: f64) -> BatchTensors {
    let options = (Kind::Double, Device::Cpu);
    let wave = |frequency: f64| {
        let places = Tensor::arange(count * 16, options) * frequency + phase;
        (places.sin() * 0.49 + 0.5).view([count, 1, 4, 4])
    };
    BatchTensors { values: wave(0.7), noise: Some(wave(1.9)) }
}

/// The loss, the in-distribution term and all gradients.
fn numbers(objective: Objective, batch: &StepTensors, parts: i64) -> (f64, f64, Tensor) {
    let (flow, optimiser) = flow();
    let Found { gradients, loss, inside } = differentiate(&flow, &optimiser, objective, batch, parts);
    (loss.double_value(&[]), inside.double_value(&[]), Tensor::cat(&gradients.into_groups(), 0))
}

#[track_caller]
fn assert_same(objective: Objective, batch: &StepTensors, parts: i64) {
    let (loss, inside, gradients) = numbers(objective, batch, 1);
    let (in_parts, inside_in_parts, gradients_in_parts) = numbers(objective, batch, parts);

    // The two terms of negative training nearly cancel: rounding is relative to them.
    assert!((in_parts - loss).abs() < 1e-14 * inside.abs(), "{in_parts}, not {loss}");
    assert!((inside_in_parts / inside - 1.0).abs() < 1e-14, "{inside_in_parts}, not {inside}");
    let error = (&gradients_in_parts - &gradients).norm().double_value(&[]) / gradients.norm().double_value(&[]);
    assert!(error < 1e-13, "{error:e} with {objective:?} in {parts} parts");
}

/// The log-likelihoods of out-of-distribution images.
fn likelihoods(batch: &BatchTensors) -> Vec<f64> {
    Vec::try_from(no_grad(|| log_likelihood(&flow().0, batch))).unwrap()
}

#[test]
fn maximum_likelihood_is_the_same_in_parts_of_any_size() {
    let batch = StepTensors { inside: batch(10, 0.0), outside: None };
    for parts in [2, 3, 4, 10, 16] {
        assert_same(Objective::MaximumLikelihood, &batch, parts);
    }
}

#[test]
fn negative_training_is_the_same_in_parts_of_any_size() {
    let batch = StepTensors { inside: batch(7, 0.0), outside: Some(batch(5, 2.0)) };
    let mut sorted = likelihoods(batch.outside.as_ref().unwrap());
    sorted.sort_by(f64::total_cmp);
    // None, some and all of the out-of-distribution images are above the threshold.
    for threshold in [sorted[4], f64::midpoint(sorted[1], sorted[2]), sorted[0] - 1.0] {
        for parts in [2, 4, 7] {
            assert_same(Objective::Negative { threshold }, &batch, parts);
        }
    }
}

#[test]
fn negative_training_without_likely_images_is_maximum_likelihood() {
    let (plain, with) = (
        StepTensors { inside: batch(7, 0.0), outside: None },
        StepTensors { inside: batch(7, 0.0), outside: Some(batch(5, 2.0)) },
    );

    let (loss, _, gradients) = numbers(Objective::MaximumLikelihood, &plain, 1);
    let (negative, inside, negative_gradients) = numbers(Objective::Negative { threshold: 0.0 }, &with, 1);

    assert!(likelihoods(with.outside.as_ref().unwrap()).iter().all(|&nats| nats < 0.0));
    assert!((negative / loss - 1.0).abs() < 1e-14 && inside == negative);
    let error = (&negative_gradients - &gradients).norm().double_value(&[]) / gradients.norm().double_value(&[]);
    assert!(error < 1e-13, "{error:e}");
}

#[test]
fn parts_cover_every_image_once_and_differ_by_one_at_most() {
    let parts = |len, parts| ranges(len, parts).collect::<Vec<_>>();

    assert_eq!(parts(10, 4), [0..3, 3..6, 6..8, 8..10]);
    assert_eq!(parts(2, 3), [0..1, 1..2, 2..2]);
    assert_eq!(parts(5, 2), [0..3, 3..5]);
}
