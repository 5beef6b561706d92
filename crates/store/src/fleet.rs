//! The fleet: what each session runs, and which are told to drain.

use std::collections::BTreeSet;

use domain::{
    JobId, SessionId, Timestamp,
    fleet::{Label, Offer},
};
use sqlx::{query_file, query_file_as};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Store, StoreError, column};

/// A session and what it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerRow {
    /// The session.
    pub session: SessionId,
    /// The worker's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it offers; artifacts are not kept.
    pub offer: Offer,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When its lease ends or ended.
    pub lease_until: Timestamp,
    /// Whether it was told to drain.
    pub is_draining: bool,
    /// When and why it was closed.
    pub closed: Option<(Timestamp, String)>,
    /// Since when it runs nothing.
    pub idle_since: Option<Timestamp>,
    /// What it runs, by id.
    pub jobs: Vec<HeldJob>,
    /// When this was read.
    pub now: Timestamp,
}

/// A job that a session runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as the columns of the view `job_overview`")]
pub struct HeldJob {
    pub job: JobId,
    pub kind: String,
    pub sweep: String,
    pub variant: String,
    pub seed: i64,
    pub out_dataset: Option<String>,
    pub started_at: Option<Timestamp>,
    pub done: i64,
    pub total: i64,
}

/// An open session that a user names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// The session.
    pub session: SessionId,
    /// The worker's name.
    pub name: String,
    /// Whether it was told to drain.
    pub is_draining: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// What it runs.
    pub jobs: Vec<JobId>,
}

/// Which sessions are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// Open ones.
    Open,
    /// Closed ones too.
    All,
}

/// Which open sessions are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkersNamed {
    /// All.
    All,
    /// Those of workers with this name, and the session with this id.
    By(String),
}

struct Row {
    now: OffsetDateTime,
    id: Uuid,
    name: String,
    version: String,
    device: String,
    memory_bytes: i64,
    labels: Vec<String>,
    opened_at: OffsetDateTime,
    lease_until: OffsetDateTime,
    drain: bool,
    closed_at: Option<OffsetDateTime>,
    close_reason: Option<String>,
    idle_since: Option<OffsetDateTime>,
    job_id: Option<i64>,
    kind: Option<String>,
    sweep: Option<String>,
    variant: Option<String>,
    seed: Option<i64>,
    out_dataset: Option<String>,
    started_at: Option<OffsetDateTime>,
    done: Option<i64>,
    total: Option<i64>,
}

impl Store {
    /// At most `limit` sessions, open ones first, then the newest; closed ones if they are asked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn workers(&self, sessions: Sessions, limit: u32) -> Result<Vec<WorkerRow>, StoreError> {
        let closed = sessions == Sessions::All;
        let rows = query_file_as!(Row, "queries/views/workers.sql", closed, i64::from(limit));
        let mut workers: Vec<WorkerRow> = Vec::new();
        for row in rows.fetch_all(&self.pool).await? {
            let (session, held) = (SessionId(row.id), row.held());
            match workers.last_mut().filter(|worker| worker.session == session) {
                Some(worker) => worker.jobs.extend(held),
                None => workers.push(WorkerRow { jobs: held.into_iter().collect(), ..row.worker()? }),
            }
        }
        Ok(workers)
    }

    /// At most `limit` open sessions, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_sessions(&self, named: &WorkersNamed, limit: u32) -> Result<Vec<OpenSession>, StoreError> {
        let (name, id) = match named {
            WorkersNamed::All => (None, None),
            WorkersNamed::By(text) => (Some(text.as_str()), text.parse::<Uuid>().ok()),
        };
        let rows =
            query_file!("queries/session/find_open.sql", name, id, i64::from(limit)).fetch_all(&self.pool).await?;
        let open = rows.into_iter().map(|row| OpenSession {
            session: SessionId(row.id),
            name: row.worker_name,
            is_draining: row.drain,
            opened_at: column::timestamp(row.opened_at),
            jobs: row.jobs.into_iter().map(JobId).collect(),
        });
        Ok(open.collect())
    }
}

impl Row {
    fn held(&self) -> Option<HeldJob> {
        Some(HeldJob {
            job: JobId(self.job_id?),
            kind: self.kind.clone().unwrap_or_default(),
            sweep: self.sweep.clone().unwrap_or_default(),
            variant: self.variant.clone().unwrap_or_default(),
            seed: self.seed.unwrap_or_default(),
            out_dataset: self.out_dataset.clone(),
            started_at: self.started_at.map(column::timestamp),
            done: self.done.unwrap_or_default(),
            total: self.total.unwrap_or_default(),
        })
    }

    fn worker(self) -> Result<WorkerRow, StoreError> {
        Ok(WorkerRow {
            session: SessionId(self.id),
            offer: Offer {
                device: column::named("a session's device", &self.device)?,
                memory_bytes: column::count(self.memory_bytes),
                labels: labels(&self.labels)?,
                artifacts: Vec::new(),
            },
            name: self.name,
            version: self.version,
            opened_at: column::timestamp(self.opened_at),
            lease_until: column::timestamp(self.lease_until),
            is_draining: self.drain,
            closed: self.closed_at.map(|at| (column::timestamp(at), self.close_reason.unwrap_or_default())),
            idle_since: self.idle_since.map(column::timestamp),
            jobs: Vec::new(),
            now: column::timestamp(self.now),
        })
    }
}

pub(crate) fn labels(names: &[String]) -> Result<BTreeSet<Label>, StoreError> {
    names.iter().map(|name| column::named("a label", name)).collect()
}
