//! By how much every number differs between the textbook's and the reference's mode, and what does not differ at all.

use architecture::{Architecture, Mask, Parity, StNetwork};
use flows::{Flow, LogLikelihood, Mode, bits_per_dimension};
use tch::{Kind, Tensor, no_grad};

use crate::models::{COLOUR, GREY, RESNET, glow, multi_scale, stack, tabular};
use crate::{assert_within, deterministic, filled_flow, number};

/// The same filled model in both modes: the reference's, then the textbook's.
fn both(architecture: &Architecture) -> [Flow; 2] {
    [Parity::FlowsOod, Parity::Corrected].map(|parity| {
        let mut architecture = architecture.clone();
        architecture.parity = parity;
        filled_flow(&architecture)
    })
}

fn likelihoods(flows: &[Flow; 2], mode: Mode) -> [LogLikelihood; 2] {
    let (examples, noise) = deterministic::inputs(flows[0].input());
    flows.each_ref().map(|flow| no_grad(|| flow.log_likelihood(&examples, noise.as_ref(), mode)))
}

fn difference(one: &Tensor, other: &Tensor) -> [f64; 2] {
    let difference = one - other;
    [difference.double_value(&[0]), difference.double_value(&[1])]
}

#[test]
fn g10_images_cost_the_reference_0_005647_bits_more_in_every_model() {
    let models = [
        multi_scale(GREY, 2, RESNET),
        multi_scale(COLOUR, 3, RESNET),
        stack(GREY, Mask::cycle(8), RESNET),
        glow(StNetwork::Highway { width: 8, blocks: 2 }),
    ];
    for architecture in models {
        let dimensions = architecture.input.dimensions();
        let nats = dimensions as f64 * (256_f64 / 255.0).ln();
        for mode in [Mode::Evaluate, Mode::Train] {
            let [reference, textbook] = likelihoods(&both(&architecture), mode);

            assert_eq!(difference(&reference.latent, &textbook.latent), [0.0, 0.0]);
            for sample in difference(&textbook.log_det, &reference.log_det) {
                assert_within("log-determinant", sample, nats, 1e-9);
            }
            for sample in difference(&textbook.total, &reference.total) {
                assert_within("log-likelihood", sample, nats, 1e-9);
            }
            let bits = |likelihood: &LogLikelihood| {
                bits_per_dimension(number(&likelihood.total.mean(Kind::Double)), dimensions)
            };
            let offset = bits(&reference) - bits(&textbook);
            assert_within("bits", offset, (256_f64 / 255.0).log2(), 1e-12);
            assert_within("bits", offset, 0.0056466, 5e-8);
        }
    }
}

#[test]
fn vectors_cost_the_reference_8_bits_more_per_dimension() {
    let flows = both(&tabular(15, 3, 16));

    let [reference, textbook] = likelihoods(&flows, Mode::Evaluate);

    assert_eq!(difference(&reference.latent, &textbook.latent), [0.0, 0.0]);
    assert_eq!(difference(&reference.log_det, &textbook.log_det), [0.0, 0.0]);
    for sample in difference(&textbook.total, &reference.total) {
        assert_within("bits", bits_per_dimension(-sample, 15), 8.0, 1e-12);
    }
    assert_eq!(flows.map(|flow| flow.discretisation_nats()), [15.0 * 256_f64.ln(), 0.0]);
}

#[test]
fn the_reference_decodes_to_low_contrast_and_the_textbook_to_the_image() {
    let _guard = tch::no_grad_guard();
    let (images, noise) = deterministic::inputs(GREY);
    let noise = noise.expect("images have noise");
    let dequantised: Tensor = (&images * 255.0 + &noise) / 256.0;

    let [reference, textbook] = both(&multi_scale(GREY, 2, RESNET)).map(|flow| {
        let latents = flow.encode(&images, Some(&noise), Mode::Evaluate).output;
        flow.decode(&latents)
    });

    let error = |found: Tensor, expected: Tensor| number(&(found - expected).abs().max());
    assert!(error(textbook, dequantised.copy()) < 1e-12);
    assert!(error(reference, dequantised * 0.9 + 0.05) < 1e-12);
}

#[test]
fn vectors_decode_alike_in_both_modes() {
    let _guard = tch::no_grad_guard();
    let flows = both(&tabular(15, 3, 16));
    let (vectors, _) = deterministic::inputs(flows[0].input());

    let [reference, textbook] = flows.map(|flow| flow.decode(&flow.encode(&vectors, None, Mode::Evaluate).output));

    assert_eq!(reference, textbook);
    assert!(number(&(textbook - vectors).abs().max()) < 1e-12);
}
