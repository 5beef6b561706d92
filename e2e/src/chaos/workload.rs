//! What a cluster computes under chaos: the same sweeps again and again, under other names.

use domain::sweep::{ExecutionSpec, SweepSpec};
use serde_json::json;

/// How many experiments a round has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Short trainings, each with an evaluation.
    pub short: u64,
    /// Trainings that outlast several checkpoints, each with an evaluation.
    pub long: u64,
    /// Short trainings, each with an evaluation and an inspection.
    pub drawn: u64,
}

/// Steps of a short training.
const SHORT_STEPS: u32 = 20;
/// Steps of a long one: several seconds on one core, and a checkpoint each second.
const LONG_STEPS: u32 = 150;

impl Size {
    /// Of the test that everybody runs: small enough for two cores.
    pub const SMALL: Self = Self { short: 4, long: 2, drawn: 1 };
    /// Of a long run.
    pub const LARGE: Self = Self { short: 12, long: 6, drawn: 3 };

    /// Jobs of one round.
    #[must_use]
    pub fn jobs(self) -> u64 {
        2 * self.short + 2 * self.long + 3 * self.drawn
    }
}

/// The sweeps of one round. Rounds differ in their names alone, so that all of them must end in the same bits.
#[must_use]
pub fn round(name: &str, size: Size) -> Vec<SweepSpec> {
    let kinds = [
        ("short", size.short, SHORT_STEPS, None),
        ("long", size.long, LONG_STEPS, None),
        ("drawn", size.drawn, SHORT_STEPS, Some(json!({"images": [0, 3], "draws": 2, "samples": 4}))),
    ];
    let sweep = |(kind, seeds, steps, inspection): (&str, u64, u32, Option<serde_json::Value>)| {
        let seeds: Vec<u64> = (1..=seeds).collect();
        let mut sweep = crate::tiny_sweep(&format!("{name}-{kind}"), &seeds, steps);
        sweep.base.inspection =
            inspection.map(|inspection| serde_json::from_value(inspection).expect("the document above is sound"));
        sweep.execution = ExecutionSpec { checkpoint_secs: 1, ..patient() };
        sweep
    };
    kinds.into_iter().map(sweep).collect()
}

/// Chaos is no fault of a job's: budgets as large as they may be.
fn patient() -> ExecutionSpec {
    ExecutionSpec {
        max_failures: *ExecutionSpec::FAILURES.end(),
        max_infrastructure_failures: *ExecutionSpec::INFRASTRUCTURE_FAILURES.end(),
        max_crashes: *ExecutionSpec::CRASHES.end(),
        ..ExecutionSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_the_jobs_that_its_size_says() {
        let planned: usize = round("r", Size::SMALL)
            .iter()
            .map(|sweep| {
                let expanded = sweep.expand().unwrap();
                let each = 2 + usize::from(sweep.base.inspection.is_some());
                expanded.experiments.len() * each
            })
            .sum();

        assert_eq!(planned as u64, Size::SMALL.jobs());
    }
}
