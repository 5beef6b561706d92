//! The experiment document.

use domain::spec::{
    AdamSpec, DataSpec, EvaluationSpec, ExperimentSpec, OptimiserSpec, RmsPropSpec, TrainingSpec, Violations, defaults,
};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for ExperimentSpec {
    type Wire = v1::ExperimentSpec;

    fn to_wire(&self) -> v1::ExperimentSpec {
        let Self { model, data, training, evaluation, parity } = self;
        v1::ExperimentSpec {
            model: Some(model.to_wire()),
            data: Some(data.to_wire()),
            training: Some(training.to_wire()),
            evaluation: Some(evaluation.to_wire()),
            parity: parity.to_wire(),
        }
    }
}

impl FromWire for ExperimentSpec {
    type Wire = v1::ExperimentSpec;

    fn from_wire(wire: v1::ExperimentSpec, at: &str) -> Result<Self, Violations> {
        let v1::ExperimentSpec { model, data, training, evaluation, parity } = wire;
        let mut fields = Fields::at(at);
        let model = fields.required("model", model);
        let data = fields.required("data", data);
        let training = fields.required("training", training);
        let evaluation = fields.required("evaluation", evaluation);
        let parity = fields.plain("parity", parity);
        fields.finish(|| {
            Some(Self { model: model?, data: data?, training: training?, evaluation: evaluation?, parity: parity? })
        })
    }
}

impl ToWire for DataSpec {
    type Wire = v1::DataSpec;

    fn to_wire(&self) -> v1::DataSpec {
        let Self { dataset, train_images } = *self;
        v1::DataSpec { dataset: dataset.to_string(), train_images }
    }
}

impl FromWire for DataSpec {
    type Wire = v1::DataSpec;

    fn from_wire(wire: v1::DataSpec, at: &str) -> Result<Self, Violations> {
        let v1::DataSpec { dataset, train_images } = wire;
        let mut fields = Fields::at(at);
        let dataset = fields.named("dataset", &dataset);
        fields.finish(|| Some(Self { dataset: dataset?, train_images }))
    }
}

impl ToWire for TrainingSpec {
    type Wire = v1::TrainingSpec;

    fn to_wire(&self) -> v1::TrainingSpec {
        let Self { steps, batch_size, optimiser, weight_decay, gradient_clip_norm } = self;
        v1::TrainingSpec {
            steps: *steps,
            batch_size: *batch_size,
            optimiser: Some(optimiser.to_wire()),
            weight_decay: Some(*weight_decay),
            gradient_clip_norm: Some(gradient_clip_norm.unwrap_or(0.0)),
        }
    }
}

impl FromWire for TrainingSpec {
    type Wire = v1::TrainingSpec;

    fn from_wire(wire: v1::TrainingSpec, at: &str) -> Result<Self, Violations> {
        let v1::TrainingSpec { steps, batch_size, optimiser, weight_decay, gradient_clip_norm } = wire;
        let mut fields = Fields::at(at);
        let optimiser = fields.required("optimiser", optimiser);
        let weight_decay = fields.finite("weight_decay", weight_decay.unwrap_or_else(defaults::weight_decay));
        // The wire has no `null`: there, 0 alone means no clipping.
        let gradient_clip_norm = match gradient_clip_norm {
            None => Some(defaults::gradient_clip_norm()),
            Some(0.0) => Some(None),
            Some(norm) => fields.finite("gradient_clip_norm", norm).map(Some),
        };
        fields.finish(|| {
            Some(Self {
                steps,
                batch_size,
                optimiser: optimiser?,
                weight_decay: weight_decay?,
                gradient_clip_norm: gradient_clip_norm?,
            })
        })
    }
}

impl ToWire for OptimiserSpec {
    type Wire = v1::OptimiserSpec;

    fn to_wire(&self) -> v1::OptimiserSpec {
        let kind = match self {
            Self::Adam(adam) => v1::optimiser_spec::Kind::Adam(adam.to_wire()),
            Self::RmsProp(rmsprop) => v1::optimiser_spec::Kind::Rmsprop(rmsprop.to_wire()),
        };
        v1::OptimiserSpec { kind: Some(kind) }
    }
}

impl FromWire for OptimiserSpec {
    type Wire = v1::OptimiserSpec;

    fn from_wire(wire: v1::OptimiserSpec, at: &str) -> Result<Self, Violations> {
        let v1::OptimiserSpec { kind } = wire;
        match kind {
            None => Err(Violations::one(at, "missing: one of adam, rmsprop expected")),
            Some(v1::optimiser_spec::Kind::Adam(adam)) => {
                AdamSpec::from_wire(adam, &Fields::at(at).path("adam")).map(Self::Adam)
            }
            Some(v1::optimiser_spec::Kind::Rmsprop(rmsprop)) => {
                RmsPropSpec::from_wire(rmsprop, &Fields::at(at).path("rmsprop")).map(Self::RmsProp)
            }
        }
    }
}

impl ToWire for AdamSpec {
    type Wire = v1::AdamSpec;

    fn to_wire(&self) -> v1::AdamSpec {
        let Self { learning_rate, beta1, beta2, epsilon } = *self;
        v1::AdamSpec { learning_rate, beta1: Some(beta1), beta2: Some(beta2), epsilon: Some(epsilon) }
    }
}

impl FromWire for AdamSpec {
    type Wire = v1::AdamSpec;

    fn from_wire(wire: v1::AdamSpec, at: &str) -> Result<Self, Violations> {
        let v1::AdamSpec { learning_rate, beta1, beta2, epsilon } = wire;
        let mut fields = Fields::at(at);
        let learning_rate = fields.finite("learning_rate", learning_rate);
        let beta1 = fields.finite("beta1", beta1.unwrap_or_else(defaults::beta1));
        let beta2 = fields.finite("beta2", beta2.unwrap_or_else(defaults::beta2));
        let epsilon = fields.finite("epsilon", epsilon.unwrap_or_else(defaults::epsilon));
        fields.finish(|| Some(Self { learning_rate: learning_rate?, beta1: beta1?, beta2: beta2?, epsilon: epsilon? }))
    }
}

impl ToWire for RmsPropSpec {
    type Wire = v1::RmsPropSpec;

    fn to_wire(&self) -> v1::RmsPropSpec {
        let Self { learning_rate, alpha, epsilon } = *self;
        v1::RmsPropSpec { learning_rate, alpha: Some(alpha), epsilon: Some(epsilon) }
    }
}

impl FromWire for RmsPropSpec {
    type Wire = v1::RmsPropSpec;

    fn from_wire(wire: v1::RmsPropSpec, at: &str) -> Result<Self, Violations> {
        let v1::RmsPropSpec { learning_rate, alpha, epsilon } = wire;
        let mut fields = Fields::at(at);
        let learning_rate = fields.finite("learning_rate", learning_rate);
        let alpha = fields.finite("alpha", alpha.unwrap_or_else(defaults::alpha));
        let epsilon = fields.finite("epsilon", epsilon.unwrap_or_else(defaults::epsilon));
        fields.finish(|| Some(Self { learning_rate: learning_rate?, alpha: alpha?, epsilon: epsilon? }))
    }
}

impl ToWire for EvaluationSpec {
    type Wire = v1::EvaluationSpec;

    fn to_wire(&self) -> v1::EvaluationSpec {
        let Self { out, images, scores } = self;
        v1::EvaluationSpec {
            out: out.iter().map(ToString::to_string).collect(),
            images: *images,
            scores: scores.iter().map(ToString::to_string).collect(),
        }
    }
}

impl FromWire for EvaluationSpec {
    type Wire = v1::EvaluationSpec;

    fn from_wire(wire: v1::EvaluationSpec, at: &str) -> Result<Self, Violations> {
        let v1::EvaluationSpec { out, images, scores } = wire;
        let mut fields = Fields::at(at);
        let out = fields.repeated_named("out", &out);
        // The wire cannot tell an empty list from an absent one.
        let scores = match scores.as_slice() {
            [] => Some(defaults::scores()),
            names => fields.repeated_named("scores", names),
        };
        fields.finish(|| Some(Self { out: out?, images, scores: scores? }))
    }
}
