//! The only writer: every change of a job, a session or a sweep passes through here, one file for each kind of call.

mod cancel;
mod claim;
mod complete;
mod error;
mod fail;
mod heartbeat;
mod lost;
mod release;
mod report;
mod retry;
mod session;
mod submit;

use domain::{
    job::{Effect, Event, OutcomeKind},
    lease::LeaseTerms,
    report::Attempt,
};
use store::{Applied, Channel, ClaimMarks, Store, TransitionError};
use tokio_util::sync::CancellationToken;

pub use claim::MAX_CLAIM_WAIT;
pub use complete::Acceptance;
pub use error::LifecycleError;
pub use submit::{Submission, Submitted};

pub(crate) use submit::expand;

use crate::{Wakeups, services::Renewals};

/// What calls do.
#[derive(Debug)]
pub struct Lifecycle {
    store: Store,
    lease: LeaseTerms,
    wakeups: Wakeups,
    renewals: Renewals,
    marks: ClaimMarks,
    shutdown: CancellationToken,
}

impl Lifecycle {
    /// Puts the parts together; long polls end when `shutdown` is cancelled.
    #[must_use]
    pub fn new(
        store: Store,
        lease: LeaseTerms,
        wakeups: Wakeups,
        renewals: Renewals,
        shutdown: CancellationToken,
    ) -> Self {
        Self { store, lease, wakeups, renewals, marks: ClaimMarks::default(), shutdown }
    }

    /// Runs the effects of a transaction that was committed.
    fn after(&self, applied: &Applied) {
        for effect in &applied.effects {
            match effect {
                Effect::WakeClaims => self.wakeups.announce(Channel::Ready),
                // The session's next heartbeat finds the attempt gone: nothing else reaches a worker.
                Effect::StopAttempt { .. } => {}
            }
        }
        if applied.changed > 0 {
            self.wakeups.announce(Channel::Changed);
        }
    }

    /// Applies what a worker says of its attempt. The same thing said again, which finds the attempt ended just so, is no error.
    async fn end_attempt(
        &self,
        attempt: Attempt,
        event: Event,
        repeats: impl Fn(OutcomeKind, &str) -> bool,
    ) -> Result<(), LifecycleError> {
        let mut transaction = self.store.begin().await?;
        let Some(locked) = transaction.lock_job(attempt.job).await? else {
            return Err(LifecycleError::NoSuchJob(attempt.job));
        };
        match transaction.apply(vec![(locked, event)]).await {
            Ok(applied) => {
                transaction.commit().await?;
                self.after(&applied);
                Ok(())
            }
            Err(TransitionError::Rejected(rejected)) => {
                drop(transaction);
                match self.store.outcome_of(attempt).await? {
                    Some(outcome) if repeats(outcome.kind, &outcome.detail) => Ok(()),
                    Some(_) | None => Err(LifecycleError::Stale(rejected)),
                }
            }
            Err(TransitionError::Store(error)) => Err(error.into()),
        }
    }
}
