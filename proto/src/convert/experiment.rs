//! The experiment document.

use domain::spec::{
    AdamSpec, DataSpec, EvaluationSpec, ExperimentSpec, MaskScheme, ModelSpec, OptimiserSpec, RealNvpSpec, ResnetSpec,
    RmsPropSpec, StNetworkSpec, TrainingSpec, Violations, defaults,
};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for ExperimentSpec {
    type Wire = v1::ExperimentSpec;

    fn to_wire(&self) -> v1::ExperimentSpec {
        let Self { model, data, training, evaluation, inspection } = self;
        v1::ExperimentSpec {
            model: Some(model.to_wire()),
            data: Some(data.to_wire()),
            training: Some(training.to_wire()),
            evaluation: Some(evaluation.to_wire()),
            inspection: inspection.as_ref().map(ToWire::to_wire),
        }
    }
}

impl FromWire for ExperimentSpec {
    type Wire = v1::ExperimentSpec;

    fn from_wire(wire: v1::ExperimentSpec, at: &str) -> Result<Self, Violations> {
        let v1::ExperimentSpec { model, data, training, evaluation, inspection } = wire;
        let mut fields = Fields::at(at);
        let model = fields.required("model", model);
        let data = fields.required("data", data);
        let training = fields.required("training", training);
        let evaluation = fields.required("evaluation", evaluation);
        let inspection = fields.optional("inspection", inspection);
        fields.finish(|| {
            Some(Self {
                model: model?,
                data: data?,
                training: training?,
                evaluation: evaluation?,
                inspection: inspection?,
            })
        })
    }
}

impl ToWire for ModelSpec {
    type Wire = v1::ModelSpec;

    fn to_wire(&self) -> v1::ModelSpec {
        let architecture = match self {
            Self::RealNvp(realnvp) => v1::model_spec::Architecture::Realnvp(realnvp.to_wire()),
        };
        v1::ModelSpec { architecture: Some(architecture) }
    }
}

impl FromWire for ModelSpec {
    type Wire = v1::ModelSpec;

    fn from_wire(wire: v1::ModelSpec, at: &str) -> Result<Self, Violations> {
        let v1::ModelSpec { architecture } = wire;
        match architecture {
            None => Err(Violations::one(at, "missing: realnvp expected")),
            Some(v1::model_spec::Architecture::Realnvp(realnvp)) => {
                RealNvpSpec::from_wire(realnvp, &Fields::at(at).path("realnvp")).map(Self::RealNvp)
            }
        }
    }
}

impl ToWire for RealNvpSpec {
    type Wire = v1::RealNvpSpec;

    fn to_wire(&self) -> v1::RealNvpSpec {
        let Self { mask, scales, couplings, st_network } = self;
        v1::RealNvpSpec {
            mask: mask.to_wire(),
            scales: *scales,
            couplings: *couplings,
            st_network: Some(st_network.to_wire()),
        }
    }
}

impl FromWire for RealNvpSpec {
    type Wire = v1::RealNvpSpec;

    fn from_wire(wire: v1::RealNvpSpec, at: &str) -> Result<Self, Violations> {
        let v1::RealNvpSpec { mask, scales, couplings, st_network } = wire;
        let mut fields = Fields::at(at);
        let mask = fields.plain("mask", mask);
        let st_network = fields.required("st_network", st_network);
        fields.finish(|| Some(Self { mask: mask?, scales, couplings, st_network: st_network? }))
    }
}

impl ToWire for MaskScheme {
    type Wire = i32;

    fn to_wire(&self) -> i32 {
        let scheme = match self {
            Self::Checkerboard => v1::MaskScheme::Checkerboard,
            Self::Horizontal => v1::MaskScheme::Horizontal,
            Self::Cycle => v1::MaskScheme::Cycle,
        };
        scheme.into()
    }
}

impl FromWire for MaskScheme {
    type Wire = i32;

    fn from_wire(wire: i32, at: &str) -> Result<Self, Violations> {
        let known = Self::ALL.map(Self::as_str).join(", ");
        match v1::MaskScheme::try_from(wire) {
            Ok(v1::MaskScheme::Checkerboard) => Ok(Self::Checkerboard),
            Ok(v1::MaskScheme::Horizontal) => Ok(Self::Horizontal),
            Ok(v1::MaskScheme::Cycle) => Ok(Self::Cycle),
            Ok(v1::MaskScheme::Unspecified) => Err(Violations::one(at, format!("missing: one of {known} expected"))),
            Err(_) => Err(Violations::one(at, format!("unknown mask scheme {wire}: one of {known} expected"))),
        }
    }
}

impl ToWire for StNetworkSpec {
    type Wire = v1::StNetworkSpec;

    fn to_wire(&self) -> v1::StNetworkSpec {
        let kind = match self {
            Self::Resnet(resnet) => v1::st_network_spec::Kind::Resnet(resnet.to_wire()),
        };
        v1::StNetworkSpec { kind: Some(kind) }
    }
}

impl FromWire for StNetworkSpec {
    type Wire = v1::StNetworkSpec;

    fn from_wire(wire: v1::StNetworkSpec, at: &str) -> Result<Self, Violations> {
        let v1::StNetworkSpec { kind } = wire;
        match kind {
            None => Err(Violations::one(at, "missing: resnet expected")),
            Some(v1::st_network_spec::Kind::Resnet(resnet)) => {
                ResnetSpec::from_wire(resnet, &Fields::at(at).path("resnet")).map(Self::Resnet)
            }
        }
    }
}

impl ToWire for ResnetSpec {
    type Wire = v1::ResnetSpec;

    fn to_wire(&self) -> v1::ResnetSpec {
        let Self { width, blocks, batch_norm, skip } = *self;
        v1::ResnetSpec { width, blocks, batch_norm: Some(batch_norm), skip: Some(skip) }
    }
}

impl FromWire for ResnetSpec {
    type Wire = v1::ResnetSpec;

    /// Takes width and blocks as they are: the rules refuse 0, which also stands for absent.
    fn from_wire(wire: v1::ResnetSpec, _at: &str) -> Result<Self, Violations> {
        let v1::ResnetSpec { width, blocks, batch_norm, skip } = wire;
        Ok(Self {
            width,
            blocks,
            batch_norm: batch_norm.unwrap_or_else(defaults::batch_norm),
            skip: skip.unwrap_or_else(defaults::skip),
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
