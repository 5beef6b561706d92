//! Which artifacts hold what a flow makes of each example.

use std::collections::BTreeSet;

use domain::{
    report::{MAX_STATISTICS, StatisticsRef},
    spec::Violations,
};

use super::{Fields, FromWire, ToWire};
use crate::v1;

impl ToWire for StatisticsRef {
    type Wire = v1::StatisticsRef;

    fn to_wire(&self) -> v1::StatisticsRef {
        let Self { dataset, split, images, noise_draws, digest } = self;
        v1::StatisticsRef {
            dataset: dataset.to_string(),
            split: split.to_string(),
            images: *images,
            noise_draws: *noise_draws,
            digest: digest.to_wire(),
        }
    }
}

impl FromWire for StatisticsRef {
    type Wire = v1::StatisticsRef;

    fn from_wire(wire: v1::StatisticsRef, at: &str) -> Result<Self, Violations> {
        let v1::StatisticsRef { dataset, split, images, noise_draws, digest } = wire;
        let mut fields = Fields::at(at);
        let dataset = fields.named("dataset", &dataset);
        let split = fields.named("split", &split);
        let images = fields.within("images", images, &(1..=i64::MAX.unsigned_abs()));
        let noise_draws = fields.within("noise_draws", noise_draws, &(1..=i32::MAX.unsigned_abs()));
        let digest = fields.plain("digest", digest);
        fields.finish(|| {
            Some(Self { dataset: dataset?, split: split?, images: images?, noise_draws: noise_draws?, digest: digest? })
        })
    }
}

/// The statistics of a result or of a task: not too many, and one of each dataset's split. `at` is the path of the message
/// that has them as `field`.
pub(super) fn statistics_from_wire(
    statistics: Vec<v1::StatisticsRef>,
    field: &str,
    at: &str,
) -> Result<Vec<StatisticsRef>, Violations> {
    let mut fields = Fields::at(at);
    let statistics = fields.at_most(field, statistics, MAX_STATISTICS);
    let parsed: Option<Vec<StatisticsRef>> = statistics.and_then(|statistics| fields.repeated(field, statistics));
    let mut seen = BTreeSet::new();
    for (index, StatisticsRef { dataset, split, .. }) in parsed.iter().flatten().enumerate() {
        if !seen.insert((dataset, split)) {
            fields.refuse(&format!("{field}[{index}]"), format!("`{dataset}`, {split} split, stands twice"));
        }
    }
    fields.finish(|| parsed)
}
