//! Checkpoints: which artifact resumes which job from which step.

use domain::report::{Attempt, CheckpointRef};
use sqlx::query_file_scalar;

use crate::{Currency, Store, StoreError, column};

impl Store {
    /// Keeps a checkpoint if `attempt` runs; one that is there already stays as it is.
    ///
    /// # Errors
    /// [`StoreError::UnknownArtifact`] when it was not put into the artifact store first.
    pub async fn add_checkpoint(&self, attempt: Attempt, checkpoint: CheckpointRef) -> Result<Currency, StoreError> {
        let current = query_file_scalar!(
            "queries/checkpoint/insert.sql",
            attempt.job.0,
            attempt.epoch.0,
            column::bigint(checkpoint.step),
            &checkpoint.digest.as_bytes()[..],
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Currency::of(current))
    }
}
