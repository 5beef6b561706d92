//! Jobs as rows: locking them, and reading them as the rules see them.

use std::collections::HashMap;

use domain::{
    Digest, Epoch, JobId, SessionId, SweepId, Timestamp,
    job::{Budgets, Job, JobKind, StateName},
};
use sqlx::query_file_as;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Store, StoreError, Transaction, column};

/// A job whose row is locked until the transaction ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedJob {
    /// The job.
    pub job: Job,
    /// The sweep it belongs to.
    pub sweep: SweepId,
    /// What it does.
    pub kind: JobKind,
    /// The job that it waits for; the first of them, where [`JobKind::may_wait_for_several`].
    pub depends_on: Option<JobId>,
    /// The time at which it was locked.
    pub now: Timestamp,
}

/// What jobs wait for, and where it stood when it was read.
#[derive(Debug, Default)]
pub struct Parents {
    by_job: HashMap<JobId, Vec<(JobId, StateName)>>,
}

impl Parents {
    /// Everything that `job` waits for, in the order of ids; nothing when it was not asked for, or waits for nothing.
    #[must_use]
    pub fn of(&self, job: &LockedJob) -> Option<&[(JobId, StateName)]> {
        self.by_job.get(&job.job.id).map(Vec::as_slice)
    }
}

pub(crate) struct JobRow {
    id: i64,
    sweep_id: Uuid,
    kind: String,
    depends_on: Option<i64>,
    state: String,
    epoch: i32,
    not_before: Option<OffsetDateTime>,
    session_id: Option<Uuid>,
    failures: i16,
    infrastructure_failures: i16,
    crashes: i16,
    max_failures: i16,
    max_infrastructure_failures: i16,
    max_crashes: i16,
    reason: Option<String>,
    now: OffsetDateTime,
}

impl Transaction {
    /// Locks a job; nothing when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_job(&mut self, job: JobId) -> Result<Option<LockedJob>, StoreError> {
        let row = query_file_as!(JobRow, "queries/job/lock.sql", job.0).fetch_optional(&mut *self.inner).await?;
        row.map(LockedJob::try_from).transpose()
    }

    /// Locks several jobs, by id; those that there are not are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_jobs(&mut self, jobs: &[JobId]) -> Result<Vec<LockedJob>, StoreError> {
        let ids: Vec<i64> = jobs.iter().map(|job| job.0).collect();
        locked(query_file_as!(JobRow, "queries/job/lock_many.sql", &ids).fetch_all(&mut *self.inner).await?)
    }

    /// Locks every job that `session` runs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_running_of(&mut self, session: SessionId) -> Result<Vec<LockedJob>, StoreError> {
        let rows = query_file_as!(JobRow, "queries/job/lock_running_of_session.sql", session.0);
        locked(rows.fetch_all(&mut *self.inner).await?)
    }

    /// Locks every job of `sweep` that has not ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_unended(&mut self, sweep: SweepId) -> Result<Vec<LockedJob>, StoreError> {
        locked(query_file_as!(JobRow, "queries/job/lock_unended.sql", sweep.0).fetch_all(&mut *self.inner).await?)
    }

    /// Locks every train job of `sweep` that has not ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_unended_trains(&mut self, sweep: SweepId) -> Result<Vec<LockedJob>, StoreError> {
        let rows = query_file_as!(JobRow, "queries/job/lock_unended_trains.sql", sweep.0);
        locked(rows.fetch_all(&mut *self.inner).await?)
    }

    /// Locks the train jobs of `sweep` behind the first `limit` of its expansion.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_trains_beyond(&mut self, sweep: SweepId, limit: u32) -> Result<Vec<LockedJob>, StoreError> {
        let rows = query_file_as!(JobRow, "queries/job/lock_trains_beyond.sql", sweep.0, i64::from(limit));
        locked(rows.fetch_all(&mut *self.inner).await?)
    }

    /// Locks every job of `sweep` that ended without a result, and those that they wait for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_ended(&mut self, sweep: SweepId) -> Result<Vec<LockedJob>, StoreError> {
        locked(query_file_as!(JobRow, "queries/job/lock_ended.sql", sweep.0).fetch_all(&mut *self.inner).await?)
    }

    /// Locks the jobs in one of `states` that wait or waited for one of `parents`.
    pub(crate) async fn lock_dependents(
        &mut self,
        parents: &[i64],
        states: &[StateName],
    ) -> Result<Vec<LockedJob>, StoreError> {
        let names: Vec<String> = states.iter().map(|state| state.as_str().to_owned()).collect();
        let rows = query_file_as!(JobRow, "queries/job/lock_dependents.sql", parents, &names);
        locked(rows.fetch_all(&mut *self.inner).await?)
    }

    /// Locks the jobs in one of `states` that wait or waited for one of `parents`, for those, and so on.
    pub(crate) async fn lock_descendants(
        &mut self,
        parents: &[i64],
        states: &[StateName],
    ) -> Result<Vec<LockedJob>, StoreError> {
        let names: Vec<String> = states.iter().map(|state| state.as_str().to_owned()).collect();
        let rows = query_file_as!(JobRow, "queries/job/lock_descendants.sql", parents, &names);
        locked(rows.fetch_all(&mut *self.inner).await?)
    }

    /// Locks a job, all that wait for it, and all that any of these waits for, and yields the job; nothing when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_family(&mut self, job: JobId) -> Result<Option<LockedJob>, StoreError> {
        let rows = query_file_as!(JobRow, "queries/job/lock_family.sql", job.0);
        let rows = rows.fetch_all(&mut *self.inner).await?;
        rows.into_iter().find(|row| row.id == job.0).map(LockedJob::try_from).transpose()
    }

    /// What `jobs` wait for. Where that stands may change at once, unless those rows are locked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parents(&mut self, jobs: &[LockedJob]) -> Result<Parents, StoreError> {
        let ids: Vec<i64> = jobs.iter().map(|job| job.job.id.0).collect();
        self.parents_of(&ids).await
    }

    pub(crate) async fn parents_of(&mut self, jobs: &[i64]) -> Result<Parents, StoreError> {
        let rows = sqlx::query_file!("queries/job_dependency/parents.sql", jobs).fetch_all(&mut *self.inner).await?;
        let mut parents = Parents::default();
        for row in rows {
            let state = column::named("a job's state", &row.parent_state)?;
            parents.by_job.entry(JobId(row.job_id)).or_default().push((JobId(row.parent_id), state));
        }
        Ok(parents)
    }
}

impl Store {
    /// Ready jobs of one sweep and kind whose trained checkpoint is among `digests`, with their places in the queue, oldest first,
    /// at most `limit`: a worker that has these artifacts on its disk runs them without a download.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn local_jobs(
        &self,
        sweep: SweepId,
        kind: JobKind,
        digests: &[Digest],
        limit: u32,
    ) -> Result<Vec<(JobId, i64)>, StoreError> {
        if digests.is_empty() {
            return Ok(Vec::new());
        }
        let digests: Vec<Vec<u8>> = digests.iter().map(|digest| digest.as_bytes().to_vec()).collect();
        let rows = sqlx::query_file!("queries/job/local.sql", sweep.0, kind.as_str(), &digests, i64::from(limit));
        Ok(rows.fetch_all(&self.pool).await?.into_iter().map(|row| (JobId(row.id), row.ready_seq)).collect())
    }
}

fn locked(rows: Vec<JobRow>) -> Result<Vec<LockedJob>, StoreError> {
    rows.into_iter().map(LockedJob::try_from).collect()
}

impl TryFrom<JobRow> for LockedJob {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        let state = column::state(&row.state, row.not_before, row.session_id, row.reason)?;
        Ok(Self {
            job: Job {
                id: JobId(row.id),
                state,
                epoch: Epoch(row.epoch),
                spent: budgets(row.failures, row.infrastructure_failures, row.crashes)?,
                limits: budgets(row.max_failures, row.max_infrastructure_failures, row.max_crashes)?,
            },
            sweep: SweepId(row.sweep_id),
            kind: column::named("a job's kind", &row.kind)?,
            depends_on: row.depends_on.map(JobId),
            now: column::timestamp(row.now),
        })
    }
}

fn budgets(failures: i16, infrastructure: i16, crashes: i16) -> Result<Budgets, StoreError> {
    let read = |count: i16| u16::try_from(count).map_err(|error| StoreError::corrupt("a job's budget", error));
    Ok(Budgets { failures: read(failures)?, infrastructure: read(infrastructure)?, crashes: read(crashes)? })
}
