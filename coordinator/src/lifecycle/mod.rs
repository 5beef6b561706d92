//! The only writer: every change of a job, a session or a sweep passes through here, one file for each kind of call.

mod budget;
mod cancel;
mod claim;
mod complete;
mod drain;
mod error;
mod fail;
mod heartbeat;
mod lost;
mod offers;
mod preempt;
mod release;
mod report;
mod rescore;
mod retry;
mod session;
mod stopping;
mod submit;
mod turnstile;

use domain::{
    JobId, SweepId,
    dispatch::Policy,
    job::{Effect, Event, OutcomeKind},
    lease::LeaseTerms,
    report::Attempt,
};
use store::{Applied, LockedJob, Store, Transaction, TransitionError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use claim::Desk;
use complete::Arrivals;
use offers::Offers;
use turnstile::Turnstile;

pub use claim::{MAX_CLAIM_WAIT, MAX_JOBS_PER_CLAIM, Served};
pub use complete::Acceptance;
pub use error::LifecycleError;
pub use rescore::Rescored;
pub use submit::{Submission, Submitted};
pub use turnstile::SubmitLimits;

pub(crate) use claim::Rounds;
pub(crate) use complete::Arrived;
pub(crate) use submit::expand;

use crate::{Telemetry, Wakeups, services::Renewals};

/// What an operator may set of the rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) lease: LeaseTerms,
    pub(crate) policy: Policy,
    pub(crate) limits: SubmitLimits,
}

/// What calls do.
#[derive(Debug)]
pub struct Lifecycle {
    store: Store,
    lease: LeaseTerms,
    wakeups: Wakeups,
    renewals: Renewals,
    limits: SubmitLimits,
    turnstile: Turnstile,
    telemetry: Telemetry,
    offers: Offers,
    desk: Desk,
    arrivals: Arrivals,
    shutdown: CancellationToken,
}

impl Lifecycle {
    /// Puts the parts together; long polls end when `shutdown` is cancelled. Beside it come the completions that are to be saved.
    #[must_use]
    pub(crate) fn new(
        store: Store,
        terms: Terms,
        wakeups: Wakeups,
        renewals: Renewals,
        telemetry: Telemetry,
        shutdown: CancellationToken,
    ) -> (Self, mpsc::Receiver<Arrived>) {
        let (arrivals, arrived) = complete::queue();
        let Terms { lease, policy, limits } = terms;
        let (desk, turnstile) = (Desk::new(policy), Turnstile::new(limits));
        let offers = Offers::default();
        let lifecycle =
            Self { store, lease, wakeups, renewals, limits, turnstile, telemetry, offers, desk, arrivals, shutdown };
        (lifecycle, arrived)
    }

    /// What is counted.
    #[must_use]
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Runs the effects of a transaction that was committed.
    fn after(&self, applied: &Applied) {
        self.telemetry.queue().applied(applied);
        for effect in &applied.effects {
            match effect {
                // Told with the lanes below.
                Effect::WakeClaims => {}
                // The session's next heartbeat finds the attempt gone: nothing else reaches a worker.
                Effect::StopAttempt { .. } => {}
            }
        }
        self.desk.ended(&applied.left_running);
        if !applied.ready.is_empty() {
            self.desk.open(&applied.ready);
            self.wakeups.announce_ready(applied.ready.iter().map(|ready| ready.lane.sweep));
        }
        if applied.changed > 0 {
            self.wakeups.announce_change();
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

/// Locks one job that a user names together with its sweep.
async fn lock_of_sweep(transaction: &mut Transaction, sweep: SweepId, job: JobId) -> Result<LockedJob, LifecycleError> {
    let locked = transaction.lock_job(job).await?.filter(|locked| locked.sweep == sweep);
    locked.ok_or(LifecycleError::NotOfSweep { job, sweep })
}
