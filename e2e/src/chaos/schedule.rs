//! Which faults happen when: a function of the seed and of the cluster's size.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// SIGKILL to a worker; another one starts in its place.
    WorkerKilled,
    /// SIGSTOP to a worker, then SIGCONT.
    WorkerStopped,
    /// SIGTERM to a worker: it drains; another one starts in its place.
    WorkerTerminated,
    /// SIGKILL to a worker's child.
    ChildKilled,
    /// SIGSTOP to a worker's child, then SIGCONT.
    ChildStopped,
    /// SIGKILL to a coordinator, started again at the same address.
    CoordinatorKilled,
    /// SIGSTOP to a coordinator, then SIGCONT.
    CoordinatorStopped,
    /// A fast shutdown of Postgres, started again.
    DatabaseRestarted,
    /// An immediate shutdown of Postgres, started again.
    DatabaseAborted,
    /// SIGKILL to the main process of Postgres, started again.
    DatabaseKilled,
    /// Every connection between the workers and a coordinator is cut.
    WorkersCut,
    /// The same connections pass nothing for a while, and nobody is told.
    WorkersSilenced,
    /// The same connections are slow for a while.
    WorkersSlowed,
    /// Every connection between a coordinator and Postgres is cut.
    DatabaseCut,
    /// The same connections pass nothing for a while.
    DatabaseSilenced,
    /// The same connections are slow for a while.
    DatabaseSlowed,
}

/// What a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A worker.
    Worker,
    /// A coordinator, or a link of it.
    Coordinator,
    /// The database.
    Database,
}

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: Kind,
    /// To which worker or coordinator.
    pub index: usize,
    /// When, from the start.
    pub at: Duration,
    /// For how long.
    pub lasting: Duration,
}

/// The faults of a run, by time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The faults.
    pub faults: Vec<Fault>,
}

/// How large a cluster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Members {
    /// Workers.
    pub workers: usize,
    /// Coordinators.
    pub coordinators: usize,
}

/// Time between two faults, in milliseconds: on a loaded machine a job must get some of its work done.
const PAUSE_MILLIS: std::ops::Range<u64> = 700..3200;
/// How long what is killed stays away, in milliseconds.
const ABSENCE_MILLIS: std::ops::Range<u64> = 0..3000;
/// How long what stands still stands still, in milliseconds: both sides of the chaos cluster's lease of three seconds.
const STANDSTILL_MILLIS: std::ops::Range<u64> = 200..8000;

impl Kind {
    /// Every kind, with how often it comes relative to the others.
    const WEIGHTED: [(Self, u64); 16] = [
        (Self::WorkerKilled, 3),
        (Self::WorkerStopped, 3),
        (Self::WorkerTerminated, 1),
        (Self::ChildKilled, 3),
        (Self::ChildStopped, 2),
        (Self::CoordinatorKilled, 3),
        (Self::CoordinatorStopped, 2),
        (Self::DatabaseRestarted, 1),
        (Self::DatabaseAborted, 1),
        (Self::DatabaseKilled, 1),
        (Self::WorkersCut, 2),
        (Self::WorkersSilenced, 2),
        (Self::WorkersSlowed, 1),
        (Self::DatabaseCut, 2),
        (Self::DatabaseSilenced, 1),
        (Self::DatabaseSlowed, 1),
    ];

    /// For the tally.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WorkerKilled => "worker killed",
            Self::WorkerStopped => "worker stopped and continued",
            Self::WorkerTerminated => "worker terminated",
            Self::ChildKilled => "child killed",
            Self::ChildStopped => "child stopped and continued",
            Self::CoordinatorKilled => "coordinator killed",
            Self::CoordinatorStopped => "coordinator stopped and continued",
            Self::DatabaseRestarted => "Postgres restarted",
            Self::DatabaseAborted => "Postgres shut down immediately",
            Self::DatabaseKilled => "Postgres killed",
            Self::WorkersCut => "worker links cut",
            Self::WorkersSilenced => "worker links silent",
            Self::WorkersSlowed => "worker links slow",
            Self::DatabaseCut => "database links cut",
            Self::DatabaseSilenced => "database links silent",
            Self::DatabaseSlowed => "database links slow",
        }
    }

    fn target(self) -> Target {
        match self {
            Self::WorkerKilled
            | Self::WorkerStopped
            | Self::WorkerTerminated
            | Self::ChildKilled
            | Self::ChildStopped => Target::Worker,
            Self::CoordinatorKilled
            | Self::CoordinatorStopped
            | Self::WorkersCut
            | Self::WorkersSilenced
            | Self::WorkersSlowed
            | Self::DatabaseCut
            | Self::DatabaseSilenced
            | Self::DatabaseSlowed => Target::Coordinator,
            Self::DatabaseRestarted | Self::DatabaseAborted | Self::DatabaseKilled => Target::Database,
        }
    }

    fn duration_millis(self) -> std::ops::Range<u64> {
        match self {
            Self::WorkerKilled
            | Self::WorkerTerminated
            | Self::CoordinatorKilled
            | Self::DatabaseRestarted
            | Self::DatabaseAborted
            | Self::DatabaseKilled => ABSENCE_MILLIS,
            Self::WorkerStopped
            | Self::ChildStopped
            | Self::CoordinatorStopped
            | Self::WorkersSilenced
            | Self::WorkersSlowed
            | Self::DatabaseSilenced
            | Self::DatabaseSlowed => STANDSTILL_MILLIS,
            Self::ChildKilled | Self::WorkersCut | Self::DatabaseCut => 0..1,
        }
    }
}

impl Schedule {
    /// The faults that `seed` fixes for a run that is disturbed for `length`.
    #[must_use]
    pub fn generate(seed: u64, length: Duration, members: Members) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |range: std::ops::Range<u64>| range.start + generator.next_u64() % (range.end - range.start);
        let weights: u64 = Kind::WEIGHTED.iter().map(|(_, weight)| weight).sum();
        let mut faults = Vec::new();
        let mut at = Duration::from_millis(draw(PAUSE_MILLIS));
        while at < length {
            let kind = kind_at(draw(0..weights));
            let candidates = match kind.target() {
                Target::Worker => members.workers,
                Target::Coordinator => members.coordinators,
                Target::Database => 1,
            };
            let index = usize::try_from(draw(0..candidates as u64)).expect("it is smaller than a usize");
            let lasting = Duration::from_millis(draw(kind.duration_millis()));
            faults.push(Fault { kind, index, at, lasting });
            at += Duration::from_millis(draw(PAUSE_MILLIS));
        }
        Self { faults }
    }
}

/// The kind that a number below the sum of all weights stands for.
fn kind_at(mut number: u64) -> Kind {
    for (kind, weight) in Kind::WEIGHTED {
        if number < weight {
            return kind;
        }
        number -= weight;
    }
    unreachable!("the number is below the sum of the weights")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const MEMBERS: Members = Members { workers: 3, coordinators: 2 };

    #[test]
    fn the_seed_alone_decides_the_schedule() {
        let length = Duration::from_secs(60);

        assert_eq!(Schedule::generate(1, length, MEMBERS), Schedule::generate(1, length, MEMBERS));
        assert_ne!(Schedule::generate(1, length, MEMBERS), Schedule::generate(2, length, MEMBERS));
    }

    #[test]
    fn a_long_run_meets_every_fault_and_every_member() {
        let schedule = Schedule::generate(3, Duration::from_secs(1800), MEMBERS);

        let kinds: BTreeSet<Kind> = schedule.faults.iter().map(|fault| fault.kind).collect();
        assert_eq!(kinds.len(), Kind::WEIGHTED.len());
        for fault in &schedule.faults {
            let members = match fault.kind.target() {
                Target::Worker => 3,
                Target::Coordinator => 2,
                Target::Database => 1,
            };
            assert!(fault.index < members, "{fault:?}");
        }
        assert!(schedule.faults.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }
}
