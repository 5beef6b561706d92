//! How a sweep's variants arise: grids, lists, samples and their axes.

use domain::{
    spec::Violations,
    sweep::{Axis, Expansion, Grid, List, Range, Sample, Scale},
};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for Expansion {
    type Wire = v1::Expansion;

    fn to_wire(&self) -> v1::Expansion {
        let kind = match self {
            Self::Grid(grid) => v1::expansion::Kind::Grid(grid.to_wire()),
            Self::List(list) => v1::expansion::Kind::List(list.to_wire()),
            Self::Random(sample) => v1::expansion::Kind::Random(sample.to_wire()),
            Self::Sobol(sample) => v1::expansion::Kind::Sobol(sample.to_wire()),
        };
        v1::Expansion { kind: Some(kind) }
    }
}

impl FromWire for Expansion {
    type Wire = v1::Expansion;

    fn from_wire(wire: v1::Expansion, at: &str) -> Result<Self, Violations> {
        let v1::Expansion { kind } = wire;
        let fields = Fields::at(at);
        match kind {
            None => Err(Violations::one(at, "missing: one of grid, list, random, sobol expected")),
            Some(v1::expansion::Kind::Grid(grid)) => Grid::from_wire(grid, &fields.path("grid")).map(Self::Grid),
            Some(v1::expansion::Kind::List(list)) => List::from_wire(list, &fields.path("list")).map(Self::List),
            Some(v1::expansion::Kind::Random(sample)) => {
                Sample::from_wire(sample, &fields.path("random")).map(Self::Random)
            }
            Some(v1::expansion::Kind::Sobol(sample)) => {
                Sample::from_wire(sample, &fields.path("sobol")).map(Self::Sobol)
            }
        }
    }
}

impl ToWire for Grid {
    type Wire = v1::Grid;

    fn to_wire(&self) -> v1::Grid {
        let Self { axes } = self;
        v1::Grid { axes: axes.to_wire() }
    }
}

impl FromWire for Grid {
    type Wire = v1::Grid;

    fn from_wire(wire: v1::Grid, at: &str) -> Result<Self, Violations> {
        let v1::Grid { axes } = wire;
        let mut fields = Fields::at(at);
        let axes = fields.repeated("axes", axes);
        fields.finish(|| Some(Self { axes: axes? }))
    }
}

impl ToWire for List {
    type Wire = v1::PointList;

    fn to_wire(&self) -> v1::PointList {
        let Self { points } = self;
        v1::PointList { points: points.to_wire() }
    }
}

impl FromWire for List {
    type Wire = v1::PointList;

    fn from_wire(wire: v1::PointList, at: &str) -> Result<Self, Violations> {
        let v1::PointList { points } = wire;
        let mut fields = Fields::at(at);
        let points = fields.repeated("points", points);
        fields.finish(|| Some(Self { points: points? }))
    }
}

impl ToWire for Sample {
    type Wire = v1::RandomSample;

    fn to_wire(&self) -> v1::RandomSample {
        let Self { axes, draws, seed } = self;
        v1::RandomSample { axes: axes.to_wire(), draws: *draws, seed: *seed }
    }
}

impl FromWire for Sample {
    type Wire = v1::RandomSample;

    fn from_wire(wire: v1::RandomSample, at: &str) -> Result<Self, Violations> {
        let v1::RandomSample { axes, draws, seed } = wire;
        let mut fields = Fields::at(at);
        let axes = fields.repeated("axes", axes);
        fields.finish(|| Some(Self { axes: axes?, draws, seed }))
    }
}

impl ToWire for Axis {
    type Wire = v1::Axis;

    fn to_wire(&self) -> v1::Axis {
        let Self { field, values, range } = self;
        v1::Axis { field: field.clone(), values: values.to_wire(), range: range.as_ref().map(ToWire::to_wire) }
    }
}

impl FromWire for Axis {
    type Wire = v1::Axis;

    fn from_wire(wire: v1::Axis, at: &str) -> Result<Self, Violations> {
        let v1::Axis { field, values, range } = wire;
        let mut fields = Fields::at(at);
        let values = fields.repeated("values", values);
        let range = fields.optional("range", range);
        fields.finish(|| Some(Self { field, values: values?, range: range? }))
    }
}

impl ToWire for Range {
    type Wire = v1::Range;

    fn to_wire(&self) -> v1::Range {
        let Self { low, high, scale, integer } = *self;
        v1::Range { low, high, scale: scale.as_str().to_owned(), integer }
    }
}

impl FromWire for Range {
    type Wire = v1::Range;

    fn from_wire(wire: v1::Range, at: &str) -> Result<Self, Violations> {
        let v1::Range { low, high, scale, integer } = wire;
        let mut fields = Fields::at(at);
        let low = fields.finite("low", low);
        let high = fields.finite("high", high);
        let scale = match scale.as_str() {
            "" => Some(Scale::default()),
            name => fields.named("scale", name),
        };
        fields.finish(|| Some(Self { low: low?, high: high?, scale: scale?, integer }))
    }
}
