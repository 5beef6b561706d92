//! The only mapping of errors to gRPC codes: a caller's mistake, a conflict, an outage and a bug are four different things.

use artifacts::ArtifactError;
use domain::{JobId, spec::Violations};
use proto::convert::invalid_argument;
use store::StoreError;
use tonic::Status;
use tracing::error;

use crate::lifecycle::LifecycleError;

/// The answer to a request that breaks rules.
pub(super) fn refused(violations: &Violations) -> Status {
    invalid_argument(violations)
}

pub(super) fn of(error: LifecycleError) -> Status {
    let text = error.to_string();
    match error {
        LifecycleError::Invalid(violations) => refused(&violations),
        LifecycleError::NameTaken { .. } | LifecycleError::KeyTaken { .. } => Status::already_exists(text),
        LifecycleError::NoSuchSweep(_)
        | LifecycleError::NoSuchExperiment(_)
        | LifecycleError::NotOfSweep { .. }
        | LifecycleError::NoSuchWorker { .. }
        | LifecycleError::NoSession(_) => Status::not_found(text),
        // A job that is gone is to a worker what one that others run is: nothing of it counts any more.
        LifecycleError::Stale(_)
        | LifecycleError::NotRunning(_)
        | LifecycleError::StoppedEarly(_)
        | LifecycleError::OtherResult
        | LifecycleError::NoSuchJob(_) => Status::failed_precondition(text),
        LifecycleError::Store(error) => of_store(&error),
        LifecycleError::Batch(error) => of_store(&error),
        LifecycleError::Ending => Status::unavailable(text),
    }
}

/// The answer to a client that asks for a job which is not there.
pub(super) fn no_such_job(job: JobId) -> Status {
    Status::not_found(format!("no job {job}: `spillway jobs SWEEP` lists those of a sweep"))
}

pub(super) fn of_store(error: &StoreError) -> Status {
    match error {
        StoreError::Unavailable(_) => Status::unavailable(error.to_string()),
        StoreError::Conflict(_) => Status::aborted(error.to_string()),
        StoreError::UnknownArtifact => refused(&Violations::one("digest", error.to_string())),
        StoreError::Corrupt { .. } | StoreError::Address { .. } | StoreError::Migration(_) | StoreError::Refused(_) => {
            error!(%error, "call failed through a bug");
            Status::internal(error.to_string())
        }
    }
}

pub(super) fn of_artifact(error: &ArtifactError) -> Status {
    match error {
        ArtifactError::Missing { .. } => Status::not_found(error.to_string()),
        ArtifactError::TooLarge { .. } => refused(&Violations::one("header.size", error.to_string())),
        ArtifactError::Mismatch { .. } => refused(&Violations::one("header.digest", error.to_string())),
        ArtifactError::Corrupt { .. } => Status::data_loss(error.to_string()),
        ArtifactError::Unavailable(_) => Status::unavailable(error.to_string()),
        ArtifactError::Place { .. } => Status::internal(error.to_string()),
    }
}
