//! From a document to the things that train: the flow of a model's spec and the optimiser of a training spec.

use datasets::Entry;
use domain::spec::{self, ModelSpec, OptimiserSpec, StNetworkSpec, TrainingSpec};
use flows::Flow;
use flows::flow::Preprocessing;
use flows::parameters::ParameterStore;
use flows::recipes::realnvp::{MaskScheme, RealNvp, RecipeError, StNetwork};
use tch::Kind;

use crate::optimiser::{Decayed, Optimiser, OptimiserKind, Regularisation};

/// The element type of the flow, named by [`crate::PRECISION`].
pub const KIND: Kind = Kind::Float;

/// Builds the flow of a model over a dataset's images, its weights drawn by the experiment's seed.
pub fn flow(model: &ModelSpec, entry: &Entry, seed: u64, device: tch::Device) -> Result<Flow, RecipeError> {
    match model {
        ModelSpec::RealNvp(realnvp) => {
            let recipe = RealNvp {
                input: entry.shape.as_image().map(|size| size as i64),
                mask: match realnvp.mask {
                    spec::MaskScheme::Checkerboard => MaskScheme::Checkerboard,
                    spec::MaskScheme::Horizontal => MaskScheme::Horizontal,
                    spec::MaskScheme::Cycle => MaskScheme::Cycle,
                },
                scales: realnvp.scales(),
                couplings: realnvp.couplings(),
                st_network: st_network(&realnvp.st_network),
                preprocessing: Preprocessing::Exact,
            };
            recipe.build(seed, KIND, device)
        }
    }
}

fn st_network(spec: &StNetworkSpec) -> StNetwork {
    match spec {
        StNetworkSpec::Resnet(resnet) => StNetwork::Resnet {
            width: i64::from(resnet.width),
            blocks: i64::from(resnet.blocks),
            batch_norm: resnet.batch_norm,
            skip: resnet.skip,
        },
    }
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

            assert_eq!(entry.shape.to_string(), name.shape().to_string(), "{name}");
            assert_eq!(entry.has(datasets::Split::Train), name.has_train_split(), "{name}");
        }
        assert_eq!(Catalogue::entries().len(), DatasetName::ALL.len());
    }
}
