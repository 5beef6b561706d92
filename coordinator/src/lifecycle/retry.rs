//! Trying again what ended without a result.

use std::collections::HashMap;

use domain::{
    JobId, SweepId,
    job::{Dependency, Event, StateName},
};
use store::{LockedJob, Transaction};
use tracing::info;

use super::{Lifecycle, LifecycleError};

impl Lifecycle {
    /// Opens every failed, cancelled and quarantined job of the sweep again, with fresh budgets. What the sweep's own rule
    /// stopped stays so.
    ///
    /// # Errors
    /// [`LifecycleError::Store`].
    pub async fn retry(&self, sweep: SweepId) -> Result<usize, LifecycleError> {
        let mut transaction = self.store.begin().await?;
        let jobs = transaction.lock_ended(sweep).await?;
        let events = openings(&mut transaction, jobs).await?;
        let applied = transaction.apply(events).await?;
        if applied.changed > 0 {
            transaction.add_sweep_event(sweep, "retried", "").await?;
        }
        transaction.commit().await?;
        info!(sweep_id = %sweep, jobs = applied.changed, "sweep was retried");
        self.after(&applied);
        Ok(applied.changed)
    }
}

/// The retry of each job that does not follow another one: a job whose dependency is opened here is opened with it.
async fn openings(
    transaction: &mut Transaction,
    jobs: Vec<LockedJob>,
) -> Result<Vec<(LockedJob, Event)>, LifecycleError> {
    let parents: Vec<JobId> = jobs.iter().filter_map(|job| job.depends_on).collect();
    let states: HashMap<JobId, StateName> = transaction.states_of(&parents).await?.into_iter().collect();
    let openings = jobs.into_iter().filter_map(|job| {
        let dependency = match job.depends_on.and_then(|parent| states.get(&parent)) {
            None | Some(StateName::Succeeded) => Dependency::Met,
            Some(StateName::Blocked | StateName::Ready | StateName::Running) => Dependency::Pending,
            Some(StateName::Failed | StateName::Cancelled | StateName::Quarantined | StateName::Stopped) => {
                return None;
            }
        };
        Some((job, Event::Retry { dependency }))
    });
    Ok(openings.collect())
}
