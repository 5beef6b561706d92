//! Budgets of sweeps: what they leave out is stopped.

use domain::{SweepId, job::Event, sweep::Budget};
use store::{LockedJob, SpentBudget, Transaction};
use tracing::info;

use super::{Lifecycle, LifecycleError};

/// Sweeps looked at in one go.
const BATCH: u32 = 100;

impl Lifecycle {
    /// Stops the trainings of every sweep that has spent its device hours, running ones too; returns how many jobs that
    /// ended, those that waited for them included. What was trained is still evaluated.
    ///
    /// # Errors
    /// [`LifecycleError::Store`]; sweeps before the failure stay stopped.
    pub async fn stop_spent_sweeps(&self) -> Result<usize, LifecycleError> {
        let mut stopped = 0;
        for budget in self.store.spent_budgets(BATCH).await? {
            stopped += self.stop_spent(budget).await?;
        }
        Ok(stopped)
    }

    async fn stop_spent(&self, budget: SpentBudget) -> Result<usize, LifecycleError> {
        let SpentBudget { sweep, limit, spent } = budget;
        let reason = Budget::hours_spent(spent, limit);
        let mut transaction = self.store.begin().await?;
        let jobs = transaction.lock_unended_trains(sweep).await?;
        let applied = transaction.apply(stops(jobs, &reason)).await?;
        if applied.changed > 0 {
            transaction.add_sweep_event(sweep, "budget spent", &reason).await?;
        }
        transaction.commit().await?;
        info!(sweep_id = %sweep, jobs = applied.changed, reason, "sweep was stopped");
        self.after(&applied);
        Ok(applied.changed)
    }
}

/// Stops the experiments of a sweep that is being stored behind the first `limit`: they never start.
pub(super) async fn leave_out(
    transaction: &mut Transaction,
    sweep: SweepId,
    limit: u32,
) -> Result<usize, LifecycleError> {
    let jobs = transaction.lock_trains_beyond(sweep, limit).await?;
    Ok(transaction.apply(stops(jobs, &Budget::experiments_spent(limit))).await?.changed)
}

fn stops(jobs: Vec<LockedJob>, reason: &str) -> Vec<(LockedJob, Event)> {
    jobs.into_iter().map(|job| (job, Event::Stop { reason: reason.to_owned() })).collect()
}
