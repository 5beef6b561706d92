//! The flow of an experiment.

mod masks;
mod st_networks;
mod transforms;

use domain::spec::{
    GlowSpec, ModelSpec, ParitySpec, RealNvpSpec, SplitPriorSpec, SqueezeSpec, TabularSpec, Violations, defaults,
};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for ModelSpec {
    type Wire = v1::ModelSpec;

    fn to_wire(&self) -> v1::ModelSpec {
        let architecture = match self {
            Self::RealNvp(realnvp) => v1::model_spec::Architecture::Realnvp(realnvp.to_wire()),
            Self::Glow(glow) => v1::model_spec::Architecture::Glow(glow.to_wire()),
            Self::Tabular(tabular) => v1::model_spec::Architecture::Tabular(tabular.to_wire()),
        };
        v1::ModelSpec { architecture: Some(architecture) }
    }
}

impl FromWire for ModelSpec {
    type Wire = v1::ModelSpec;

    fn from_wire(wire: v1::ModelSpec, at: &str) -> Result<Self, Violations> {
        let v1::ModelSpec { architecture } = wire;
        let path = |name| Fields::at(at).path(name);
        match architecture {
            None => Err(Violations::one(at, format!("missing: one of {} expected", Self::NAMES.join(", ")))),
            Some(v1::model_spec::Architecture::Realnvp(realnvp)) => {
                RealNvpSpec::from_wire(realnvp, &path("realnvp")).map(Self::RealNvp)
            }
            Some(v1::model_spec::Architecture::Glow(glow)) => GlowSpec::from_wire(glow, &path("glow")).map(Self::Glow),
            Some(v1::model_spec::Architecture::Tabular(tabular)) => {
                TabularSpec::from_wire(tabular, &path("tabular")).map(Self::Tabular)
            }
        }
    }
}

impl ToWire for RealNvpSpec {
    type Wire = v1::RealNvpSpec;

    fn to_wire(&self) -> v1::RealNvpSpec {
        let Self { mask, scales, couplings, st_network, transform, squeeze, split_prior } = self;
        let (mask, masks) = masks::to_wire(mask);
        v1::RealNvpSpec {
            mask,
            scales: *scales,
            couplings: *couplings,
            st_network: Some(st_network.to_wire()),
            masks,
            transform: Some(transform.to_wire()),
            squeeze: squeeze.to_wire(),
            split_prior: split_prior.to_wire(),
        }
    }
}

impl FromWire for RealNvpSpec {
    type Wire = v1::RealNvpSpec;

    fn from_wire(wire: v1::RealNvpSpec, at: &str) -> Result<Self, Violations> {
        let v1::RealNvpSpec { mask, scales, couplings, st_network, masks, transform, squeeze, split_prior } = wire;
        let mut fields = Fields::at(at);
        let mask = masks::from_wire(mask, masks, &mut fields);
        let st_network = fields.required("st_network", st_network);
        let transform = fields.optional("transform", transform);
        let squeeze = fields.plain("squeeze", squeeze);
        let split_prior = fields.plain("split_prior", split_prior);
        fields.finish(|| {
            Some(Self {
                mask: mask?,
                scales,
                couplings,
                st_network: st_network?,
                transform: transform?.unwrap_or_default(),
                squeeze: squeeze?,
                split_prior: split_prior?,
            })
        })
    }
}

impl ToWire for GlowSpec {
    type Wire = v1::GlowSpec;

    fn to_wire(&self) -> v1::GlowSpec {
        let Self { scales, steps, multi_scale, st_network, convolution, transform, squeeze, split_prior } = self;
        v1::GlowSpec {
            scales: Some(*scales),
            steps: Some(*steps),
            multi_scale: Some(*multi_scale),
            st_network: Some(st_network.to_wire()),
            convolution: Some(convolution.to_wire()),
            transform: Some(transform.to_wire()),
            squeeze: squeeze.to_wire(),
            split_prior: split_prior.to_wire(),
        }
    }
}

impl FromWire for GlowSpec {
    type Wire = v1::GlowSpec;

    fn from_wire(wire: v1::GlowSpec, at: &str) -> Result<Self, Violations> {
        let v1::GlowSpec { scales, steps, multi_scale, st_network, convolution, transform, squeeze, split_prior } =
            wire;
        let mut fields = Fields::at(at);
        let st_network = fields.required("st_network", st_network);
        let convolution = fields.optional("convolution", convolution);
        let transform = fields.optional("transform", transform);
        let squeeze = fields.plain("squeeze", squeeze);
        let split_prior = fields.plain("split_prior", split_prior);
        fields.finish(|| {
            Some(Self {
                scales: scales.unwrap_or_else(defaults::glow_scales),
                steps: steps.unwrap_or_else(defaults::glow_steps),
                multi_scale: multi_scale.unwrap_or_else(defaults::multi_scale),
                st_network: st_network?,
                convolution: convolution?.unwrap_or_default(),
                transform: transform?.unwrap_or_default(),
                squeeze: squeeze?,
                split_prior: split_prior?,
            })
        })
    }
}

impl ToWire for TabularSpec {
    type Wire = v1::TabularSpec;

    fn to_wire(&self) -> v1::TabularSpec {
        let Self { couplings, transform, st_network } = self;
        v1::TabularSpec {
            couplings: Some(*couplings),
            transform: Some(transform.to_wire()),
            st_network: Some(st_network.to_wire()),
        }
    }
}

impl FromWire for TabularSpec {
    type Wire = v1::TabularSpec;

    fn from_wire(wire: v1::TabularSpec, at: &str) -> Result<Self, Violations> {
        let v1::TabularSpec { couplings, transform, st_network } = wire;
        let mut fields = Fields::at(at);
        let transform = fields.optional("transform", transform);
        let st_network = fields.required("st_network", st_network);
        fields.finish(|| {
            Some(Self {
                couplings: couplings.unwrap_or_else(defaults::couplings),
                transform: transform?.unwrap_or_default(),
                st_network: st_network?,
            })
        })
    }
}

impl ToWire for ParitySpec {
    type Wire = i32;

    fn to_wire(&self) -> i32 {
        let parity = match self {
            Self::Corrected => v1::Parity::Corrected,
            Self::FlowsOod => v1::Parity::FlowsOod,
        };
        parity.into()
    }
}

impl FromWire for ParitySpec {
    type Wire = i32;

    fn from_wire(wire: i32, at: &str) -> Result<Self, Violations> {
        match v1::Parity::try_from(wire) {
            Ok(v1::Parity::Unspecified | v1::Parity::Corrected) => Ok(Self::Corrected),
            Ok(v1::Parity::FlowsOod) => Ok(Self::FlowsOod),
            Err(_) => Err(unknown("parity", wire, at, &Self::ALL.map(Self::as_str))),
        }
    }
}

impl ToWire for SqueezeSpec {
    type Wire = i32;

    fn to_wire(&self) -> i32 {
        let squeeze = match self {
            Self::Pixels => v1::Squeeze::Pixels,
            Self::Haar => v1::Squeeze::Haar,
        };
        squeeze.into()
    }
}

impl FromWire for SqueezeSpec {
    type Wire = i32;

    fn from_wire(wire: i32, at: &str) -> Result<Self, Violations> {
        match v1::Squeeze::try_from(wire) {
            Ok(v1::Squeeze::Unspecified | v1::Squeeze::Pixels) => Ok(Self::Pixels),
            Ok(v1::Squeeze::Haar) => Ok(Self::Haar),
            Err(_) => Err(unknown("squeeze", wire, at, &Self::ALL.map(Self::as_str))),
        }
    }
}

impl ToWire for SplitPriorSpec {
    type Wire = i32;

    fn to_wire(&self) -> i32 {
        let prior = match self {
            Self::Standard => v1::SplitPrior::Standard,
            Self::Learned => v1::SplitPrior::Learned,
        };
        prior.into()
    }
}

impl FromWire for SplitPriorSpec {
    type Wire = i32;

    fn from_wire(wire: i32, at: &str) -> Result<Self, Violations> {
        match v1::SplitPrior::try_from(wire) {
            Ok(v1::SplitPrior::Unspecified | v1::SplitPrior::Standard) => Ok(Self::Standard),
            Ok(v1::SplitPrior::Learned) => Ok(Self::Learned),
            Err(_) => Err(unknown("split prior", wire, at, &Self::ALL.map(Self::as_str))),
        }
    }
}

/// The refusal of an enum's number that this version does not know.
fn unknown(what: &str, number: i32, at: &str, known: &[&str]) -> Violations {
    Violations::one(at, format!("unknown {what} {number}: one of {} expected", known.join(", ")))
}
