//! Where one job stands, and its attempts: what an explanation rests on.

use domain::{
    JobId, SweepId, Timestamp,
    explanation::DependencyFacts,
    fleet::Requirement,
    job::{JobKind, State, StateName},
};
use sqlx::{query_file, query_file_as};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Store, StoreError, column, fleet::labels};

/// A job, its sweep and what it waits for.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "as the columns of the view `job_overview`, where nothing is said")]
pub struct JobStanding {
    pub now: Timestamp,
    pub job: JobId,
    pub kind: JobKind,
    pub sweep_id: SweepId,
    pub sweep: String,
    pub variant: String,
    pub seed: i64,
    pub out_dataset: Option<String>,
    pub state: State,
    pub epoch: i32,
    /// What it asks of workers.
    pub requirement: Requirement,
    /// Most jobs of its sweep that may run.
    pub max_running: Option<u32>,
    /// Jobs of its sweep that run.
    pub running_of_sweep: u64,
    /// Ready jobs of its sweep and kind before it; counted up to 1,000.
    pub before_in_lane: u64,
    /// The job that it waits or waited for.
    pub dependency: Option<DependencyFacts>,
    /// The worker that runs it, and until when its lease goes.
    pub worker: Option<(String, Timestamp)>,
    /// When the attempt that runs began.
    pub started_at: Option<Timestamp>,
    /// Steps or images done and in all.
    pub progress: Option<(u64, u64)>,
    /// Attempts so far.
    pub attempts: u64,
}

/// An attempt and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as the columns of `attempt` and `attempt_outcome`")]
pub struct AttemptRow {
    pub epoch: i32,
    pub worker: String,
    pub session_id: Uuid,
    started_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
    pub outcome: Option<String>,
    pub detail: Option<String>,
}

struct Row {
    now: OffsetDateTime,
    id: i64,
    kind: String,
    state: String,
    epoch: i32,
    device: String,
    not_before: Option<OffsetDateTime>,
    session_id: Option<Uuid>,
    reason: Option<String>,
    sweep_id: Uuid,
    sweep: String,
    max_running: Option<i32>,
    memory_bytes: i64,
    labels: Vec<String>,
    variant: String,
    seed: i64,
    out_dataset: Option<String>,
    running_of_sweep: i64,
    before_in_lane: i64,
    parent_id: Option<i64>,
    parent_kind: Option<String>,
    parent_state: Option<String>,
    parent_reason: Option<String>,
    parent_done: Option<i64>,
    parent_total: Option<i64>,
    parents_left: i64,
    worker: Option<String>,
    lease_until: Option<OffsetDateTime>,
    started_at: Option<OffsetDateTime>,
    done: Option<i64>,
    total: Option<i64>,
    attempts: i64,
}

impl AttemptRow {
    /// When it began.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        column::timestamp(self.started_at)
    }

    /// When it ended.
    #[must_use]
    pub fn ended(&self) -> Option<Timestamp> {
        self.ended_at.map(column::timestamp)
    }
}

impl Store {
    /// Where a job stands; nothing when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn job_standing(&self, job: JobId) -> Result<Option<JobStanding>, StoreError> {
        let row = query_file_as!(Row, "queries/views/job_standing.sql", job.0).fetch_optional(&self.pool).await?;
        row.map(JobStanding::try_from).transpose()
    }

    /// The newest attempts at a job, at most `limit`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attempts(&self, job: JobId, limit: u32) -> Result<Vec<AttemptRow>, StoreError> {
        let rows = query_file_as!(AttemptRow, "queries/views/attempts.sql", job.0, i64::from(limit));
        let mut attempts = rows.fetch_all(&self.pool).await?;
        attempts.reverse();
        Ok(attempts)
    }

    /// The names of sweeps, in no order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep_names(&self, sweeps: &[SweepId]) -> Result<Vec<(SweepId, String)>, StoreError> {
        let ids: Vec<Uuid> = sweeps.iter().map(|sweep| sweep.0).collect();
        let rows = query_file!("queries/sweep/names.sql", &ids).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|row| (SweepId(row.id), row.name)).collect())
    }
}

impl TryFrom<Row> for JobStanding {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let kind = column::named("a job's kind", &row.kind)?;
        Ok(Self {
            now: column::timestamp(row.now),
            job: JobId(row.id),
            kind,
            sweep_id: SweepId(row.sweep_id),
            state: column::state(&row.state, row.not_before, row.session_id, row.reason.clone())?,
            epoch: row.epoch,
            requirement: Requirement {
                device: column::named("a job's device", &row.device)?,
                memory_bytes: column::count(row.memory_bytes),
                labels: labels(&row.labels)?,
            }
            .of_kind(kind),
            max_running: row.max_running.and_then(|limit| u32::try_from(limit).ok()),
            running_of_sweep: column::count(row.running_of_sweep),
            before_in_lane: column::count(row.before_in_lane),
            dependency: row.dependency()?,
            worker: row.worker.clone().zip(row.lease_until.map(column::timestamp)),
            started_at: row.started_at.map(column::timestamp),
            progress: progress(row.done, row.total),
            attempts: column::count(row.attempts),
            sweep: row.sweep,
            variant: row.variant,
            seed: row.seed,
            out_dataset: row.out_dataset,
        })
    }
}

impl Row {
    fn dependency(&self) -> Result<Option<DependencyFacts>, StoreError> {
        let (Some(job), Some(kind), Some(state)) = (self.parent_id, &self.parent_kind, &self.parent_state) else {
            return Ok(None);
        };
        let state: StateName = column::named("a job's state", state)?;
        let progress = progress(self.parent_done, self.parent_total);
        let kind = column::named("a job's kind", kind)?;
        Ok(Some(DependencyFacts {
            job: JobId(job),
            kind,
            state,
            reason: self.parent_reason.clone(),
            progress,
            others: column::count(self.parents_left).saturating_sub(1),
        }))
    }
}

fn progress(done: Option<i64>, total: Option<i64>) -> Option<(u64, u64)> {
    done.zip(total).map(|(done, total)| (column::count(done), column::count(total)))
}
