//! What coupling layers and 1x1 convolutions do.

use domain::spec::{ConvolutionSpec, HouseholderSpec, SplineSpec, TransformSpec, Violations, defaults};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for TransformSpec {
    type Wire = v1::TransformSpec;

    fn to_wire(&self) -> v1::TransformSpec {
        use v1::transform_spec::Kind;
        let kind = match *self {
            Self::Affine => Kind::Affine(v1::AffineSpec {}),
            Self::Additive => Kind::Additive(v1::AdditiveSpec {}),
            Self::Spline(SplineSpec { bins, bound }) => {
                Kind::Spline(v1::SplineSpec { bins: Some(bins), bound: Some(bound) })
            }
        };
        v1::TransformSpec { kind: Some(kind) }
    }
}

impl FromWire for TransformSpec {
    type Wire = v1::TransformSpec;

    fn from_wire(wire: v1::TransformSpec, at: &str) -> Result<Self, Violations> {
        use v1::transform_spec::Kind;
        let v1::TransformSpec { kind } = wire;
        match kind {
            None => Err(Violations::one(at, "missing: one of affine, additive, spline expected")),
            Some(Kind::Affine(v1::AffineSpec {})) => Ok(Self::Affine),
            Some(Kind::Additive(v1::AdditiveSpec {})) => Ok(Self::Additive),
            Some(Kind::Spline(spline)) => {
                SplineSpec::from_wire(spline, &Fields::at(at).path("spline")).map(Self::Spline)
            }
        }
    }
}

impl FromWire for SplineSpec {
    type Wire = v1::SplineSpec;

    fn from_wire(wire: v1::SplineSpec, at: &str) -> Result<Self, Violations> {
        let v1::SplineSpec { bins, bound } = wire;
        let mut fields = Fields::at(at);
        let bound = fields.finite("bound", bound.unwrap_or_else(defaults::spline_bound));
        fields.finish(|| Some(Self { bins: bins.unwrap_or_else(defaults::spline_bins), bound: bound? }))
    }
}

impl ToWire for ConvolutionSpec {
    type Wire = v1::ConvolutionSpec;

    fn to_wire(&self) -> v1::ConvolutionSpec {
        use v1::convolution_spec::Kind;
        let kind = match *self {
            Self::Full => Kind::Full(v1::FullSpec {}),
            Self::Lu => Kind::Lu(v1::LuSpec {}),
            Self::Householder(HouseholderSpec { reflections }) => {
                Kind::Householder(v1::HouseholderSpec { reflections })
            }
        };
        v1::ConvolutionSpec { kind: Some(kind) }
    }
}

impl FromWire for ConvolutionSpec {
    type Wire = v1::ConvolutionSpec;

    fn from_wire(wire: v1::ConvolutionSpec, at: &str) -> Result<Self, Violations> {
        use v1::convolution_spec::Kind;
        let v1::ConvolutionSpec { kind } = wire;
        match kind {
            None => Err(Violations::one(at, "missing: one of full, lu, householder expected")),
            Some(Kind::Full(v1::FullSpec {})) => Ok(Self::Full),
            Some(Kind::Lu(v1::LuSpec {})) => Ok(Self::Lu),
            Some(Kind::Householder(v1::HouseholderSpec { reflections })) => {
                Ok(Self::Householder(HouseholderSpec { reflections }))
            }
        }
    }
}
