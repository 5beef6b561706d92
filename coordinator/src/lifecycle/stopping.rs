//! Early stopping: reports of validation are kept, take their place in the order, and decide.

use domain::{
    job::{Event, StateName},
    report::{Attempt, ValidationPoint},
    stopping::Verdict,
};
use store::{RungReport, StoppingRule, Transaction, TransitionError};
use tracing::info;

use super::{Lifecycle, LifecycleError, report::require_current};

impl Lifecycle {
    /// Keeps points of an attempt that runs, and stops it if its sweep's rule says so: all in one transaction, so that
    /// there is no report without its decision.
    ///
    /// # Errors
    /// [`LifecycleError::NotRunning`]: nothing was kept. [`LifecycleError::StoppedEarly`]: the points were kept, and the
    /// attempt has ended.
    pub async fn validate(&self, attempt: Attempt, points: &[ValidationPoint]) -> Result<(), LifecycleError> {
        if points.is_empty() {
            return Ok(());
        }
        let Some(rule) = self.store.stopping_rule(attempt.job).await? else {
            return require_current(attempt, self.store.add_validation_points(attempt, points).await?);
        };
        let mut transaction = self.store.begin().await?;
        transaction.lock_rung_reports(rule.sweep).await?;
        let Some(locked) = transaction.lock_job(attempt.job).await? else {
            return Err(LifecycleError::NoSuchJob(attempt.job));
        };
        if locked.job.epoch != attempt.epoch || locked.job.state.name() != StateName::Running {
            return Err(LifecycleError::NotRunning(attempt));
        }
        require_current(attempt, transaction.add_validation_points(attempt, points).await?)?;
        let Some(reason) = judge(&mut transaction, &rule, attempt, points).await? else {
            return Ok(transaction.commit().await?);
        };
        let event = Event::StopEarly { epoch: attempt.epoch, reason: reason.clone() };
        let applied = transaction.apply(vec![(locked, event)]).await.map_err(|error| match error {
            TransitionError::Rejected(rejected) => LifecycleError::Stale(rejected),
            TransitionError::Store(error) => error.into(),
        })?;
        transaction.commit().await?;
        info!(job_id = %attempt.job, attempt = %attempt.epoch, reason, "attempt was stopped early");
        self.after(&applied);
        Err(LifecycleError::StoppedEarly(reason))
    }
}

/// Gives each point that the rule looks at its place, in the order of steps, and says why the attempt is stopped, if it
/// is. A step that was reported before, by this attempt or an earlier one, was judged then.
async fn judge(
    transaction: &mut Transaction,
    StoppingRule { sweep, rule, steps }: &StoppingRule,
    attempt: Attempt,
    points: &[ValidationPoint],
) -> Result<Option<String>, LifecycleError> {
    let mut due: Vec<&ValidationPoint> = points.iter().filter(|point| rule.reports_at(point.step, *steps)).collect();
    due.sort_by_key(|point| point.step);
    for point in due {
        let earlier = transaction.rung_values(attempt.job, point.step).await?;
        if earlier.last().is_some_and(|(step, _)| *step == point.step) {
            continue;
        }
        let values: Vec<Option<f64>> =
            earlier.into_iter().map(|(_, value)| value).chain([rule.metric().of(point)]).collect();
        let standing = rule.metric().standing(&values);
        let others = transaction.rung_standings(*sweep, point.step).await?;
        let verdict = rule.judge(point.step, &standing, &others);
        let stop_reason = match &verdict {
            Verdict::GoOn => None,
            Verdict::Stop { reason } => Some(reason.as_str()),
        };
        let report = RungReport { sweep: *sweep, attempt, step: point.step, standing, stop_reason };
        transaction.add_rung_report(report).await?;
        if let Verdict::Stop { reason } = verdict {
            return Ok(Some(reason));
        }
    }
    Ok(None)
}
