//! Trying again what ended without a result.

use std::collections::HashMap;

use domain::{
    JobId, SweepId,
    job::{Dependency, Event, RetryScope, StateName},
    spec::Violations,
};
use store::{LockedJob, Transaction};
use tracing::info;

use super::{Lifecycle, LifecycleError};

impl Lifecycle {
    /// Opens the jobs of the sweep that `scope` includes again, or `only` one of them, with fresh budgets; jobs that ended with one of them
    /// follow it. What the sweep's own rule stopped stays so.
    ///
    /// # Errors
    /// [`LifecycleError::NotOfSweep`]; [`LifecycleError::Invalid`] for one job that waits for another that ended.
    pub async fn retry(&self, sweep: SweepId, scope: RetryScope, only: Option<JobId>) -> Result<usize, LifecycleError> {
        let mut transaction = self.store.begin().await?;
        let ended = match only {
            None => transaction.lock_ended(sweep).await?,
            Some(job) => vec![super::lock_of_sweep(&mut transaction, sweep, job).await?],
        };
        let jobs: Vec<LockedJob> = ended.into_iter().filter(|locked| scope.includes(locked.job.state.name())).collect();
        let states = parents_of(&mut transaction, &jobs).await?;
        if only.is_some() {
            jobs.iter().try_for_each(|job| require_open_parent(job, &states))?;
        }
        let applied = transaction.apply(openings(jobs, &states)).await?;
        if applied.changed > 0 {
            transaction.add_sweep_event(sweep, "retried", "").await?;
        }
        transaction.commit().await?;
        info!(sweep_id = %sweep, jobs = applied.changed, "jobs were retried");
        self.after(&applied);
        Ok(applied.changed)
    }
}

/// The states of the jobs that these wait or waited for.
async fn parents_of(
    transaction: &mut Transaction,
    jobs: &[LockedJob],
) -> Result<HashMap<JobId, StateName>, LifecycleError> {
    let parents: Vec<JobId> = jobs.iter().filter_map(|job| job.depends_on).collect();
    Ok(transaction.states_of(&parents).await?.into_iter().collect())
}

/// The retry of each job that does not follow another one: a job whose dependency is opened here is opened with it.
fn openings(jobs: Vec<LockedJob>, states: &HashMap<JobId, StateName>) -> Vec<(LockedJob, Event)> {
    let opening = |job: LockedJob| dependency(&job, states).map(|dependency| (job, Event::Retry { dependency }));
    jobs.into_iter().filter_map(opening).collect()
}

/// Where the job stands that this one waits for; nothing when that one ended without a result.
fn dependency(job: &LockedJob, states: &HashMap<JobId, StateName>) -> Option<Dependency> {
    match job.depends_on.and_then(|parent| states.get(&parent)) {
        None | Some(StateName::Succeeded) => Some(Dependency::Met),
        Some(StateName::Blocked | StateName::Ready | StateName::Running) => Some(Dependency::Pending),
        Some(StateName::Failed | StateName::Cancelled | StateName::Quarantined | StateName::Stopped) => None,
    }
}

/// A user who names one job is told why it cannot be opened alone.
fn require_open_parent(job: &LockedJob, states: &HashMap<JobId, StateName>) -> Result<(), Violations> {
    let (Some(parent), None) = (job.depends_on, dependency(job, states)) else { return Ok(()) };
    let state = states.get(&parent).map_or("gone", |state| state.as_str());
    let message = format!(
        "job {} waits for job {parent}, which is {state}: retry job {parent}, and this one follows",
        job.job.id
    );
    Err(Violations::one("job_id", message))
}
