//! Weights go to the reference's names and back unchanged, and files of other models are refused by name and shape.

#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

use architecture::recipes::Body;
use architecture::{
    Architecture, Glow, InputShape, Mask, Order, Parity, PointwiseConvolution, RealNvp, Role, SplitPrior, Squeeze,
    StNetwork, Tabular, Transform,
};
use checkpoints::{ExchangeError, export, import};
use statedict::{ElementType, StateDict, Tensor};

const IMAGES: InputShape = InputShape::Image { channels: 1, height: 8, width: 8 };

fn resnet() -> StNetwork {
    StNetwork::Resnet { width: 4, blocks: 1, batch_norm: true, skip: true }
}

fn realnvp(body: Body, network: StNetwork) -> Architecture {
    let recipe = RealNvp {
        input: IMAGES,
        parity: Parity::FlowsOod,
        body,
        network,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    };
    recipe.compose().unwrap()
}

fn glow(convolution: PointwiseConvolution) -> Architecture {
    let recipe = Glow {
        input: IMAGES,
        parity: Parity::FlowsOod,
        scales: 2,
        steps: 2,
        multi_scale: true,
        network: StNetwork::Highway { width: 4, blocks: 1 },
        convolution,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    };
    recipe.compose().unwrap()
}

fn tabular() -> Architecture {
    let recipe = Tabular {
        input: InputShape::Vector { features: 5 },
        parity: Parity::FlowsOod,
        couplings: 3,
        network: StNetwork::Mlp { width: 4, layers: 1 },
        transform: Transform::Affine,
    };
    recipe.compose().unwrap()
}

/// A model's state whose every value is another.
fn state(architecture: &Architecture) -> StateDict {
    let mut state = StateDict::new();
    let mut next = 0_u32;
    for tensor in architecture.tensors() {
        let shape: Vec<usize> = tensor.shape.iter().map(|&size| usize::try_from(size).unwrap()).collect();
        let count = shape.iter().product::<usize>();
        let (element, bytes) = if tensor.role == Role::Statistic && shape.is_empty() {
            (ElementType::I64, 7_i64.to_le_bytes().to_vec())
        } else if tensor.role == Role::Constant {
            (ElementType::I64, 1_i64.to_le_bytes().to_vec())
        } else {
            let values = (0..count).flat_map(|_| {
                next += 1;
                (next as f32).to_le_bytes()
            });
            (ElementType::F32, values.collect())
        };
        state.push(Tensor::new(tensor.name, element, shape, bytes).unwrap()).unwrap();
    }
    state
}

fn checkerboards(count: u32) -> Body {
    Body::Stack((0..count).map(|at| Mask::Checkerboard(Order::of_position(at))).collect())
}

#[test]
fn weights_come_back_from_the_reference_s_names_unchanged() {
    let bottleneck = StNetwork::ResnetAutoencoder { width: 4, blocks: 2, latent: 3, batch_norm: true };
    let models = [
        realnvp(Body::Scales(2), resnet()),
        realnvp(Body::Scales(1), StNetwork::AutoencoderOld { latent: 3 }),
        realnvp(checkerboards(4), StNetwork::Convnet { width: 4, blocks: 2 }),
        realnvp(Body::Stack(Mask::cycle(8)), bottleneck),
        glow(PointwiseConvolution::Full),
        tabular(),
    ];
    for architecture in models {
        let ours = state(&architecture);

        let theirs = export(&ours, &architecture).unwrap();
        let back = import(&theirs, &architecture).unwrap();

        assert_eq!(back, ours);
        assert!(theirs.names().all(|name| name.starts_with("body.")));
    }
}

#[test]
fn a_stack_of_four_checkerboards_is_read_under_both_of_its_names() {
    let (stack, scales) = (realnvp(checkerboards(4), resnet()), realnvp(Body::Scales(1), resnet()));
    let ours = state(&stack);

    let as_scales = export(&ours, &scales).unwrap();

    assert_ne!(as_scales, export(&ours, &stack).unwrap());
    assert_eq!(import(&as_scales, &stack).unwrap(), ours);
}

#[test]
fn act_norm_of_an_imported_model_counts_as_set() {
    let architecture = glow(PointwiseConvolution::Full);
    let theirs = export(&state(&architecture), &architecture).unwrap();
    assert!(theirs.names().all(|name| !name.contains("initialised")));

    let imported = import(&theirs, &architecture).unwrap();

    let mark = imported.get("act_norms.3.initialised").unwrap();
    assert_eq!((mark.element(), mark.bytes()), (ElementType::I64, 1_i64.to_le_bytes().as_slice()));
}

#[test]
fn files_of_other_models_are_refused_with_names_and_shapes() {
    let architecture = realnvp(Body::Scales(2), resnet());
    let wider = realnvp(Body::Scales(2), StNetwork::Resnet { width: 5, blocks: 1, batch_norm: true, skip: true });
    let bare = realnvp(Body::Scales(2), StNetwork::Resnet { width: 4, blocks: 1, batch_norm: false, skip: true });
    let refusal = |from: &Architecture, to: &Architecture| {
        import(&export(&state(from), from).unwrap(), to).unwrap_err().to_string()
    };

    let text = refusal(&wider, &architecture);
    assert!(text.contains("has shape [5, 2, 3, 3] there and [4, 2, 3, 3] in the document's model"), "{text}");
    assert!(text.contains("more have other shapes"), "{text}");
    let text = refusal(&bare, &architecture);
    assert!(text.contains("it lacks 200 tensors (body.2.0.module1.st_net.in_norm.weight"), "{text}");
    let text = refusal(&architecture, &bare);
    assert!(text.contains("it has besides 200 tensors"), "{text}");
}

#[test]
fn models_that_the_reference_cannot_build_are_refused_by_their_layer() {
    let architecture = glow(PointwiseConvolution::Lu);

    let refusal = import(&StateDict::new(), &architecture).unwrap_err();

    assert!(matches!(refusal, ExchangeError::NoCounterpart(_)), "{refusal}");
    assert!(refusal.to_string().contains("nothing like layer convolutions.0"), "{refusal}");
}
