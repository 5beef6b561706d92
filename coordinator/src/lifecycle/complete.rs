//! Completion: the result, the job's success and the release of what waits for it, all or nothing. Completions that arrive while
//! others are being saved are saved together, and answered one by one.

use std::collections::{HashMap, HashSet};

use domain::{
    Digest, JobId,
    job::{Event, JobKind, Rejected},
    report::{Attempt, Completion},
    spec::{Violations, canonical},
};
use store::{Ending, LockedJob, StoreError, TransitionError};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, info};

use super::{Lifecycle, LifecycleError};

/// Completions that may wait to be saved; more wait for room.
const QUEUE: usize = 1024;

/// How a result was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It is the job's result.
    Accepted,
    /// The very same result had been accepted before.
    Duplicate,
}

type Verdict = Result<Acceptance, LifecycleError>;

/// A completion on its way into the database.
#[derive(Debug)]
pub(crate) struct Arrived {
    attempt: Attempt,
    completion: Completion,
    digest: Digest,
    answer: oneshot::Sender<Verdict>,
}

/// Where completions wait to be saved.
pub(super) type Arrivals = mpsc::Sender<Arrived>;

/// The two ends of the queue of completions.
pub(super) fn queue() -> (Arrivals, mpsc::Receiver<Arrived>) {
    mpsc::channel(QUEUE)
}

impl Lifecycle {
    /// Accepts the result of an attempt that runs.
    ///
    /// # Errors
    /// [`LifecycleError::Stale`] or [`LifecycleError::OtherResult`]; nothing changed.
    pub async fn complete(&self, attempt: Attempt, completion: Completion) -> Result<Acceptance, LifecycleError> {
        let digest = Digest::of(canonical::to_string(&completion).as_bytes());
        let (answer, answered) = oneshot::channel();
        let arrived = Arrived { attempt, completion, digest, answer };
        self.arrivals.send(arrived).await.map_err(|_| LifecycleError::Ending)?;
        let acceptance = answered.await.map_err(|_| LifecycleError::Ending)??;
        match acceptance {
            Acceptance::Accepted => self.telemetry.queue().result_accepted(),
            Acceptance::Duplicate => self.telemetry.queue().result_repeated(),
        }
        Ok(acceptance)
    }

    /// Saves a batch of completions and answers each. Should the batch fail as a whole, each is tried alone, so that one that
    /// names an unknown artifact does not cost the others.
    pub(crate) async fn accept(&self, batch: Vec<Arrived>) {
        if batch.is_empty() {
            return;
        }
        let size = batch.len();
        let (batch, again) = one_per_job(batch);
        match self.try_accept(&batch).await {
            Ok(verdicts) => answer_all(batch, verdicts),
            Err(error) if batch.len() == 1 => answer_all(batch, vec![Err(error)]),
            Err(error) => {
                debug!(%error, size, "completions are saved one by one");
                for arrived in batch {
                    let one = [arrived];
                    let verdict = match self.try_accept(&one).await {
                        Ok(mut verdicts) => verdicts.pop().unwrap_or(Err(LifecycleError::Ending)),
                        Err(error) => Err(error),
                    };
                    answer_all(one.into(), vec![verdict]);
                }
            }
        }
        // The same job twice in one batch: the second one finds the first one's outcome.
        for arrived in again {
            Box::pin(self.accept(vec![arrived])).await;
        }
    }

    /// One transaction for all; one verdict for each, in their order.
    async fn try_accept(&self, batch: &[Arrived]) -> Result<Vec<Verdict>, LifecycleError> {
        let mut transaction = self.store.begin().await?;
        let jobs: Vec<JobId> = batch.iter().map(|arrived| arrived.attempt.job).collect();
        let locked = transaction.lock_jobs(&jobs).await?;
        self.learn_devices(&mut transaction, locked.iter()).await?;
        let mut locked: HashMap<JobId, LockedJob> = locked.into_iter().map(|job| (job.job.id, job)).collect();

        let mut verdicts: Vec<Verdict> = Vec::with_capacity(batch.len());
        let (mut endings, mut judged) = (Vec::new(), Vec::new());
        for (at, arrived) in batch.iter().enumerate() {
            let verdict = match locked.remove(&arrived.attempt.job) {
                None => Err(LifecycleError::NoSuchJob(arrived.attempt.job)),
                Some(job) => self.check(&job, arrived).map_err(LifecycleError::from).map(|()| {
                    let event = Event::Complete { epoch: arrived.attempt.epoch };
                    endings.push(Ending { locked: job, event, result_digest: Some(arrived.digest) });
                    judged.push(at);
                    Acceptance::Accepted
                }),
            };
            verdicts.push(verdict);
        }
        let (applied, rejections) = match transaction.apply_each(endings).await {
            Ok(applied) => applied,
            Err(TransitionError::Rejected(rejected)) => return Err(LifecycleError::Stale(rejected)),
            Err(TransitionError::Store(error)) => return Err(error.into()),
        };
        let rejected: Vec<(usize, Rejected)> =
            judged.iter().copied().zip(rejections).filter_map(|(at, rejected)| Some((at, rejected?))).collect();
        let refused: HashSet<usize> = rejected.iter().map(|(at, _)| *at).collect();
        let accepted = judged.iter().filter(|at| !refused.contains(at)).map(|at| &batch[*at]);
        let accepted: Vec<_> = accepted.map(|arrived| (arrived.attempt, &arrived.completion)).collect();
        if !accepted.is_empty() {
            transaction.add_results(&accepted).await?;
            transaction.commit().await?;
            self.telemetry.queue().completed(accepted.len());
            for (attempt, _) in &accepted {
                info!(job_id = %attempt.job, attempt = %attempt.epoch, acceptance = "accepted", "result was accepted");
            }
            self.after(&applied);
        }
        self.judge_repeats(batch, rejected, &mut verdicts).await?;
        Ok(verdicts)
    }

    /// A result must be of its job's kind, and of a device that its session has.
    fn check(&self, job: &LockedJob, arrived: &Arrived) -> Result<(), Violations> {
        check_kind(job.kind, &arrived.completion)?;
        self.check_device(job, arrived.attempt, &arrived.completion)
    }

    /// The answer to the first sending may have been lost: the same result again is no error.
    async fn judge_repeats(
        &self,
        batch: &[Arrived],
        rejected: Vec<(usize, Rejected)>,
        verdicts: &mut [Verdict],
    ) -> Result<(), StoreError> {
        if rejected.is_empty() {
            return Ok(());
        }
        let attempts: Vec<Attempt> = rejected.iter().map(|(at, _)| batch[*at].attempt).collect();
        let outcomes = self.store.outcomes_of(&attempts).await?;
        for (at, rejected) in rejected {
            let Arrived { attempt, digest, .. } = &batch[at];
            verdicts[at] = match outcomes.get(attempt).and_then(|outcome| outcome.result_digest) {
                Some(accepted) if accepted == *digest => Ok(Acceptance::Duplicate),
                Some(_) => Err(LifecycleError::OtherResult),
                None => Err(LifecycleError::Stale(rejected)),
            };
        }
        Ok(())
    }
}

/// The first completion of each job, and the others.
fn one_per_job(batch: Vec<Arrived>) -> (Vec<Arrived>, Vec<Arrived>) {
    let mut seen = HashSet::new();
    batch.into_iter().partition(|arrived| seen.insert(arrived.attempt.job))
}

fn answer_all(batch: Vec<Arrived>, verdicts: Vec<Verdict>) {
    for (arrived, verdict) in batch.into_iter().zip(verdicts) {
        // Whoever asked may have hung up; its result is kept all the same.
        let _ = arrived.answer.send(verdict);
    }
}

/// A result must be of its job's kind.
fn check_kind(kind: JobKind, completion: &Completion) -> Result<(), Violations> {
    let (field, fits) = match completion {
        Completion::Train { .. } => ("train", kind == JobKind::Train),
        Completion::Evaluate { .. } => ("evaluate", kind == JobKind::Evaluate),
        Completion::Inspect { .. } => ("inspect", kind == JobKind::Inspect),
        Completion::Score { .. } => ("score", matches!(kind, JobKind::Score | JobKind::Probe)),
    };
    if fits {
        return Ok(());
    }
    let (does, expected) = match kind {
        JobKind::Train => ("trains", "a `train`"),
        JobKind::Evaluate => ("evaluates", "an `evaluate`"),
        JobKind::Inspect => ("inspects", "an `inspect`"),
        JobKind::Score | JobKind::Probe => ("computes scores", "a `score`"),
    };
    Err(Violations::one(field, format!("the job {does}: {expected} result expected")))
}
