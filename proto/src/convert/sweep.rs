//! The sweep document, and its variants.

use domain::{
    Digest,
    fleet::MAX_LABELS,
    spec::{Violations, Workload},
    sweep::{Axis, ExecutionSpec, Expansion, Grid, List, Random, SweepSpec, Variant},
};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for SweepSpec {
    type Wire = v1::SweepSpec;

    fn to_wire(&self) -> v1::SweepSpec {
        let Self { name, description, seeds, base, expansion, execution } = self;
        v1::SweepSpec {
            name: name.clone(),
            description: description.clone(),
            seeds: seeds.clone(),
            base: Some(base.to_wire()),
            expansion: Some(expansion.to_wire()),
            execution: Some(execution.to_wire()),
        }
    }
}

impl FromWire for SweepSpec {
    type Wire = v1::SweepSpec;

    /// Name, description and seeds are taken as they are: the rules check them with the rest of the document.
    fn from_wire(wire: v1::SweepSpec, at: &str) -> Result<Self, Violations> {
        let v1::SweepSpec { name, description, seeds, base, expansion, execution } = wire;
        let mut fields = Fields::at(at);
        let base = fields.required("base", base);
        let expansion = fields.optional("expansion", expansion);
        let execution = fields.optional("execution", execution);
        fields.finish(|| {
            Some(Self {
                name,
                description,
                seeds,
                base: base?,
                expansion: expansion?.unwrap_or_default(),
                execution: execution?.unwrap_or_default(),
            })
        })
    }
}

impl ToWire for Expansion {
    type Wire = v1::Expansion;

    fn to_wire(&self) -> v1::Expansion {
        let kind = match self {
            Self::Grid(grid) => v1::expansion::Kind::Grid(grid.to_wire()),
            Self::List(list) => v1::expansion::Kind::List(list.to_wire()),
            Self::Random(random) => v1::expansion::Kind::Random(random.to_wire()),
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
            None => Err(Violations::one(at, "missing: one of grid, list, random expected")),
            Some(v1::expansion::Kind::Grid(grid)) => Grid::from_wire(grid, &fields.path("grid")).map(Self::Grid),
            Some(v1::expansion::Kind::List(list)) => List::from_wire(list, &fields.path("list")).map(Self::List),
            Some(v1::expansion::Kind::Random(random)) => {
                Random::from_wire(random, &fields.path("random")).map(Self::Random)
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

impl ToWire for Random {
    type Wire = v1::RandomSample;

    fn to_wire(&self) -> v1::RandomSample {
        let Self { axes, draws, seed } = self;
        v1::RandomSample { axes: axes.to_wire(), draws: *draws, seed: *seed }
    }
}

impl FromWire for Random {
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
        let Self { field, values } = self;
        v1::Axis { field: field.clone(), values: values.to_wire() }
    }
}

impl FromWire for Axis {
    type Wire = v1::Axis;

    fn from_wire(wire: v1::Axis, at: &str) -> Result<Self, Violations> {
        let v1::Axis { field, values } = wire;
        let mut fields = Fields::at(at);
        let values = fields.repeated("values", values);
        fields.finish(|| Some(Self { field, values: values? }))
    }
}

impl ToWire for ExecutionSpec {
    type Wire = v1::ExecutionSpec;

    fn to_wire(&self) -> v1::ExecutionSpec {
        let Self {
            priority,
            checkpoint_secs,
            device,
            max_failures,
            max_infrastructure_failures,
            max_crashes,
            weight,
            max_running,
            memory_mib,
            labels,
        } = self;
        v1::ExecutionSpec {
            priority: Some((*priority).into()),
            checkpoint_secs: Some(*checkpoint_secs),
            device: Some(device.as_str().to_owned()),
            max_failures: Some((*max_failures).into()),
            max_infrastructure_failures: Some((*max_infrastructure_failures).into()),
            max_crashes: Some((*max_crashes).into()),
            weight: Some((*weight).into()),
            max_running: *max_running,
            memory_mib: Some(*memory_mib),
            labels: labels.iter().map(ToString::to_string).collect(),
        }
    }
}

impl FromWire for ExecutionSpec {
    type Wire = v1::ExecutionSpec;

    fn from_wire(wire: v1::ExecutionSpec, at: &str) -> Result<Self, Violations> {
        let v1::ExecutionSpec {
            priority,
            checkpoint_secs,
            device,
            max_failures,
            max_infrastructure_failures,
            max_crashes,
            weight,
            max_running,
            memory_mib,
            labels,
        } = wire;
        let default = Self::default();
        let mut fields = Fields::at(at);
        let priority = match priority {
            None => Some(default.priority),
            Some(given) => fields.within("priority", given, &Self::PRIORITIES),
        };
        let device = match device {
            None => Some(default.device),
            Some(name) => fields.named("device", &name),
        };
        let mut limit = |field, given: Option<u32>, allowed, otherwise| match given {
            None => Some(otherwise),
            Some(given) => fields.within(field, given, &allowed),
        };
        let failures = limit("max_failures", max_failures, Self::FAILURES, default.max_failures);
        let infrastructure = limit(
            "max_infrastructure_failures",
            max_infrastructure_failures,
            Self::INFRASTRUCTURE_FAILURES,
            default.max_infrastructure_failures,
        );
        let crashes = limit("max_crashes", max_crashes, Self::CRASHES, default.max_crashes);
        let weight = limit("weight", weight, Self::WEIGHTS, default.weight);
        let labels = fields.at_most("labels", labels, MAX_LABELS);
        let labels = labels.and_then(|labels| fields.repeated_named("labels", &labels));
        fields.finish(|| {
            Some(Self {
                priority: priority?,
                checkpoint_secs: checkpoint_secs.unwrap_or(default.checkpoint_secs),
                device: device?,
                max_failures: failures?,
                max_infrastructure_failures: infrastructure?,
                max_crashes: crashes?,
                weight: weight?,
                max_running,
                memory_mib: memory_mib.unwrap_or(default.memory_mib),
                labels: labels?.into_iter().collect(),
            })
        })
    }
}

impl ToWire for Variant {
    type Wire = v1::VariantSummary;

    fn to_wire(&self) -> v1::VariantSummary {
        let Self { label, fingerprint, spec } = self;
        v1::VariantSummary {
            label: label.clone(),
            fingerprint: fingerprint.to_string(),
            spec: Some(spec.to_wire()),
            // A variant comes from an expansion, which refuses documents that describe no flow.
            workload: spec.workload("base").ok().map(|workload| workload.to_wire()),
        }
    }
}

impl ToWire for Workload {
    type Wire = v1::Workload;

    fn to_wire(&self) -> v1::Workload {
        let Self { couplings, parameters, gains, examples_per_epoch, steps_per_epoch, epochs, flops_per_step, flops } =
            *self;
        v1::Workload {
            couplings,
            parameters,
            gains,
            examples_per_epoch,
            steps_per_epoch,
            epochs,
            flops_per_step,
            flops,
        }
    }
}

impl FromWire for Workload {
    type Wire = v1::Workload;

    fn from_wire(wire: v1::Workload, at: &str) -> Result<Self, Violations> {
        let v1::Workload {
            couplings,
            parameters,
            gains,
            examples_per_epoch,
            steps_per_epoch,
            epochs,
            flops_per_step,
            flops,
        } = wire;
        let mut fields = Fields::at(at);
        let epochs = fields.finite_or_absent("epochs", epochs);
        fields.finish(|| {
            Some(Self {
                couplings,
                parameters,
                gains,
                examples_per_epoch,
                steps_per_epoch,
                epochs: epochs?,
                flops_per_step,
                flops,
            })
        })
    }
}

impl FromWire for Variant {
    type Wire = v1::VariantSummary;

    fn from_wire(wire: v1::VariantSummary, at: &str) -> Result<Self, Violations> {
        // The workload follows from the document.
        let v1::VariantSummary { label, fingerprint, spec, workload: _ } = wire;
        let mut fields = Fields::at(at);
        let fingerprint = fields.named::<Digest>("fingerprint", &fingerprint);
        let spec = fields.required("spec", spec);
        fields.finish(|| Some(Self { label, fingerprint: fingerprint?, spec: spec? }))
    }
}
