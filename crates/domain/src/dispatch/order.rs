//! What decides between two lanes: priority with ageing, then shares of users, then shares of sweeps, then the kind of job, then
//! age.

use std::{cmp::Ordering, sync::Arc, time::Duration};

use crate::{Timestamp, fleet::Requirement, job::JobKind};

/// What a sweep's jobs ask for and are owed. It never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepTerms {
    /// Higher goes first.
    pub priority: i16,
    /// The sweep's share among those of its user.
    pub weight: u16,
    /// Most jobs that run at once.
    pub max_running: Option<u32>,
    /// What a worker must offer.
    pub requirement: Requirement,
    /// Who submitted it.
    pub user: Arc<str>,
    /// The user's share among users.
    pub user_weight: f64,
}

/// What an operator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Waiting that raises a sweep's priority by one; none switches ageing off.
    pub ageing: Option<Duration>,
}

impl Default for Policy {
    /// A point in five minutes: the default priority reaches the highest in four hours.
    fn default() -> Self {
        Self { ageing: Some(Duration::from_secs(300)) }
    }
}

impl Policy {
    /// The priority of a sweep whose oldest ready job has been ready since `ready_since`.
    #[must_use]
    pub fn effective_priority(&self, priority: i16, ready_since: Timestamp, now: Timestamp) -> i64 {
        let aged = match self.ageing {
            Some(point) if !point.is_zero() => {
                let waited = now.as_micros().saturating_sub(ready_since.as_micros()).max(0);
                waited / i64::try_from(point.as_micros()).unwrap_or(i64::MAX)
            }
            Some(_) | None => 0,
        };
        i64::from(priority) + aged
    }
}

/// How much a user or a sweep has of the cluster, relative to what it is owed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usage {
    /// Jobs that run now, over the weight.
    pub running: f64,
    /// Device-seconds so far, over the weight: decides between those with as many running jobs, so that a single worker, too,
    /// serves all in turn.
    pub served: f64,
}

impl Usage {
    fn compare(self, other: Self) -> Ordering {
        self.running.total_cmp(&other.running).then(self.served.total_cmp(&other.served))
    }
}

/// The rank of a lane; the smallest goes first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rank {
    pub priority: i64,
    pub user: Usage,
    pub sweep: Usage,
    pub kind: JobKind,
    pub oldest: i64,
}

impl Rank {
    pub fn compare(&self, other: &Self) -> Ordering {
        other
            .priority
            .cmp(&self.priority)
            .then_with(|| self.user.compare(other.user))
            .then_with(|| self.sweep.compare(other.sweep))
            .then_with(|| turn(self.kind).cmp(&turn(other.kind)))
            .then_with(|| self.oldest.cmp(&other.oldest))
    }
}

/// Evaluations go first so that a sweep's table fills while the rest of it still trains, and scores, which take a second, right
/// after them. Inspections follow: they pass a few hundred images where a training passes many thousands, and show early what a
/// sweep learns. Probes take minutes for one more cell of the table.
fn turn(kind: JobKind) -> u8 {
    match kind {
        JobKind::Evaluate => 0,
        JobKind::Score => 1,
        JobKind::Inspect => 2,
        JobKind::Probe => 3,
        JobKind::Train => 4,
    }
}
