//! Masks: a scheme, or one mask for each coupling layer.

use domain::spec::{
    CentreSpec, CouplingMask, MaskOrder, MaskScheme, MaskSpec, QuadrantPair, SubQuadrantSpec, Violations,
};

use super::{Fields, FromWire, ToWire, unknown};
use crate::v1;

/// The wire's two fields.
pub(super) fn to_wire(mask: &MaskSpec) -> (i32, Vec<v1::CouplingMask>) {
    match mask {
        MaskSpec::Scheme(scheme) => (scheme.to_wire(), Vec::new()),
        MaskSpec::List(masks) => (v1::MaskScheme::Unspecified.into(), masks.to_wire()),
    }
}

/// Refusals name the field `mask`, as in a sweep file.
pub(super) fn from_wire(scheme: i32, masks: Vec<v1::CouplingMask>, fields: &mut Fields) -> Option<MaskSpec> {
    if masks.is_empty() {
        return fields.plain("mask", scheme).map(MaskSpec::Scheme);
    }
    if scheme != i32::from(v1::MaskScheme::Unspecified) {
        fields.refuse("mask", "a scheme and a list of masks: one of them expected");
    }
    fields.repeated("mask", masks).map(MaskSpec::List)
}

impl ToWire for MaskScheme {
    type Wire = i32;

    fn to_wire(&self) -> i32 {
        let scheme = match self {
            Self::Checkerboard => v1::MaskScheme::Checkerboard,
            Self::Horizontal => v1::MaskScheme::Horizontal,
            Self::Vertical => v1::MaskScheme::Vertical,
            Self::Cycle => v1::MaskScheme::Cycle,
            Self::SubQuadrant => v1::MaskScheme::SubQuadrant,
            Self::Centre => v1::MaskScheme::Centre,
        };
        scheme.into()
    }
}

impl FromWire for MaskScheme {
    type Wire = i32;

    fn from_wire(wire: i32, at: &str) -> Result<Self, Violations> {
        let known = Self::ALL.map(Self::as_str);
        match v1::MaskScheme::try_from(wire) {
            Ok(v1::MaskScheme::Checkerboard) => Ok(Self::Checkerboard),
            Ok(v1::MaskScheme::Horizontal) => Ok(Self::Horizontal),
            Ok(v1::MaskScheme::Vertical) => Ok(Self::Vertical),
            Ok(v1::MaskScheme::Cycle) => Ok(Self::Cycle),
            Ok(v1::MaskScheme::SubQuadrant) => Ok(Self::SubQuadrant),
            Ok(v1::MaskScheme::Centre) => Ok(Self::Centre),
            Ok(v1::MaskScheme::Unspecified) => {
                Err(Violations::one(at, format!("missing: one of {} expected, or a list of masks", known.join(", "))))
            }
            Err(_) => Err(unknown("mask scheme", wire, at, &known)),
        }
    }
}

impl ToWire for CouplingMask {
    type Wire = v1::CouplingMask;

    fn to_wire(&self) -> v1::CouplingMask {
        use v1::coupling_mask::Kind;
        let kind = match *self {
            Self::Checkerboard(order) => Kind::Checkerboard(order.to_wire()),
            Self::Horizontal(order) => Kind::Horizontal(order.to_wire()),
            Self::Vertical(order) => Kind::Vertical(order.to_wire()),
            Self::Quadrants(QuadrantPair { from, to }) => Kind::Quadrants(v1::QuadrantPair { from, to }),
            Self::SubQuadrant(SubQuadrantSpec { factor, from, to }) => {
                Kind::SubQuadrant(v1::SubQuadrantSpec { factor, from, to })
            }
            Self::Centre(CentreSpec { margin }) => Kind::Centre(v1::CentreSpec { margin: Some(margin) }),
        };
        v1::CouplingMask { kind: Some(kind) }
    }
}

impl FromWire for CouplingMask {
    type Wire = v1::CouplingMask;

    /// Takes quadrants, factors and margins as they are: the rules check them against the images.
    fn from_wire(wire: v1::CouplingMask, at: &str) -> Result<Self, Violations> {
        use v1::coupling_mask::Kind;
        let v1::CouplingMask { kind } = wire;
        let path = |name| Fields::at(at).path(name);
        match kind {
            None => Err(Violations::one(
                at,
                "missing: one of checkerboard, horizontal, vertical, quadrants, sub_quadrant, centre expected",
            )),
            Some(Kind::Checkerboard(order)) => {
                MaskOrder::from_wire(order, &path("checkerboard")).map(Self::Checkerboard)
            }
            Some(Kind::Horizontal(order)) => MaskOrder::from_wire(order, &path("horizontal")).map(Self::Horizontal),
            Some(Kind::Vertical(order)) => MaskOrder::from_wire(order, &path("vertical")).map(Self::Vertical),
            Some(Kind::Quadrants(v1::QuadrantPair { from, to })) => Ok(Self::Quadrants(QuadrantPair { from, to })),
            Some(Kind::SubQuadrant(v1::SubQuadrantSpec { factor, from, to })) => {
                Ok(Self::SubQuadrant(SubQuadrantSpec { factor, from, to }))
            }
            Some(Kind::Centre(v1::CentreSpec { margin })) => {
                Ok(Self::Centre(margin.map_or_else(CentreSpec::default, |margin| CentreSpec { margin })))
            }
        }
    }
}

impl ToWire for MaskOrder {
    type Wire = i32;

    fn to_wire(&self) -> i32 {
        let order = match self {
            Self::Plain => v1::MaskOrder::Plain,
            Self::Reversed => v1::MaskOrder::Reversed,
        };
        order.into()
    }
}

impl FromWire for MaskOrder {
    type Wire = i32;

    fn from_wire(wire: i32, at: &str) -> Result<Self, Violations> {
        match v1::MaskOrder::try_from(wire) {
            Ok(v1::MaskOrder::Unspecified | v1::MaskOrder::Plain) => Ok(Self::Plain),
            Ok(v1::MaskOrder::Reversed) => Ok(Self::Reversed),
            Err(_) => Err(unknown("mask order", wire, at, &["plain", "reversed"])),
        }
    }
}
