//! From a document to the things that train: the flow of a model's spec and the optimiser of a training spec.

use domain::spec::{ExperimentSpec, OptimiserSpec, TrainingSpec};
use flows::Flow;
use flows::parameters::ParameterStore;
use tch::Kind;

use crate::error::TrainingError;
use crate::optimiser::{Decayed, Optimiser, OptimiserKind, Regularisation};

/// The element type of the flow, named by [`crate::PRECISION`].
pub const KIND: Kind = Kind::Float;

/// Builds the flow of an experiment over its in-distribution data, its weights drawn by the seed.
pub fn flow(spec: &ExperimentSpec, seed: u64, device: tch::Device) -> Result<Flow, TrainingError> {
    let architecture = spec.architecture("model").map_err(TrainingError::Model)?;
    Ok(Flow::build(&architecture, seed, KIND, device)?)
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
