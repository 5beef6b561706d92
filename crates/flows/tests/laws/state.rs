//! What a flow's state is: saved and loaded it gives the same bits, evaluation leaves it alone, and examples of a batch do
//! not see each other.

use flows::architecture::{Architecture, InputShape, Place};
use flows::parameters::LoadError;
use flows::{BuildError, Flow, Mode};
use tch::{Device, Kind, Tensor, no_grad};

use crate::subjects::{self, Recipe, perturbed_flow, uniform};
use crate::table::largest;

/// Examples with their noise: pixels on the grid of grey levels, or vectors, which have none.
fn batch(architecture: &Architecture, examples: i64) -> (Tensor, Option<Tensor>) {
    let size: Vec<i64> = [examples].into_iter().chain(architecture.input.sizes()).collect();
    match architecture.input {
        InputShape::Image { .. } => {
            let images = ((uniform("images", &size, 0.5) + 0.5) * 256.0).floor() / 255.0;
            (images, Some(uniform("noise", &size, 0.5) + 0.5))
        }
        InputShape::Vector { .. } => (uniform("vectors", &size, 2.0), None),
    }
}

fn total(flow: &Flow, (x, noise): &(Tensor, Option<Tensor>), mode: Mode) -> Tensor {
    no_grad(|| flow.log_likelihood(x, noise.as_ref(), mode).total)
}

/// A copy that later steps do not change.
fn saved(flow: &Flow) -> Vec<(String, Tensor)> {
    flow.parameters().state().into_iter().map(|(name, tensor)| (name, tensor.copy())).collect()
}

fn first() -> Recipe {
    subjects::recipes().into_iter().find(|recipe| recipe.name == "realnvp 2 scales").unwrap()
}

#[test]
fn saved_and_loaded_flows_give_the_same_bits() {
    for Recipe { name, architecture, .. } in subjects::recipes() {
        let flow = perturbed_flow(&architecture);
        let examples = batch(&architecture, 3);
        let other = Flow::build(&architecture, 1, Kind::Double, Device::Cpu).unwrap();
        let before = total(&flow, &examples, Mode::Evaluate);
        assert_ne!(before, total(&other, &examples, Mode::Evaluate), "{name}: another seed must give another flow");

        other.parameters().load(&saved(&flow)).unwrap();

        for mode in [Mode::Evaluate, Mode::Train] {
            assert_eq!(total(&flow, &examples, mode), total(&other, &examples, mode), "{name}, {mode:?}");
        }
        assert_eq!(flow.parameters().flat_all(), other.parameters().flat_all(), "{name}: the flat buffer follows");
    }
}

#[test]
fn decoding_undoes_encoding_to_the_dequantised_example() {
    for Recipe { name, architecture, .. } in subjects::recipes() {
        let flow = perturbed_flow(&architecture);
        let (x, noise) = batch(&architecture, 3);

        let decoded = no_grad(|| flow.decode(&flow.encode(&x, noise.as_ref(), Mode::Evaluate).output));

        let dequantised = match &noise {
            Some(noise) => (&x * 255.0 + noise) / 256.0,
            None => x.shallow_clone(),
        };
        // The reference stops at the sigmoid: a picture of low contrast.
        let expected = if name.ends_with("parity") { dequantised * 0.9 + 0.05 } else { dequantised };
        let error = largest(&(decoded - expected));
        assert!(error < 1e-10, "{name}: the example is {error:.1e} off");
    }
}

#[test]
fn parity_costs_a_constant_of_each_dimension() {
    let of = |name: &str| subjects::recipes().into_iter().find(|recipe| recipe.name == name).unwrap().architecture;
    for (corrected, parity) in [("realnvp 2 scales", "realnvp parity"), ("glow full", "glow parity")] {
        let examples = batch(&of(corrected), 3);
        let nats = |name| total(&perturbed_flow(&of(name)), &examples, Mode::Evaluate);

        let gap = nats(corrected) - nats(parity);

        let per_dimension = gap / 64.0 / std::f64::consts::LN_2;
        let error = largest(&(per_dimension - (256.0_f64 / 255.0).log2()));
        assert!(error < 1e-12, "{parity}: {error:.1e} off log2(256/255) bits/dim");
    }
}

#[test]
fn examples_of_a_batch_do_not_see_each_other_in_evaluation() {
    for Recipe { name, architecture, .. } in subjects::recipes() {
        let flow = perturbed_flow(&architecture);
        let (x, noise) = batch(&architecture, 4);

        let together = total(&flow, &(x.shallow_clone(), noise.as_ref().map(Tensor::shallow_clone)), Mode::Evaluate);

        let alone = |index| (x.narrow(0, index, 1), noise.as_ref().map(|noise| noise.narrow(0, index, 1)));
        let one_by_one: Vec<Tensor> = (0..4).map(|index| total(&flow, &alone(index), Mode::Evaluate)).collect();
        let error = largest(&(&together - Tensor::cat(&one_by_one, 0))) / (1.0 + largest(&together));
        assert!(error < 1e-13, "{name}: log-likelihoods are {error:.1e} off");
    }
}

#[test]
fn a_call_leaves_nothing_behind_but_running_statistics() {
    let architecture = first().architecture;
    let flow = perturbed_flow(&architecture);
    let examples = batch(&architecture, 3);

    let evaluated = total(&flow, &examples, Mode::Evaluate);
    assert_eq!(evaluated, total(&flow, &examples, Mode::Evaluate));
    let trained = total(&flow, &examples, Mode::Train);
    assert_eq!(trained, total(&flow, &examples, Mode::Train));
    assert_ne!(evaluated, total(&flow, &examples, Mode::Evaluate), "the running statistics have moved");
}

#[test]
fn layers_observed_one_by_one_add_up_to_the_whole() {
    for Recipe { name, architecture, .. } in subjects::recipes() {
        let flow = perturbed_flow(&architecture);
        let (x, noise) = batch(&architecture, 3);
        let mut sum = Tensor::zeros([3], (Kind::Double, Device::Cpu));

        let observed = no_grad(|| {
            flow.encode_observed(&x, noise.as_ref(), Mode::Evaluate, |traced| {
                sum += traced.log_det;
                if let Some(seen) = traced.scale_and_shift {
                    assert_eq!(seen.log_scale.size(), traced.output.size(), "{name}, {}", traced.name);
                    let own = seen.log_scale.flatten(1, -1).sum_dim_intlist(1, false, Kind::Double);
                    assert!(largest(&(own - traced.log_det)) < 1e-12, "{name}, {}", traced.name);
                }
            })
        });

        let plain = no_grad(|| flow.encode(&x, noise.as_ref(), Mode::Evaluate));
        assert_eq!(observed.output, plain.output, "{name}");
        let gap = largest(&(sum - &plain.log_det)) / (1.0 + largest(&plain.log_det));
        assert!(gap < 1e-13, "{name}: {gap:.1e}");
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused_by_name_and_changes_nothing() {
    let flow = perturbed_flow(&first().architecture);
    let before = flow.parameters().flat_all().copy();
    let fresh = || saved(&flow);
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
fn descriptions_that_were_changed_into_no_flow_are_refused_before_anything_is_allocated() {
    let mut architecture = first().architecture;
    assert_eq!(Flow::build(&architecture, 0, Kind::Half, Device::Cpu).err(), Some(BuildError::Kind(Kind::Half)));

    architecture.input = InputShape::Image { channels: 0, height: 8, width: 8 };

    let refused = Flow::build(&architecture, 0, Kind::Double, Device::Cpu).err();
    assert!(matches!(refused, Some(BuildError::Misfit(misfit)) if misfit.place == Place::Input));
}
