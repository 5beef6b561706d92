//! Jobs that workers give back unfinished.

use domain::{
    job::{Event, OutcomeKind},
    report::Attempt,
};
use tracing::info;

use super::{Lifecycle, LifecycleError};

impl Lifecycle {
    /// Takes a job back; no budget pays, and it is ready at once, at the end of its queue.
    ///
    /// # Errors
    /// [`LifecycleError::Stale`]; nothing changed.
    pub async fn release(&self, attempt: Attempt) -> Result<(), LifecycleError> {
        let epoch = attempt.epoch;
        let event = match self.store.preemption_of(attempt).await? {
            Some(reason) => Event::Preempted { epoch, reason },
            None => Event::Release { epoch },
        };
        self.end_attempt(attempt, event, |ended, _| ended == OutcomeKind::Released).await?;
        info!(job_id = %attempt.job, attempt = %attempt.epoch, "job was released");
        Ok(())
    }
}
