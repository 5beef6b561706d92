//! Cancelling a sweep, or one job of it.

use domain::{JobId, SweepId, job::Event};
use tracing::info;

use super::{Lifecycle, LifecycleError};

/// The reason kept when the user gives none.
const NO_REASON: &str = "cancelled by a user";

impl Lifecycle {
    /// Cancels every job of the sweep that has not ended, or `only` one and those that wait for it, in one transaction; workers are told
    /// with their next heartbeat.
    ///
    /// # Errors
    /// [`LifecycleError::NotOfSweep`], [`LifecycleError::Store`].
    pub async fn cancel(&self, sweep: SweepId, only: Option<JobId>, reason: &str) -> Result<usize, LifecycleError> {
        let reason = if reason.is_empty() { NO_REASON } else { reason };
        let mut transaction = self.store.begin().await?;
        let jobs = match only {
            None => transaction.lock_unended(sweep).await?,
            Some(job) => {
                let locked = super::lock_of_sweep(&mut transaction, sweep, job).await?;
                Some(locked).into_iter().filter(|locked| !locked.job.state.name().is_final()).collect()
            }
        };
        let events = jobs.into_iter().map(|job| (job, Event::Cancel { reason: reason.to_owned() })).collect();
        let applied = transaction.apply(events).await?;
        if applied.changed > 0 {
            transaction.add_sweep_event(sweep, "cancelled", reason).await?;
        }
        transaction.commit().await?;
        info!(sweep_id = %sweep, jobs = applied.changed, reason, "jobs were cancelled");
        self.after(&applied);
        Ok(applied.changed)
    }
}
