//! Completion: the result, the job's success and the release of what waits for it, all or nothing.

use domain::{
    Digest,
    job::{Event, JobKind, Rejected},
    report::{Attempt, Completion},
    spec::{Violations, canonical},
};
use store::{Ending, TransitionError};
use tracing::info;

use super::{Lifecycle, LifecycleError};

/// How a result was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It is the job's result.
    Accepted,
    /// The very same result had been accepted before.
    Duplicate,
}

impl Lifecycle {
    /// Accepts the result of an attempt that runs.
    ///
    /// # Errors
    /// [`LifecycleError::Stale`] or [`LifecycleError::OtherResult`]; nothing changed.
    pub async fn complete(&self, attempt: Attempt, completion: &Completion) -> Result<Acceptance, LifecycleError> {
        let result_digest = Digest::of(canonical::to_string(completion).as_bytes());
        let mut transaction = self.store.begin().await?;
        let Some(locked) = transaction.lock_job(attempt.job).await? else {
            return Err(LifecycleError::NoSuchJob(attempt.job));
        };
        check_kind(locked.kind, completion)?;
        let event = Event::Complete { epoch: attempt.epoch };
        let ending = Ending { locked, event, result_digest: Some(result_digest) };
        let applied = match transaction.apply_endings(vec![ending]).await {
            Ok(applied) => applied,
            Err(TransitionError::Rejected(rejected)) => {
                drop(transaction);
                return self.judge_repeat(attempt, result_digest, rejected).await;
            }
            Err(TransitionError::Store(error)) => return Err(error.into()),
        };
        transaction.add_result(attempt, completion).await?;
        transaction.commit().await?;
        info!(job_id = %attempt.job, attempt = %attempt.epoch, "result was accepted");
        self.after(&applied);
        Ok(Acceptance::Accepted)
    }

    /// The answer to the first sending may have been lost: the same result again is no error.
    async fn judge_repeat(
        &self,
        attempt: Attempt,
        result_digest: Digest,
        rejected: Rejected,
    ) -> Result<Acceptance, LifecycleError> {
        match self.store.outcome_of(attempt).await?.and_then(|outcome| outcome.result_digest) {
            Some(accepted) if accepted == result_digest => Ok(Acceptance::Duplicate),
            Some(_) => Err(LifecycleError::OtherResult),
            None => Err(LifecycleError::Stale(rejected)),
        }
    }
}

/// A result must be of its job's kind.
fn check_kind(kind: JobKind, completion: &Completion) -> Result<(), Violations> {
    let (field, found) = match completion {
        Completion::Train { .. } => ("train", JobKind::Train),
        Completion::Evaluate { .. } => ("evaluate", JobKind::Evaluate),
        Completion::Inspect { .. } => ("inspect", JobKind::Inspect),
    };
    if found == kind {
        return Ok(());
    }
    let (does, expected) = match kind {
        JobKind::Train => ("trains", "a `train`"),
        JobKind::Evaluate => ("evaluates", "an `evaluate`"),
        JobKind::Inspect => ("inspects", "an `inspect`"),
    };
    Err(Violations::one(field, format!("the job {does}: {expected} result expected")))
}
