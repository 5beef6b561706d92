//! The optimiser that a document names.

use domain::spec::{Decay, ExperimentSpec, OptimiserSpec};
use flows::parameters::ParameterStore;

use crate::optimiser::{Decayed, Optimiser, OptimiserKind, Regularisation};

/// Builds the optimiser of a document over a flow's parameters, at the learning rate before any schedule.
pub fn optimiser(spec: &ExperimentSpec, parameters: &ParameterStore) -> Optimiser {
    let training = &spec.training;
    let kind = match &training.optimiser {
        OptimiserSpec::Adam(adam) => OptimiserKind::Adam {
            learning_rate: adam.learning_rate,
            beta1: adam.beta1,
            beta2: adam.beta2,
            epsilon: adam.epsilon,
        },
        OptimiserSpec::AdamW(adam) => OptimiserKind::AdamW {
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
    let decayed = match training.decays(&spec.model) {
        Decay::Gains => Decayed::Gains,
        Decay::All => Decayed::All,
    };
    let regularisation =
        Regularisation { clip_norm: training.clips_at(), weight_decay: training.weight_decay, decayed };
    Optimiser::new(kind, parameters, regularisation)
}
