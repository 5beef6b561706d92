//! Trainings that make room for jobs of much more important sweeps.

use domain::preemption::{self, Preemption, Terms};
use tracing::info;

use super::{Lifecycle, LifecycleError};

impl Lifecycle {
    /// Tells trainings to make room where the rule says so, and returns how many; their workers hear of it with their next
    /// heartbeats. Of several coordinators one decides at a time, so that no job gets room twice.
    ///
    /// # Errors
    /// [`LifecycleError::Store`]; nothing was told.
    pub async fn preempt(&self, terms: &Terms) -> Result<usize, LifecycleError> {
        if self.store.waiting_jobs(terms).await?.is_empty() {
            return Ok(0);
        }
        let mut transaction = self.store.begin().await?;
        if !transaction.lock_preemption().await? {
            return Ok(0);
        }
        // Looked at again: another coordinator may have made room since.
        let waiting = transaction.waiting_jobs(terms).await?;
        let stations = transaction.stations().await?;
        let chosen = preemption::choose(waiting, &stations, terms);
        if chosen.is_empty() {
            return Ok(0);
        }
        let told = transaction.add_preemptions(&chosen).await?;
        transaction.commit().await?;
        for Preemption { victim, reason, .. } in chosen.iter().filter(|one| told.contains(&one.victim)) {
            info!(job_id = %victim.job, attempt = %victim.epoch, reason, "training was told to make room");
        }
        self.wakeups.announce_change();
        Ok(told.len())
    }
}
