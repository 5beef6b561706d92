//! Trying again what ended without a result.

use domain::{
    JobId, SweepId,
    job::{Dependency, Event, RetryScope, StateName},
    spec::Violations,
};
use store::{LockedJob, Parents};
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
            Some(job) => {
                let locked = transaction.lock_family(job).await?.filter(|locked| locked.sweep == sweep);
                vec![locked.ok_or(LifecycleError::NotOfSweep { job, sweep })?]
            }
        };
        let jobs: Vec<LockedJob> = ended.into_iter().filter(|locked| scope.includes(locked.job.state.name())).collect();
        // Their rows are locked, too: a parent that succeeds meanwhile waits, and finds the job that it must release.
        let parents = transaction.parents(&jobs).await?;
        if only.is_some() {
            jobs.iter().try_for_each(|job| require_open_parents(job, &parents))?;
        }
        let applied = transaction.apply(openings(jobs, &parents)).await?;
        if applied.changed > 0 {
            transaction.add_sweep_event(sweep, "retried", "").await?;
        }
        transaction.commit().await?;
        info!(sweep_id = %sweep, jobs = applied.changed, "jobs were retried");
        self.after(&applied);
        Ok(applied.changed)
    }
}

/// The retry of each job that does not follow another one: a job whose dependency is opened here is opened with it.
fn openings(jobs: Vec<LockedJob>, parents: &Parents) -> Vec<(LockedJob, Event)> {
    let opening = |job: LockedJob| match dependency(&job, parents) {
        dependency @ (Dependency::Met | Dependency::Pending) => Some((job, Event::Retry { dependency })),
        Dependency::Ended => None,
    };
    jobs.into_iter().filter_map(opening).collect()
}

/// Where the jobs stand that this one waits for.
fn dependency(job: &LockedJob, parents: &Parents) -> Dependency {
    Dependency::of(parents.of(job).unwrap_or_default().iter().map(|(_, state)| *state))
}

/// A user who names one job is told why it cannot be opened alone.
fn require_open_parents(job: &LockedJob, parents: &Parents) -> Result<(), Violations> {
    let ended = |(_, state): &&(JobId, StateName)| Dependency::of([*state]) == Dependency::Ended;
    let Some((parent, state)) = parents.of(job).unwrap_or_default().iter().find(ended) else { return Ok(()) };
    let message = format!(
        "job {} waits for job {parent}, which is {state}: retry job {parent}, and this one follows",
        job.job.id
    );
    Err(Violations::one("job_id", message))
}
