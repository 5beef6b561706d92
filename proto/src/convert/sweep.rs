//! The sweep document, and its variants.

use domain::{
    Digest,
    fleet::MAX_LABELS,
    spec::{Violations, Workload},
    sweep::{ExecutionSpec, SweepSpec, Variant},
};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for SweepSpec {
    type Wire = v1::SweepSpec;

    fn to_wire(&self) -> v1::SweepSpec {
        let Self { name, description, seeds, base, expansion, execution, early_stopping, budget } = self;
        v1::SweepSpec {
            name: name.clone(),
            description: description.clone(),
            seeds: seeds.clone(),
            base: Some(base.to_wire()),
            expansion: Some(expansion.to_wire()),
            execution: Some(execution.to_wire()),
            early_stopping: early_stopping.as_ref().map(ToWire::to_wire),
            budget: budget.as_ref().map(ToWire::to_wire),
        }
    }
}

impl FromWire for SweepSpec {
    type Wire = v1::SweepSpec;

    /// Name, description and seeds are taken as they are: the rules check them with the rest of the document.
    fn from_wire(wire: v1::SweepSpec, at: &str) -> Result<Self, Violations> {
        let v1::SweepSpec { name, description, seeds, base, expansion, execution, early_stopping, budget } = wire;
        let mut fields = Fields::at(at);
        let base = fields.required("base", base);
        let expansion = fields.optional("expansion", expansion);
        let execution = fields.optional("execution", execution);
        let early_stopping = fields.optional("early_stopping", early_stopping);
        let budget = fields.optional("budget", budget);
        fields.finish(|| {
            Some(Self {
                name,
                description,
                seeds,
                base: base?,
                expansion: expansion?.unwrap_or_default(),
                execution: execution?.unwrap_or_default(),
                early_stopping: early_stopping?,
                budget: budget?,
            })
        })
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
            preemptible,
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
            preemptible: Some(*preemptible),
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
            preemptible,
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
                preemptible: preemptible.unwrap_or(default.preemptible),
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
