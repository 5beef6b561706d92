//! From a document to the things that train: the flow of a model's spec and the optimiser of a training spec.

use architecture::recipes::Body;
use architecture::{InputShape, Mask, Order, Parity, RealNvp, SplitPrior, Squeeze, StNetwork, Transform};
use datasets::Entry;
use domain::spec::{self, ModelSpec, OptimiserSpec, RealNvpSpec, StNetworkSpec, TrainingSpec};
use flows::parameters::ParameterStore;
use flows::{BuildError, Flow};
use tch::Kind;

use crate::optimiser::{Decayed, Optimiser, OptimiserKind, Regularisation};

/// The element type of the flow, named by [`crate::PRECISION`].
pub const KIND: Kind = Kind::Float;

/// Builds the flow of a model over a dataset's images, its weights drawn by the experiment's seed.
pub fn flow(model: &ModelSpec, entry: &Entry, seed: u64, device: tch::Device) -> Result<Flow, BuildError> {
    match model {
        ModelSpec::RealNvp(realnvp) => {
            let [channels, height, width] = entry.shape.map(|size| size as u32);
            let StNetworkSpec::Resnet(resnet) = &realnvp.st_network;
            let recipe = RealNvp {
                input: InputShape::Image { channels, height, width },
                parity: Parity::Corrected,
                body: body(realnvp),
                network: StNetwork::Resnet {
                    width: resnet.width.into(),
                    blocks: resnet.blocks.into(),
                    batch_norm: resnet.batch_norm,
                    skip: resnet.skip,
                },
                transform: Transform::Affine,
                squeeze: Squeeze::Pixels,
                split_prior: SplitPrior::Standard,
            };
            Flow::build(&recipe.compose()?, seed, KIND, device)
        }
    }
}

fn body(spec: &RealNvpSpec) -> Body {
    if spec.scales() > 1 {
        return Body::Scales(spec.scales());
    }
    let stack = |mask: fn(Order) -> Mask| (0..spec.couplings()).map(|at| mask(Order::of_position(at))).collect();
    Body::Stack(match spec.mask {
        spec::MaskScheme::Checkerboard => stack(Mask::Checkerboard),
        spec::MaskScheme::Horizontal => stack(Mask::Horizontal),
        spec::MaskScheme::Cycle => Mask::cycle(spec.couplings()),
    })
}

/// Builds the optimiser over a flow's parameters; gains alone decay, as for every image RealNVP of the reference.
pub fn optimiser(training: &TrainingSpec, parameters: &ParameterStore) -> Optimiser {
    let kind = match &training.optimiser {
        OptimiserSpec::Adam(adam) => OptimiserKind::Adam {
            learning_rate: adam.learning_rate,
            beta1: adam.beta1,
            beta2: adam.beta2,
            epsilon: adam.epsilon,
        },
        OptimiserSpec::RmsProp(rmsprop) => OptimiserKind::RmsProp {
            learning_rate: rmsprop.learning_rate,
            alpha: rmsprop.alpha,
            epsilon: rmsprop.epsilon,
        },
    };
    let regularisation =
        Regularisation { clip_norm: training.clips_at(), weight_decay: training.weight_decay, decayed: Decayed::Gains };
    Optimiser::new(kind, parameters, regularisation)
}

#[cfg(test)]
mod tests {
    use datasets::Catalogue;
    use domain::spec::DatasetName;

    #[test]
    fn every_dataset_of_the_specs_is_in_the_catalogue_with_the_same_shape() {
        for name in DatasetName::ALL {
            let entry = Catalogue::lookup(name.as_str()).unwrap();

            assert_eq!(entry.shape.map(|size| size as u32), name.shape(), "{name}");
        }
        assert_eq!(Catalogue::entries().len(), DatasetName::ALL.len());
    }
}
