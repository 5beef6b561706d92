//! From a document to the things that train: the flow of a model's spec and the optimiser of a training spec.

use datasets::Entry;
use domain::spec::{
    self, MaskSpec, ModelSpec, OptimiserSpec, SplitPriorSpec, SqueezeSpec, StNetworkSpec, TrainingSpec, TransformSpec,
};
use flows::Flow;
use flows::flow::Preprocessing;
use flows::parameters::ParameterStore;
use flows::recipes::realnvp::{MaskScheme, RealNvp, StNetwork};
use tch::Kind;

use crate::error::TrainingError;
use crate::optimiser::{Decayed, Optimiser, OptimiserKind, Regularisation};

/// The element type of the flow, named by [`crate::PRECISION`].
pub const KIND: Kind = Kind::Float;

/// Builds the flow of a model over a dataset's images, its weights drawn by the experiment's seed.
pub fn flow(model: &ModelSpec, entry: &Entry, seed: u64, device: tch::Device) -> Result<Flow, TrainingError> {
    let unsupported = |what: &str| TrainingError::Unsupported(what.to_owned());
    let ModelSpec::RealNvp(realnvp) = model else {
        return Err(unsupported(model.as_str()));
    };
    let mask = match &realnvp.mask {
        MaskSpec::Scheme(spec::MaskScheme::Checkerboard) => MaskScheme::Checkerboard,
        MaskSpec::Scheme(spec::MaskScheme::Horizontal) => MaskScheme::Horizontal,
        MaskSpec::Scheme(spec::MaskScheme::Cycle) => MaskScheme::Cycle,
        MaskSpec::Scheme(other) => return Err(unsupported(other.as_str())),
        MaskSpec::List(_) => return Err(unsupported("a list of masks")),
    };
    let StNetworkSpec::Resnet(resnet) = &realnvp.st_network else {
        return Err(unsupported(realnvp.st_network.as_str()));
    };
    let plain = (TransformSpec::default(), SqueezeSpec::default(), SplitPriorSpec::default());
    if (realnvp.transform, realnvp.squeeze, realnvp.split_prior) != plain {
        return Err(unsupported("another transform, squeeze or split prior"));
    }
    let recipe = RealNvp {
        input: entry.shape.map(|size| size as i64),
        mask,
        scales: realnvp.scales(),
        couplings: realnvp.couplings(),
        st_network: StNetwork::Resnet {
            width: i64::from(resnet.width),
            blocks: i64::from(resnet.blocks),
            batch_norm: resnet.batch_norm,
            skip: resnet.skip,
        },
        preprocessing: Preprocessing::Exact,
    };
    Ok(recipe.build(seed, KIND, device)?)
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
    use domain::spec::{DatasetName, InputShape};

    #[test]
    fn every_dataset_of_the_specs_is_in_the_catalogue_with_the_same_shape() {
        for name in DatasetName::ALL {
            let entry = Catalogue::lookup(name.as_str()).unwrap();

            let [channels, height, width] = entry.shape.map(|size| size as u32);
            assert_eq!(InputShape::Image { channels, height, width }, name.shape(), "{name}");
        }
        assert_eq!(Catalogue::entries().len(), DatasetName::ALL.len());
    }
}
