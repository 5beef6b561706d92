//! Backoff between attempts, and which ended jobs a user opens again.

use std::time::Duration;

use super::StateName;
use crate::{Epoch, JobId};

/// Delay after the first failure.
const BASE: Duration = Duration::from_secs(2);
/// Longest delay before jitter.
const CEILING: Duration = Duration::from_secs(300);

/// What the wait after a job's first failure stays below.
pub const FIRST_BACKOFF_LIMIT: Duration = Duration::from_secs(3);

/// Which jobs that ended without a result a user wants tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RetryScope {
    /// Failed and quarantined ones; what a user cancelled stays cancelled.
    Failed,
    /// All that have no result: cancelled ones too.
    #[default]
    Missing,
}

impl RetryScope {
    /// Whether a job in `state` is tried again.
    #[must_use]
    pub fn includes(self, state: StateName) -> bool {
        match state {
            StateName::Failed | StateName::Quarantined => true,
            StateName::Cancelled => self == Self::Missing,
            // Stopped by the sweep's own rule: trying again would end there again.
            StateName::Stopped => false,
            StateName::Blocked | StateName::Ready | StateName::Running | StateName::Succeeded => false,
        }
    }
}

/// How long a job waits before attempt `failures + 1`: doubling from two seconds to five minutes, times a jitter of 0.5
/// to 1.5.
///
/// The jitter is a hash of job and epoch: jobs that failed together come back apart, and the rule stays a function.
#[must_use]
pub fn backoff(failures: u16, job: JobId, epoch: Epoch) -> Duration {
    let doublings = u32::from(failures.saturating_sub(1)).min(16);
    let delay = BASE.saturating_mul(1 << doublings).min(CEILING);
    delay.mul_f64(0.5 + unit_interval(job, epoch))
}

/// A number in [0, 1) from the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn unit_interval(job: JobId, epoch: Epoch) -> f64 {
    let mut bits = (job.0.cast_unsigned() ^ u64::from(epoch.0.cast_unsigned()).rotate_left(32))
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from(u32::try_from((bits ^ (bits >> 31)) >> 32).expect("32 bits remain")) / 2_f64.powi(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_within_their_jitter_and_stop_at_the_ceiling() {
        for failures in 1..40_u16 {
            let plain = BASE.saturating_mul(1 << u32::from(failures - 1).min(16)).min(CEILING);

            let delay = backoff(failures, JobId(17), Epoch(i32::from(failures)));

            assert!(delay >= plain.mul_f64(0.5) && delay < plain.mul_f64(1.5), "{failures}: {delay:?}");
        }
    }

    #[test]
    fn first_delay_stays_below_its_limit() {
        assert_eq!(FIRST_BACKOFF_LIMIT, BASE.mul_f64(1.5));
    }

    #[test]
    fn what_a_user_cancelled_is_missing_and_has_not_failed() {
        let included = |scope: RetryScope| StateName::ALL.into_iter().filter(|state| scope.includes(*state)).collect();
        let (failed, missing): (Vec<_>, Vec<_>) = (included(RetryScope::Failed), included(RetryScope::Missing));

        assert_eq!(failed, [StateName::Failed, StateName::Quarantined]);
        assert_eq!(missing, [StateName::Failed, StateName::Cancelled, StateName::Quarantined]);
    }

    #[test]
    fn jobs_that_failed_together_come_back_apart() {
        let delays: std::collections::BTreeSet<_> = (0..100).map(|job| backoff(1, JobId(job), Epoch(0))).collect();

        assert!(delays.len() > 95, "{} different delays of 100", delays.len());
    }
}
