//! Cancelling a sweep.

use domain::{SweepId, job::Event};
use tracing::info;

use super::{Lifecycle, LifecycleError};

/// The reason kept when the user gives none.
const NO_REASON: &str = "cancelled by a user";

impl Lifecycle {
    /// Cancels every job of the sweep that has not ended, in one transaction; workers are told with their next heartbeat.
    ///
    /// # Errors
    /// [`LifecycleError::Store`].
    pub async fn cancel(&self, sweep: SweepId, reason: &str) -> Result<usize, LifecycleError> {
        let reason = if reason.is_empty() { NO_REASON } else { reason };
        let mut transaction = self.store.begin().await?;
        let jobs = transaction.lock_unended(sweep).await?;
        let events = jobs.into_iter().map(|job| (job, Event::Cancel { reason: reason.to_owned() })).collect();
        let applied = transaction.apply(events).await?;
        if applied.changed > 0 {
            transaction.add_sweep_event(sweep, "cancelled", reason).await?;
        }
        transaction.commit().await?;
        info!(sweep_id = %sweep, jobs = applied.changed, reason, "sweep was cancelled");
        self.after(&applied);
        Ok(applied.changed)
    }
}
