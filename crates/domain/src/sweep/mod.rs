//! Sweeps: the document that a user submits, and its expansion into experiments and jobs.

mod axis;
mod budget;
mod expand;
mod label;
mod point;
mod rules;
mod sampling;
mod settings;

use std::{collections::BTreeSet, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use axis::{Axis, Range, Scale, UnknownScale};
pub use budget::Budget;
pub use expand::{Expanded, PlannedExperiment, Variant};

use crate::{
    Digest,
    fleet::{DeviceRequirement, Label, Requirement},
    spec::{ExperimentSpec, Violations, canonical},
    stopping::EarlyStopping,
};

/// Most jobs that one sweep may expand to.
pub const MAX_JOBS: usize = 10_000;
/// Most axes of a sweep, and most fields of one of its points: no experiment has as many fields.
pub const MAX_AXES: usize = 64;
/// Longest name of a sweep, in bytes.
pub const MAX_NAME_LEN: usize = 64;
/// Longest description of a sweep, in bytes.
pub const MAX_DESCRIPTION_LEN: usize = 4096;

/// What a user submits: a base experiment, how to vary it, the seeds, and how to run it. Immutable once stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepSpec {
    /// Unique name: lower-case letters, digits, `-` and `_`; tables and SQL name the sweep by it.
    pub name: String,
    /// Free text for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Every variant is trained once per seed.
    pub seeds: Vec<u64>,
    /// The experiment that the expansion varies.
    pub base: ExperimentSpec,
    /// How to vary it; absent means the base alone.
    #[serde(default)]
    pub expansion: Expansion,
    /// How to run its jobs; no part of an experiment's identity.
    #[serde(default)]
    pub execution: ExecutionSpec,
    /// The rule by which experiments that do worse than others are stopped; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// What the sweep may spend; anything when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// How a sweep's variants arise from its base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expansion {
    /// Every combination of the axes' values, the last axis fastest.
    Grid(Grid),
    /// The points given, in order.
    List(List),
    /// Distinct points drawn from the axes, the same ones for the same seed.
    Random(Sample),
    /// Distinct points of a Sobol sequence over the axes, the same ones for the same seed: they fill the space more evenly
    /// than random ones.
    Sobol(Sample),
}

/// A full grid.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// The axes; none means the base alone.
    pub axes: Vec<Axis>,
}

/// Hand-picked points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Each point maps field paths of the base experiment to values.
    pub points: Vec<std::collections::BTreeMap<String, Value>>,
}

/// A seeded sample of the space that axes span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The axes of the space.
    pub axes: Vec<Axis>,
    /// How many distinct points to draw.
    pub draws: u32,
    /// Seed of the draw.
    pub seed: u64,
}

/// How the jobs of a sweep are run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExecutionSpec {
    /// Higher goes first; 0 to 100.
    pub priority: i16,
    /// Seconds of training between two checkpoints.
    pub checkpoint_secs: u32,
    /// The device kind that a worker must offer.
    pub device: DeviceRequirement,
    /// Failures of a job's own after which it is failed.
    pub max_failures: u16,
    /// Infrastructure failures after which a job is failed.
    pub max_infrastructure_failures: u16,
    /// Crashes after which a job is quarantined.
    pub max_crashes: u16,
    /// Share of the workers among the sweeps of one user: twice the weight, twice the jobs that run.
    #[serde(skip_serializing_if = "is_default_weight")]
    pub weight: u16,
    /// Most jobs of the sweep that run at once; absent means no limit of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_running: Option<u32>,
    /// Device memory (main memory for a CPU) that a worker must offer, in MiB.
    #[serde(skip_serializing_if = "is_zero")]
    pub memory_mib: u32,
    /// Labels that a worker must have, all of them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<Label>,
    /// Whether a training may be told to stop at a checkpoint, and to go on later, when a sweep of a much higher priority
    /// waits.
    #[serde(skip_serializing_if = "is_true")]
    pub preemptible: bool,
}

// Fields younger than the first stored sweeps are left out of the document at their defaults, so that its fingerprint stays.

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_weight(weight: &u16) -> bool {
    *weight == ExecutionSpec::DEFAULT_WEIGHT
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_true(choice: &bool) -> bool {
    *choice
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Default for Expansion {
    fn default() -> Self {
        Self::Grid(Grid::default())
    }
}

impl Default for ExecutionSpec {
    fn default() -> Self {
        Self {
            priority: 50,
            checkpoint_secs: 30,
            device: DeviceRequirement::Any,
            max_failures: 3,
            max_infrastructure_failures: 10,
            max_crashes: 3,
            weight: Self::DEFAULT_WEIGHT,
            max_running: None,
            memory_mib: 0,
            labels: BTreeSet::new(),
            preemptible: true,
        }
    }
}

impl ExecutionSpec {
    /// Priorities allowed.
    pub const PRIORITIES: RangeInclusive<i16> = 0..=100;
    /// Limits allowed for a job's own failures.
    pub const FAILURES: RangeInclusive<u16> = 1..=100;
    /// Limits allowed for infrastructure failures.
    pub const INFRASTRUCTURE_FAILURES: RangeInclusive<u16> = 1..=1000;
    /// Limits allowed for crashes.
    pub const CRASHES: RangeInclusive<u16> = 1..=100;
    /// Weights allowed.
    pub const WEIGHTS: RangeInclusive<u16> = 1..=1000;
    /// The weight of a sweep that names none.
    pub const DEFAULT_WEIGHT: u16 = 1;
    /// Limits allowed for jobs that run at once.
    pub const RUNNING: RangeInclusive<u32> = 1..=100_000;
    /// Device memory that may be asked for, in MiB: up to 4 TiB.
    pub const MEMORY_MIB: RangeInclusive<u32> = 0..=4 << 20;

    /// What the sweep asks of its workers.
    #[must_use]
    pub fn requirement(&self) -> Requirement {
        Requirement { device: self.device, memory_bytes: u64::from(self.memory_mib) << 20, labels: self.labels.clone() }
    }
}

impl SweepSpec {
    /// The identity of this document: the SHA-256 of its canonical JSON.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of(canonical::to_string(self).as_bytes())
    }

    /// Checks everything and expands into variants, experiments and jobs, in an order that depends on the document alone.
    ///
    /// # Errors
    /// Every violation found, with field paths and what is allowed.
    pub fn expand(&self) -> Result<Expanded, Violations> {
        expand::expand(self)
    }
}
