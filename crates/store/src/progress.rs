//! How far running attempts are.

use domain::{
    Epoch, JobId, SessionId,
    report::{Attempt, Progress},
};
use sqlx::query_file;

use crate::{Store, StoreError, column};

impl Store {
    /// Keeps the progress of the attempts that `session` runs, and yields those that it does not run any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_progress(&self, session: SessionId, progress: &[Progress]) -> Result<Vec<Attempt>, StoreError> {
        if progress.is_empty() {
            return Ok(Vec::new());
        }
        let rows = query_file!(
            "queries/progress/upsert.sql",
            session.0,
            &progress.iter().map(|one| one.attempt.job.0).collect::<Vec<_>>(),
            &progress.iter().map(|one| one.attempt.epoch.0).collect::<Vec<_>>(),
            &progress.iter().map(|one| column::bigint(one.done)).collect::<Vec<_>>(),
            &progress.iter().map(|one| column::bigint(one.total)).collect::<Vec<_>>(),
            &progress.iter().map(|one| one.images_per_second).collect::<Vec<_>>(),
            &progress.iter().map(|one| one.bits_per_dim).collect::<Vec<_>>() as &[Option<f64>],
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| Attempt { job: JobId(row.job_id), epoch: Epoch(row.epoch) }).collect())
    }
}
