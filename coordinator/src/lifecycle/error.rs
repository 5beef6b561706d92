//! Why a call changed nothing.

use std::sync::Arc;

use domain::{ExperimentId, JobId, SessionId, SweepId, job::Rejected, spec::Violations};
use store::{StoreError, TransitionError};

/// A call was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// The request breaks rules.
    #[error("{0}")]
    Invalid(#[from] Violations),
    /// The name belongs to another document.
    #[error(
        "the name `{name}` is taken by another sweep ({id}): a stored sweep never changes; give this one another name"
    )]
    NameTaken {
        /// The name.
        name: String,
        /// The sweep that has it.
        id: SweepId,
    },
    /// The idempotency key belongs to another document.
    #[error(
        "this idempotency key was used for sweep `{name}` ({id}) with another document: use a new key for each sweep"
    )]
    KeyTaken {
        /// The sweep's name.
        name: String,
        /// The sweep.
        id: SweepId,
    },
    /// There is no such sweep.
    #[error("no sweep `{0}`: `spillway list` shows what there is")]
    NoSuchSweep(String),
    /// There is no such experiment.
    #[error("no experiment {0}: `spillway jobs SWEEP --format json` lists those of a sweep")]
    NoSuchExperiment(ExperimentId),
    /// The session is closed, or was never opened.
    #[error("session {0} is closed or unknown: open a new one")]
    NoSession(SessionId),
    /// The report is not about the attempt that runs.
    #[error("{0}")]
    Stale(Rejected),
    /// The report is about an attempt that does not run.
    #[error("job {job} does not run at epoch {epoch}: another attempt holds it or it has ended", job = .0.job, epoch = .0.epoch)]
    NotRunning(domain::report::Attempt),
    /// The sweep's early stopping ended the attempt by what it reported.
    #[error("the sweep's early stopping has ended this attempt: {0}")]
    StoppedEarly(String),
    /// The attempt succeeded with another result.
    #[error("this attempt has succeeded with another result, which stays")]
    OtherResult,
    /// There is no such job.
    #[error("no job {0}: its sweep may be gone")]
    NoSuchJob(JobId),
    /// The sweep has no such job.
    #[error("sweep {sweep} has no job {job}: `spillway jobs SWEEP` lists those that it has")]
    NotOfSweep {
        /// The job.
        job: JobId,
        /// The sweep.
        sweep: SweepId,
    },
    /// No open session has this name or id.
    #[error("no worker `{name}` is there: {}", workers_there(.open, *.more))]
    NoSuchWorker {
        /// What was asked for.
        name: String,
        /// Workers that are there.
        open: Vec<String>,
        /// How many others are.
        more: usize,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database failed for every call of a batch.
    #[error(transparent)]
    Batch(#[from] Arc<StoreError>),
    /// This coordinator ends.
    #[error("this coordinator is shutting down: ask another one, or again in a moment")]
    Ending,
}

impl From<TransitionError> for LifecycleError {
    fn from(error: TransitionError) -> Self {
        match error {
            TransitionError::Rejected(rejected) => Self::Stale(rejected),
            TransitionError::Store(error) => Self::Store(error),
        }
    }
}

fn workers_there(names: &[String], more: usize) -> String {
    match (names.is_empty(), more) {
        (true, _) => "none is; a worker that has ended need not drain".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}
