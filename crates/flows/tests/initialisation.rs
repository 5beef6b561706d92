//! New models start as the reference's do: bounds, deviations, zeros and ones of every part (models.md 2), so that models
//! whose st-networks end in zeros start as no coupling at all.

#[expect(dead_code, reason = "other tests build more models")]
mod models;

use std::collections::HashMap;

use architecture::{Architecture, Part, PartKind, StNetwork};
use flows::{Flow, Mode};
use models::{COLOUR, GREY, checkerboards, glow, multi_scale, stack, tabular};
use tch::{Device, Kind, Tensor};

/// A model's tensors by name.
struct Initial {
    architecture: Architecture,
    state: HashMap<String, Tensor>,
}

impl Initial {
    fn of(architecture: Architecture) -> Self {
        tch::set_num_threads(1);
        let flow = Flow::build(&architecture, 11, Kind::Double, Device::Cpu).expect("the reference builds it");
        let state = flow.parameters().state().into_iter().collect();
        Self { architecture, state }
    }

    fn parts(&self) -> Vec<Part> {
        self.architecture.parts().collect()
    }

    fn tensor(&self, part: &Part, leaf: &str) -> Tensor {
        self.state[&format!("{}.{leaf}", part.name)].to_kind(Kind::Double)
    }

    fn is_all(&self, part: &Part, leaf: &str, value: f64) -> bool {
        (self.tensor(part, leaf) - value).abs().max().double_value(&[]) == 0.0
    }
}

/// Values of U(-bound, bound): none outside, the largest near the bound, and the moments of that law within four standard
/// errors.
#[track_caller]
fn assert_uniform(what: &str, values: &Tensor, bound: f64) {
    let count = values.numel() as f64;
    let largest = values.abs().max().double_value(&[]) / bound;
    assert!(largest < 1.0, "{what}: a value of {largest} bounds");
    // The largest of n draws falls short of the bound by x with probability exp(-n x).
    assert!(largest > 1.0 - 12.0 / count, "{what}: {count} values reach {largest} of the bound {bound}");
    let mean = values.mean(Kind::Double).double_value(&[]) / bound;
    assert!(mean.abs() < 4.0 / (3.0 * count).sqrt(), "{what}: mean {mean} bounds");
    let square = values.square().mean(Kind::Double).double_value(&[]) / bound.powi(2);
    assert!((square - 1.0 / 3.0).abs() < 4.0 * (4.0 / 45.0 / count).sqrt(), "{what}: mean square {square} bounds");
}

/// Values of N(0, deviation²) by their first two moments, within four standard errors.
#[track_caller]
fn assert_normal(what: &str, values: &Tensor, deviation: f64) {
    let count = values.numel() as f64;
    let mean = values.mean(Kind::Double).double_value(&[]) / deviation;
    assert!(mean.abs() < 4.0 / count.sqrt(), "{what}: mean {mean} deviations");
    let square = values.square().mean(Kind::Double).double_value(&[]) / deviation.powi(2);
    assert!((square - 1.0).abs() < 4.0 * (2.0 / count).sqrt(), "{what}: mean square {square}");
}

/// Draws of all parts over their bounds, so that small tensors count too.
fn scaled(initial: &Initial, leaf: &str, bound: impl Fn(&PartKind) -> Option<f64>) -> Tensor {
    let draws: Vec<Tensor> = initial
        .parts()
        .iter()
        .filter_map(|part| bound(&part.kind).map(|bound| initial.tensor(part, leaf).reshape([-1]) / bound))
        .collect();
    Tensor::cat(&draws, 0)
}

#[test]
fn weight_normalised_convolutions_start_as_torch_draws_them() {
    let network = StNetwork::Resnet { width: 16, blocks: 2, batch_norm: true, skip: true };
    let initial = Initial::of(multi_scale(GREY, 2, network));
    let bound = |with_bias: bool| {
        move |kind: &PartKind| match kind {
            PartKind::WeightNormConvolution { inputs, size, bias, .. } if *bias || !with_bias => {
                Some(1.0 / ((inputs * size * size) as f64).sqrt())
            }
            _ => None,
        }
    };

    assert_uniform("directions", &scaled(&initial, "direction", bound(false)), 1.0);
    assert_uniform("biases", &scaled(&initial, "bias", bound(true)), 1.0);
    for part in initial.parts() {
        if let PartKind::WeightNormConvolution { outputs, .. } = part.kind {
            let direction = initial.tensor(&part, "direction").view([outputs, -1]);
            let lengths = direction.square().sum_dim_intlist(1, false, Kind::Double).sqrt();
            let error = (initial.tensor(&part, "gain").view([-1]) - lengths).abs().max().double_value(&[]);
            assert!(error < 1e-14, "{}: the gain is {error} off the direction's length", part.name);
        }
    }
}

#[test]
fn batch_norm_starts_as_the_identity_and_rescaling_with_ones() {
    let network = StNetwork::Resnet { width: 4, blocks: 1, batch_norm: true, skip: true };
    let initial = Initial::of(multi_scale(COLOUR, 3, network));
    let mut seen = [0, 0];

    for part in initial.parts() {
        match part.kind {
            PartKind::BatchNorm { .. } => {
                for (leaf, value) in [("scale", 1.0), ("shift", 0.0), ("running_mean", 0.0), ("running_variance", 1.0)]
                {
                    assert!(initial.is_all(&part, leaf, value), "{}.{leaf}", part.name);
                }
                assert!(initial.is_all(&part, "batches", 0.0), "{}", part.name);
                seen[0] += 1;
            }
            PartKind::Rescale { .. } => {
                assert!(initial.is_all(&part, "gain", 1.0) && initial.is_all(&part, "direction", 1.0), "{}", part.name);
                seen[1] += 1;
            }
            _ => {}
        }
    }

    assert_eq!(seen, [64, 16], "16 couplings with 4 norms each");
}

#[test]
fn autoencoders_start_as_torch_draws_them_with_fan_in_on_the_output_axis_going_up() {
    for architecture in [
        multi_scale(GREY, 2, StNetwork::Autoencoder { latent: 20 }),
        stack(COLOUR, checkerboards(4), StNetwork::AutoencoderOld { latent: 20 }),
    ] {
        let initial = Initial::of(architecture);
        let fan_in = |kind: &PartKind| match kind {
            PartKind::Convolution { inputs, size, .. } => Some(inputs * size * size),
            PartKind::TransposedConvolution { outputs, size, .. } => Some(outputs * size * size),
            PartKind::Linear { inputs, .. } => Some(*inputs),
            _ => None,
        };
        for of_one_kind in [
            |kind: &PartKind| matches!(kind, PartKind::Convolution { .. }),
            |kind: &PartKind| matches!(kind, PartKind::TransposedConvolution { .. }),
            |kind: &PartKind| matches!(kind, PartKind::Linear { .. }),
        ] {
            for leaf in ["weight", "bias"] {
                let bound = |kind: &PartKind| {
                    of_one_kind(kind).then(|| fan_in(kind)).flatten().map(|fan_in| 1.0 / (fan_in as f64).sqrt())
                };
                assert_uniform(leaf, &scaled(&initial, leaf, bound), 1.0);
            }
        }
    }
}

#[test]
fn linear_layers_of_vectors_start_as_torch_draws_them() {
    let initial = Initial::of(tabular(30, 4, 32));

    for leaf in ["weight", "bias"] {
        let bound = |kind: &PartKind| match kind {
            PartKind::Linear { inputs, .. } => Some(1.0 / (*inputs as f64).sqrt()),
            _ => None,
        };
        assert_uniform(leaf, &scaled(&initial, leaf, bound), 1.0);
    }
    for part in initial.parts().iter().filter(|part| matches!(part.kind, PartKind::Rescale { .. })) {
        assert!(initial.is_all(part, "gain", 1.0) && initial.is_all(part, "direction", 1.0), "{}", part.name);
    }
}

#[test]
fn highways_and_glow_convnets_start_small_and_end_in_zeros() {
    for network in [StNetwork::Highway { width: 24, blocks: 2 }, StNetwork::GlowConvnet { width: 24 }] {
        let initial = Initial::of(glow(network));
        let mut outputs = 0;
        for part in initial.parts() {
            if !matches!(part.kind, PartKind::Convolution { .. }) {
                continue;
            }
            assert!(initial.is_all(&part, "bias", 0.0), "{}", part.name);
            if part.name.ends_with(".output") {
                assert!(initial.is_all(&part, "weight", 0.0), "{}", part.name);
                outputs += 1;
            } else {
                assert_normal(&part.name, &initial.tensor(&part, "weight"), 0.05);
            }
        }
        assert_eq!(outputs, 4, "one for each coupling");
    }
}

#[test]
fn channel_matrices_start_orthogonal_and_act_norms_as_the_identity() {
    let initial = Initial::of(glow(StNetwork::GlowConvnet { width: 4 }));

    for part in initial.parts() {
        match part.kind {
            PartKind::ChannelMatrix { channels } => {
                let matrix = initial.tensor(&part, "weight");
                let identity = Tensor::eye(channels, (Kind::Double, Device::Cpu));
                let error = (matrix.matmul(&matrix.transpose(0, 1)) - identity).abs().max().double_value(&[]);
                assert!(error < 1e-14, "{}: W Wᵀ is {error} off", part.name);
                let log_det = Tensor::linalg_slogdet(&matrix).1.double_value(&[]);
                assert!(log_det.abs() < 1e-14, "{}: log |det| {log_det}", part.name);
            }
            PartKind::ActNorm { .. } => {
                for leaf in ["shift", "log_scale", "initialised"] {
                    assert!(initial.is_all(&part, leaf, 0.0), "{}.{leaf}", part.name);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn couplings_whose_networks_end_in_zeros_start_as_the_identity() {
    let _guard = tch::no_grad_guard();
    for network in [StNetwork::Highway { width: 8, blocks: 2 }, StNetwork::GlowConvnet { width: 8 }] {
        let mut models = vec![multi_scale(GREY, 2, network.clone()), stack(GREY, checkerboards(8), network.clone())];
        models.push(glow(network));
        for architecture in models {
            let flow = Flow::build(&architecture, 3, Kind::Double, Device::Cpu).expect("the reference builds it");
            let images = Tensor::arange(784, (Kind::Double, Device::Cpu)).view([1, 1, 28, 28]) / 784.0;
            let (mut before, mut couplings) = (None, 0);

            flow.encode_observed(&images, None, Mode::Evaluate, |layer| {
                if let Some(before) = before.as_ref().filter(|_| layer.name.starts_with("couplings")) {
                    assert!(is_unchanged(before, layer.output), "{} changes its input", layer.name);
                    assert_eq!(layer.log_det.double_value(&[0]), 0.0, "{}", layer.name);
                    couplings += 1;
                }
                before = Some(layer.output.copy());
            });

            assert_eq!(couplings, architecture.couplings());
        }
    }
}

/// Whether a layer's output is its input: the output before it, or the channels of that which stayed in flight.
fn is_unchanged(before: &Tensor, after: &Tensor) -> bool {
    before.narrow(1, 0, after.size()[1]).equal(after)
}
