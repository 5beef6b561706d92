//! How far running attempts are.

use domain::{Epoch, JobId, SessionId, lease::Directive, report::Progress};
use sqlx::query_file;

use crate::{Store, StoreError, column};

impl Store {
    /// Keeps the progress of the attempts that `session` runs, and yields what it is to be told of them: to abandon those that it
    /// does not run any more, and to make room where another job needs it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_progress(&self, session: SessionId, progress: &[Progress]) -> Result<Vec<Directive>, StoreError> {
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
        let directive = |job, epoch, current| match current {
            false => Directive::Abandon { job, epoch },
            true => Directive::Preempt { job, epoch },
        };
        Ok(rows.into_iter().map(|row| directive(JobId(row.job_id), Epoch(row.epoch), row.current)).collect())
    }
}
