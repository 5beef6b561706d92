//! Leases: a session's right to run what it claimed, until a time on Postgres's clock.

use std::time::Duration;

use crate::{Epoch, JobId};

/// How long leases last and how late they may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    /// Time to live of a lease after each heartbeat.
    pub ttl: Duration,
    /// Time between two heartbeats; a third of the time to live or less, so that one lost beat costs nothing.
    pub beat: Duration,
    /// Time after the lease's end before its jobs are taken back.
    pub grace: Duration,
}

impl Default for LeaseTerms {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(30), beat: Duration::from_secs(5), grace: Duration::from_secs(5) }
    }
}

impl LeaseTerms {
    /// For how long after *sending* a heartbeat that was answered a worker may trust its lease: the time to live less a
    /// margin of a tenth for clocks that run at different rates.
    #[must_use]
    pub fn trusted_for(&self) -> Duration {
        self.ttl.mul_f64(0.9)
    }
}

/// What a heartbeat brings back to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directive {
    /// This attempt is no longer the worker's: stop it, keep nothing.
    Abandon {
        /// The job.
        job: JobId,
        /// The epoch that the worker holds.
        epoch: Epoch,
    },
    /// Another job needs this attempt's place: checkpoint and release it, then claim again. It comes with every heartbeat
    /// until the attempt has ended.
    Preempt {
        /// The job.
        job: JobId,
        /// The epoch that the worker holds.
        epoch: Epoch,
    },
    /// Claim no more; checkpoint and release what runs; then end.
    Drain,
    /// The session is closed or unknown: stop everything and open a new one.
    SessionLost,
}
