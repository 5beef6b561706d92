//! Claiming: a long poll for the next job.

use std::time::Duration;

use domain::{
    SessionId, dispatch,
    fleet::Offer,
    job::{Event, FailureKind},
    report::{Assignment, Attempt},
};
use store::{Channel, Claimed, SessionStanding, StoreError};
use tokio::time::{Instant, sleep_until};
use tracing::{error, info};

use super::{Lifecycle, LifecycleError};

/// Longest wait of one claim.
pub const MAX_CLAIM_WAIT: Duration = Duration::from_secs(30);

impl Lifecycle {
    /// The next job for `session`, as soon as there is one; `None` when none came in `wait`, or when this coordinator ends.
    ///
    /// # Errors
    /// [`LifecycleError::NoSession`] when the session is closed or unknown.
    pub async fn claim(
        &self,
        session: SessionId,
        offer: &Offer,
        wait: Duration,
    ) -> Result<Option<Assignment>, LifecycleError> {
        let deadline = Instant::now() + wait.min(MAX_CLAIM_WAIT);
        if self.store.session_standing(session).await? == SessionStanding::Gone {
            return Err(LifecycleError::NoSession(session));
        }
        // Before the first look: a job that becomes ready during a look wakes this claim after it.
        let mut woken = self.wakeups.subscribe(Channel::Ready);
        loop {
            if self.shutdown.is_cancelled() {
                return Ok(None);
            }
            if let Some(assignment) = self.try_claim(session, offer).await? {
                return Ok(Some(assignment));
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return Ok(None),
                () = sleep_until(deadline) => return Ok(None),
                _ = woken.changed() => {}
            }
        }
    }

    async fn try_claim(&self, session: SessionId, offer: &Offer) -> Result<Option<Assignment>, LifecycleError> {
        while let Some(Claimed { attempt, .. }) = self.claim_one(session, offer).await? {
            self.wakeups.announce(Channel::Changed);
            match self.store.assignment(attempt).await {
                Ok(assignment) => {
                    info!(
                        job_id = %attempt.job, attempt = %attempt.epoch, experiment_id = %assignment.experiment,
                        session_id = %session, "job was claimed"
                    );
                    return Ok(Some(assignment));
                }
                Err(refusal @ StoreError::Corrupt { .. }) => self.give_up(attempt, &refusal).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    async fn claim_one(&self, session: SessionId, offer: &Offer) -> Result<Option<Claimed>, LifecycleError> {
        let candidates = self.store.candidates(offer.device, &self.marks).await?;
        for candidate in dispatch::order(candidates) {
            if let Some(claimed) = self.store.claim(session, offer.device, &candidate, &self.marks).await? {
                return Ok(Some(claimed));
            }
        }
        Ok(None)
    }

    /// Ends a job whose stored document nobody can read: handed out again, it would come back for ever.
    async fn give_up(&self, attempt: Attempt, refusal: &StoreError) -> Result<(), LifecycleError> {
        error!(job_id = %attempt.job, attempt = %attempt.epoch, %refusal, "job could not be handed out");
        let event = Event::Fail { epoch: attempt.epoch, kind: FailureKind::Permanent, message: refusal.to_string() };
        self.end_attempt(attempt, event, |_, _| false).await
    }
}
