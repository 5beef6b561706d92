//! What workers report of an attempt: curves, numbers, completions and failures.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    job::FailureKind,
    report::{Completion, CurvePoint, Failure, Interval, LogLine, Measurement, Metric, Provenance, StatisticsRef},
    spec::Violations,
};

use super::{
    Fields, FromWire, ToWire, failure_message, inspection::figures_from_wire, log_text, score,
    statistics::statistics_from_wire, text_from_wire,
};
use crate::v1;

/// Sizes of a version, a device, a precision or a method, in bytes.
const LABEL_BYTES: std::ops::RangeInclusive<usize> = 1..=200;

/// Most numbers of one result: every metric of more scores than a document may list would be no more.
const MAX_MEASUREMENTS: usize = 10_000;

/// Age of a line beyond which nobody needs to know more.
const OLDEST_LINE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl ToWire for CurvePoint {
    type Wire = v1::CurvePoint;

    fn to_wire(&self) -> v1::CurvePoint {
        let Self { step, loss_nats, bits_per_dim, gradient_norm } = *self;
        v1::CurvePoint { step, loss_nats, bits_per_dim, gradient_norm }
    }
}

impl FromWire for CurvePoint {
    type Wire = v1::CurvePoint;

    fn from_wire(wire: v1::CurvePoint, at: &str) -> Result<Self, Violations> {
        let v1::CurvePoint { step, loss_nats, bits_per_dim, gradient_norm } = wire;
        let mut fields = Fields::at(at);
        let step = fields.within("step", step, &(1..=i64::MAX.unsigned_abs()));
        let loss_nats = fields.finite("loss_nats", loss_nats);
        let bits_per_dim = fields.finite("bits_per_dim", bits_per_dim);
        let gradient_norm = fields.finite("gradient_norm", gradient_norm);
        fields.finish(|| {
            Some(Self {
                step: step?,
                loss_nats: loss_nats?,
                bits_per_dim: bits_per_dim?,
                gradient_norm: gradient_norm?,
            })
        })
    }
}

impl ToWire for LogLine {
    type Wire = v1::LogLine;

    fn to_wire(&self) -> v1::LogLine {
        let Self { line, age, text } = self;
        v1::LogLine { line: *line, age_millis: u64::try_from(age.as_millis()).unwrap_or(u64::MAX), text: text.clone() }
    }
}

impl FromWire for LogLine {
    type Wire = v1::LogLine;

    fn from_wire(wire: v1::LogLine, at: &str) -> Result<Self, Violations> {
        let v1::LogLine { line, age_millis, text } = wire;
        let mut fields = Fields::at(at);
        let line = fields.within("line", line, &(1..=Self::MAX_LINES));
        let age = Duration::from_millis(age_millis).min(OLDEST_LINE);
        fields.finish(|| Some(Self { line: line?, age, text: log_text(&text) }))
    }
}

impl ToWire for Completion {
    type Wire = Option<v1::complete_request::Result>;

    fn to_wire(&self) -> Option<v1::complete_request::Result> {
        Some(match self {
            Self::Train { checkpoint, statistics, provenance } => {
                v1::complete_request::Result::Train(v1::TrainResult {
                    checkpoint: Some(checkpoint.to_wire()),
                    provenance: Some(provenance.to_wire()),
                    statistics: statistics.to_wire(),
                })
            }
            Self::Evaluate { measurements, statistics, learned, provenance } => {
                v1::complete_request::Result::Evaluate(v1::EvaluateResult {
                    measurements: measurements.to_wire(),
                    provenance: Some(provenance.to_wire()),
                    statistics: Some(statistics.to_wire()),
                    learned: learned.to_wire(),
                })
            }
            Self::Inspect { figures, provenance } => v1::complete_request::Result::Inspect(v1::InspectResult {
                figures: figures.to_wire(),
                provenance: Some(provenance.to_wire()),
            }),
            Self::Score { measurements, scores, provenance } => v1::complete_request::Result::Score(v1::ScoreResult {
                measurements: measurements.to_wire(),
                scores: scores.to_wire(),
                provenance: Some(provenance.to_wire()),
            }),
        })
    }
}

impl FromWire for Completion {
    type Wire = Option<v1::complete_request::Result>;

    /// `at` is the path of the request, which holds `train`, `evaluate`, `inspect` or `score`.
    fn from_wire(wire: Option<v1::complete_request::Result>, at: &str) -> Result<Self, Violations> {
        match wire {
            None => {
                let kinds = "missing: one of train, evaluate, inspect, score expected";
                Err(Violations::one(Fields::at(at).path("result"), kinds))
            }
            Some(v1::complete_request::Result::Train(result)) => {
                let v1::TrainResult { checkpoint, provenance, statistics } = result;
                let within = Fields::at(at).path("train");
                let mut fields = Fields::at(&within);
                let checkpoint = fields.required("checkpoint", checkpoint);
                let provenance = fields.required("provenance", provenance);
                let statistics = fields.keep(statistics_from_wire(statistics, "statistics", &within));
                fields.finish(|| {
                    Some(Self::Train { checkpoint: checkpoint?, statistics: statistics?, provenance: provenance? })
                })
            }
            Some(v1::complete_request::Result::Evaluate(result)) => {
                let v1::EvaluateResult { measurements, provenance, statistics, learned } = result;
                let within = Fields::at(at).path("evaluate");
                let mut fields = Fields::at(&within);
                let measurements = fields.at_most("measurements", measurements, MAX_MEASUREMENTS);
                let measurements = measurements.and_then(|all| fields.repeated("measurements", all));
                let provenance = fields.required("provenance", provenance);
                let statistics: Option<StatisticsRef> = fields.required("statistics", statistics);
                let learned = fields.keep(statistics_from_wire(learned, "learned", &within));
                if let (Some(outside), Some(learned)) = (&statistics, &learned)
                    && learned.iter().any(|one| one.dataset == outside.dataset && one.split == outside.split)
                {
                    let StatisticsRef { dataset, split, .. } = outside;
                    fields.refuse(
                        "learned",
                        format!("`{dataset}`, {split} split, is the OOD side, which `statistics` has"),
                    );
                }
                refuse_doubles(measurements.as_deref().unwrap_or_default(), &mut fields);
                fields.finish(|| {
                    Some(Self::Evaluate {
                        measurements: measurements?,
                        statistics: statistics?,
                        learned: learned?,
                        provenance: provenance?,
                    })
                })
            }
            Some(v1::complete_request::Result::Inspect(result)) => {
                let v1::InspectResult { figures, provenance } = result;
                let within = Fields::at(at).path("inspect");
                let mut fields = Fields::at(&within);
                let figures = fields.keep(figures_from_wire(figures, &within));
                let provenance = fields.required("provenance", provenance);
                fields.finish(|| Some(Self::Inspect { figures: figures?, provenance: provenance? }))
            }
            Some(v1::complete_request::Result::Score(result)) => score::result_from_wire(result, at),
        }
    }
}

/// One number for each score, metric and dataset: a second one would contradict it, or be counted twice.
pub(super) fn refuse_doubles(measurements: &[Measurement], fields: &mut Fields) {
    let mut seen = BTreeSet::new();
    for (index, Measurement { score, metric, dataset, .. }) in measurements.iter().enumerate() {
        if !seen.insert((*score, *metric, dataset.as_ref())) {
            fields.refuse(
                &format!("measurements[{index}]"),
                format!("`{score}` and `{metric}` of one dataset stand twice"),
            );
        }
    }
}

impl ToWire for Provenance {
    type Wire = v1::Provenance;

    fn to_wire(&self) -> v1::Provenance {
        let Self { worker_version, device, threads, precision, noise_draws } = self.clone();
        v1::Provenance { worker_version, device, threads, precision, noise_draws }
    }
}

impl FromWire for Provenance {
    type Wire = v1::Provenance;

    fn from_wire(wire: v1::Provenance, at: &str) -> Result<Self, Violations> {
        let v1::Provenance { worker_version, device, threads, precision, noise_draws } = wire;
        let mut fields = Fields::at(at);
        let worker_version = fields.keep(text_from_wire(worker_version, &fields.path("worker_version"), &LABEL_BYTES));
        let device = fields.keep(text_from_wire(device, &fields.path("device"), &LABEL_BYTES));
        let precision = fields.keep(text_from_wire(precision, &fields.path("precision"), &LABEL_BYTES));
        let threads = fields.within("threads", threads, &(0..=i32::MAX.unsigned_abs()));
        let noise_draws = fields.within("noise_draws", noise_draws, &(0..=i32::MAX.unsigned_abs()));
        fields.finish(|| {
            Some(Self {
                worker_version: worker_version?,
                device: device?,
                threads: threads?,
                precision: precision?,
                noise_draws: noise_draws?,
            })
        })
    }
}

impl ToWire for Measurement {
    type Wire = v1::Measurement;

    fn to_wire(&self) -> v1::Measurement {
        let Self { score, metric, dataset, value, interval, n_in, n_out } = self;
        v1::Measurement {
            score: score.to_string(),
            metric: metric.to_string(),
            dataset: dataset.as_ref().map_or_else(String::new, ToString::to_string),
            value: *value,
            interval: interval.as_ref().map(ToWire::to_wire),
            n_in: *n_in,
            n_out: *n_out,
        }
    }
}

impl FromWire for Measurement {
    type Wire = v1::Measurement;

    fn from_wire(wire: v1::Measurement, at: &str) -> Result<Self, Violations> {
        let v1::Measurement { score, metric, dataset, value, interval, n_in, n_out } = wire;
        let mut fields = Fields::at(at);
        let score = fields.named("score", &score);
        let metric: Option<Metric> = fields.named("metric", &metric);
        let dataset = match dataset.as_str() {
            "" => Some(None),
            name => fields.named("dataset", name).map(Some),
        };
        let value = fields.finite_or_absent("value", value);
        let interval = fields.optional("interval", interval);
        let n_in = fields.count("n_in", n_in);
        let n_out = fields.count("n_out", n_out);
        if let (Some(metric), Some(Some(value))) = (metric, value)
            && metric.compares_sides()
            && !(0.0..=1.0).contains(&value)
        {
            fields.refuse("value", format!("{value} is out of range for `{metric}`: 0 to 1 allowed"));
        }
        fields.finish(|| {
            Some(Self {
                score: score?,
                metric: metric?,
                dataset: dataset?,
                value: value?,
                interval: interval?,
                n_in: n_in?,
                n_out: n_out?,
            })
        })
    }
}

impl ToWire for Interval {
    type Wire = v1::Interval;

    fn to_wire(&self) -> v1::Interval {
        let Self { low, high, method } = self;
        v1::Interval { low: *low, high: *high, method: method.clone() }
    }
}

impl FromWire for Interval {
    type Wire = v1::Interval;

    fn from_wire(wire: v1::Interval, at: &str) -> Result<Self, Violations> {
        let v1::Interval { low, high, method } = wire;
        let mut fields = Fields::at(at);
        let low = fields.finite("low", low);
        let high = fields.finite("high", high);
        let method = fields.keep(text_from_wire(method, &fields.path("method"), &LABEL_BYTES));
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            fields.refuse("low", format!("{low} lies above the upper end {high}"));
        }
        fields.finish(|| Some(Self { low: low?, high: high?, method: method? }))
    }
}

impl ToWire for FailureKind {
    type Wire = i32;

    fn to_wire(&self) -> i32 {
        let kind = match self {
            Self::Permanent => v1::FailureKind::Permanent,
            Self::Own => v1::FailureKind::Own,
            Self::Infrastructure => v1::FailureKind::Infrastructure,
            Self::Crash => v1::FailureKind::Crash,
        };
        kind.into()
    }
}

impl FromWire for FailureKind {
    type Wire = i32;

    fn from_wire(wire: i32, at: &str) -> Result<Self, Violations> {
        let known = Self::ALL.map(Self::as_str).join(", ");
        match v1::FailureKind::try_from(wire) {
            Ok(v1::FailureKind::Permanent) => Ok(Self::Permanent),
            Ok(v1::FailureKind::Own) => Ok(Self::Own),
            Ok(v1::FailureKind::Infrastructure) => Ok(Self::Infrastructure),
            Ok(v1::FailureKind::Crash) => Ok(Self::Crash),
            Ok(v1::FailureKind::Unspecified) => Err(Violations::one(at, format!("missing: one of {known} expected"))),
            Err(_) => Err(Violations::one(at, format!("unknown failure kind {wire}: one of {known} expected"))),
        }
    }
}

impl ToWire for Failure {
    /// The fields `kind` and `message` of a `FailRequest`.
    type Wire = (i32, String);

    fn to_wire(&self) -> (i32, String) {
        let Self { kind, message } = self;
        (kind.to_wire(), failure_message(message))
    }
}

impl FromWire for Failure {
    type Wire = (i32, String);

    fn from_wire((kind, message): (i32, String), at: &str) -> Result<Self, Violations> {
        let mut fields = Fields::at(at);
        let kind = fields.plain("kind", kind);
        fields.finish(|| Some(Self { kind: kind?, message: failure_message(&message) }))
    }
}
