//! Early stopping, budgets and what validation measures.

use domain::{
    report::ValidationPoint,
    spec::{ValidationSpec, Violations},
    stopping::{Asha, EarlyStopping, MedianRule, StoppingMetric},
    sweep::Budget,
};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for EarlyStopping {
    type Wire = v1::EarlyStopping;

    fn to_wire(&self) -> v1::EarlyStopping {
        let kind = match *self {
            Self::Asha(Asha { metric, min_steps, reduction_factor }) => v1::early_stopping::Kind::Asha(v1::Asha {
                metric: metric.to_string(),
                min_steps,
                reduction_factor: Some(reduction_factor),
            }),
            Self::Median(MedianRule { metric, after_steps, every_steps, min_experiments }) => {
                v1::early_stopping::Kind::Median(v1::MedianRule {
                    metric: metric.to_string(),
                    after_steps,
                    every_steps,
                    min_experiments: Some(min_experiments),
                })
            }
        };
        v1::EarlyStopping { kind: Some(kind) }
    }
}

impl FromWire for EarlyStopping {
    type Wire = v1::EarlyStopping;

    fn from_wire(wire: v1::EarlyStopping, at: &str) -> Result<Self, Violations> {
        let v1::EarlyStopping { kind } = wire;
        match kind {
            None => Err(Violations::one(at, "missing: one of asha, median expected")),
            Some(v1::early_stopping::Kind::Asha(v1::Asha { metric, min_steps, reduction_factor })) => {
                let mut fields = Fields::at(&Fields::at(at).path("asha"));
                let metric = metric_from_wire(&mut fields, &metric);
                let reduction_factor = reduction_factor.unwrap_or(Asha::REDUCTION_FACTOR);
                fields.finish(|| Some(Self::Asha(Asha { metric: metric?, min_steps, reduction_factor })))
            }
            Some(v1::early_stopping::Kind::Median(rule)) => {
                let v1::MedianRule { metric, after_steps, every_steps, min_experiments } = rule;
                let mut fields = Fields::at(&Fields::at(at).path("median"));
                let metric = metric_from_wire(&mut fields, &metric);
                let min_experiments = min_experiments.unwrap_or(MedianRule::USUAL_EXPERIMENTS);
                fields.finish(|| {
                    Some(Self::Median(MedianRule { metric: metric?, after_steps, every_steps, min_experiments }))
                })
            }
        }
    }
}

fn metric_from_wire(fields: &mut Fields, name: &str) -> Option<StoppingMetric> {
    match name {
        "" => Some(StoppingMetric::default()),
        name => fields.named("metric", name),
    }
}

impl ToWire for Budget {
    type Wire = v1::Budget;

    fn to_wire(&self) -> v1::Budget {
        let Self { experiments, device_hours } = *self;
        v1::Budget { experiments, device_hours }
    }
}

impl FromWire for Budget {
    type Wire = v1::Budget;

    fn from_wire(wire: v1::Budget, at: &str) -> Result<Self, Violations> {
        let v1::Budget { experiments, device_hours } = wire;
        let mut fields = Fields::at(at);
        let device_hours = fields.finite_or_absent("device_hours", device_hours);
        fields.finish(|| Some(Self { experiments, device_hours: device_hours? }))
    }
}

impl ToWire for ValidationSpec {
    type Wire = v1::ValidationSpec;

    fn to_wire(&self) -> v1::ValidationSpec {
        let Self { every_steps, examples, ref out } = *self;
        let out = out.as_ref().map(ToString::to_string).unwrap_or_default();
        v1::ValidationSpec { every_steps, examples, out }
    }
}

impl FromWire for ValidationSpec {
    type Wire = v1::ValidationSpec;

    fn from_wire(wire: v1::ValidationSpec, at: &str) -> Result<Self, Violations> {
        let v1::ValidationSpec { every_steps, examples, out } = wire;
        let mut fields = Fields::at(at);
        let out = match out.as_str() {
            "" => Some(None),
            name => fields.named("out", name).map(Some),
        };
        fields.finish(|| Some(Self { every_steps, examples, out: out? }))
    }
}

impl ToWire for ValidationPoint {
    type Wire = v1::ValidationPoint;

    fn to_wire(&self) -> v1::ValidationPoint {
        let Self { step, bits_per_dim, auroc } = *self;
        v1::ValidationPoint { step, bits_per_dim, auroc }
    }
}

impl FromWire for ValidationPoint {
    type Wire = v1::ValidationPoint;

    fn from_wire(wire: v1::ValidationPoint, at: &str) -> Result<Self, Violations> {
        let v1::ValidationPoint { step, bits_per_dim, auroc } = wire;
        let mut fields = Fields::at(at);
        let step = fields.within("step", step, &(1..=i64::MAX.unsigned_abs()));
        let bits_per_dim = fields.finite_or_absent("bits_per_dim", bits_per_dim);
        let auroc = match fields.finite_or_absent("auroc", auroc) {
            Some(Some(auroc)) if !(0.0..=1.0).contains(&auroc) => {
                fields.refuse("auroc", format!("{auroc} is out of range: 0 to 1 allowed"));
                None
            }
            checked => checked,
        };
        fields.finish(|| Some(Self { step: step?, bits_per_dim: bits_per_dim?, auroc: auroc? }))
    }
}
