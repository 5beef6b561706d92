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

/// Longest time between two looks for leases that ran out, however long the beat is.
const LONGEST_LOOK: Duration = Duration::from_secs(5);

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

    /// Time between two looks for leases that ran out.
    #[must_use]
    pub fn look(&self) -> Duration {
        self.beat.min(LONGEST_LOOK)
    }

    /// Longest time from a worker's death until its jobs are taken back: its last beat may have come just before, and the
    /// look just too early.
    #[must_use]
    pub fn longest_takeback(&self) -> Duration {
        self.ttl + self.grace + self.look()
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
    /// Claim no more; checkpoint and release what runs; then end.
    Drain,
    /// The session is closed or unknown: stop everything and open a new one.
    SessionLost,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_of_a_dead_worker_are_taken_back_after_lease_grace_and_one_look() {
        let terms = LeaseTerms::default();
        assert_eq!(terms.longest_takeback(), Duration::from_secs(30 + 5 + 5));

        let rare = LeaseTerms { ttl: Duration::from_secs(600), beat: Duration::from_secs(200), grace: Duration::ZERO };
        assert_eq!(rare.longest_takeback(), Duration::from_secs(605));
    }
}
