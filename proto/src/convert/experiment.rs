//! The experiment document.

use domain::spec::{
    DataSpec, EvaluationSpec, ExperimentSpec, MaskScheme, ModelSpec, RealNvpSpec, ResnetSpec, StNetworkSpec,
    Violations, defaults,
};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for ExperimentSpec {
    type Wire = v1::ExperimentSpec;

    fn to_wire(&self) -> v1::ExperimentSpec {
        let Self { model, data, training, evaluation } = self;
        v1::ExperimentSpec {
            model: Some(model.to_wire()),
            data: Some(data.to_wire()),
            training: Some(training.to_wire()),
            evaluation: Some(evaluation.to_wire()),
        }
    }
}

impl FromWire for ExperimentSpec {
    type Wire = v1::ExperimentSpec;

    fn from_wire(wire: v1::ExperimentSpec, at: &str) -> Result<Self, Violations> {
        let v1::ExperimentSpec { model, data, training, evaluation } = wire;
        let mut fields = Fields::at(at);
        let model = fields.required("model", model);
        let data = fields.required("data", data);
        let training = fields.required("training", training);
        let evaluation = fields.required("evaluation", evaluation);
        fields.finish(|| Some(Self { model: model?, data: data?, training: training?, evaluation: evaluation? }))
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
