//! Failures that workers report.

use domain::{
    job::{Event, FailureKind, OutcomeKind},
    report::{Attempt, Failure},
};
use tracing::warn;

use super::{Lifecycle, LifecycleError};

impl Lifecycle {
    /// Ends an attempt that failed; the rules decide whether the job is tried again.
    ///
    /// # Errors
    /// [`LifecycleError::Stale`]; nothing changed.
    pub async fn fail(&self, attempt: Attempt, failure: Failure) -> Result<(), LifecycleError> {
        let Failure { kind, message } = failure;
        let outcome = match kind {
            FailureKind::Permanent | FailureKind::Own => OutcomeKind::Failed,
            FailureKind::Infrastructure => OutcomeKind::Infrastructure,
            FailureKind::Crash => OutcomeKind::Crashed,
        };
        let event = Event::Fail { epoch: attempt.epoch, kind, message: message.clone() };
        self.end_attempt(attempt, event, |ended, detail| ended == outcome && detail == message).await?;
        let (failure_kind, outcome) = (kind.as_str(), outcome.as_str());
        warn!(job_id = %attempt.job, attempt = %attempt.epoch, failure_kind, outcome, message, "attempt failed");
        Ok(())
    }
}
