//! Leases: a session's right to run what it claimed, until a time on Postgres's clock.

use std::time::Duration;

use crate::{Epoch, JobId, Timestamp};

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

    /// How long ago the last heartbeat came to a session whose lease ends or ended at `until`, and what that means.
    #[must_use]
    pub fn heartbeat(&self, until: Timestamp, now: Timestamp) -> (Duration, Heartbeat) {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let ago = now.as_micros().saturating_sub(until.as_micros()).saturating_add(micros(self.ttl)).max(0);
        let ago = Duration::from_micros(ago.unsigned_abs());
        let heartbeat = if ago > self.ttl + self.grace {
            Heartbeat::Overdue
        } else if ago > self.ttl {
            Heartbeat::Lapsed
        } else if ago > self.beat * 2 {
            Heartbeat::Late
        } else {
            Heartbeat::OnTime
        };
        (ago, heartbeat)
    }
}

/// How a session's heartbeat stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heartbeat {
    /// The last one came in time.
    OnTime,
    /// One is missing; the lease lives.
    Late,
    /// The lease has run out: the session may not claim.
    Lapsed,
    /// The grace is over too: its jobs are taken back unless a heartbeat comes first.
    Overdue,
}

impl Heartbeat {
    /// The name in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnTime => "on-time",
            Self::Late => "late",
            Self::Lapsed => "lapsed",
            Self::Overdue => "overdue",
        }
    }

    /// Whether the session's lease lives.
    #[must_use]
    pub fn is_leased(self) -> bool {
        match self {
            Self::OnTime | Self::Late => true,
            Self::Lapsed | Self::Overdue => false,
        }
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

    #[test]
    fn a_heartbeat_is_late_after_two_beats_lapsed_with_its_lease_and_overdue_after_the_grace() {
        let terms = LeaseTerms::default();
        let beaten = Timestamp::from_micros(1_000_000_000);
        let until = beaten + terms.ttl;
        let after = |secs| terms.heartbeat(until, beaten + Duration::from_secs(secs));

        assert_eq!(after(0), (Duration::ZERO, Heartbeat::OnTime));
        assert_eq!(after(10), (Duration::from_secs(10), Heartbeat::OnTime));
        assert_eq!(after(11), (Duration::from_secs(11), Heartbeat::Late));
        assert_eq!(after(30), (Duration::from_secs(30), Heartbeat::Late));
        assert_eq!(after(31), (Duration::from_secs(31), Heartbeat::Lapsed));
        assert_eq!(after(36), (Duration::from_secs(36), Heartbeat::Overdue));
        // The clock went back: nothing is wrong.
        assert_eq!(terms.heartbeat(until, Timestamp::from_micros(0)), (Duration::ZERO, Heartbeat::OnTime));
    }
}
