//! Trainings that make room: what the rule looks at, and the word that a worker's heartbeats bring back.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Epoch, JobId, SessionId, SweepId,
    fleet::{Label, Offer, Requirement},
    preemption::{Preemption, Running, Station, Terms, Waiting},
    report::Attempt,
};
use sqlx::{PgExecutor, query_file, query_file_as, query_file_scalar};
use uuid::Uuid;

use crate::{Store, StoreError, Transaction, column};

/// Most jobs of a sweep and kind that are looked at in one go: the others wait behind them.
const LANE_DEPTH: i64 = 16;

/// Most jobs that are looked at in one go, whatever the number of sweeps.
const MAX_WAITING: i64 = 500;

struct WaitingRow {
    job_id: i64,
    epoch: i32,
    sweep_id: Uuid,
    sweep_name: String,
    priority: i16,
    device: String,
    memory_bytes: i64,
    labels: Vec<String>,
    max_running: Option<i32>,
    running: i64,
    waited_secs: f64,
    awaited: bool,
}

struct StationRow {
    id: Uuid,
    device: String,
    memory_bytes: i64,
    labels: Vec<String>,
    job_id: Option<i64>,
    epoch: Option<i32>,
    sweep_id: Option<Uuid>,
    kind: Option<String>,
    priority: Option<i16>,
    preemptible: Option<bool>,
    ran_secs: Option<f64>,
    told: bool,
    preempted_before: bool,
}

impl Store {
    /// Jobs that have waited long enough for room to be made, if something runs that could make it. One statement; where
    /// nothing is ready, or nothing less important runs, it finds so without walking the queue.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting_jobs(&self, terms: &Terms) -> Result<Vec<Waiting>, StoreError> {
        waiting_jobs(&self.pool, terms).await
    }

    /// Why `attempt` was told to make room; nothing when it was not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn preemption_of(&self, attempt: Attempt) -> Result<Option<String>, StoreError> {
        let reason = query_file_scalar!("queries/preemption/find.sql", attempt.job.0, attempt.epoch.0);
        Ok(reason.fetch_optional(&self.pool).await?)
    }
}

impl Transaction {
    /// Takes the right to decide about preemption until this transaction ends; `false` when another coordinator has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_preemption(&mut self) -> Result<bool, StoreError> {
        Ok(query_file_scalar!("queries/preemption/lock.sql").fetch_one(&mut *self.inner).await?)
    }

    /// As [`Store::waiting_jobs`], inside this transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting_jobs(&mut self, terms: &Terms) -> Result<Vec<Waiting>, StoreError> {
        waiting_jobs(&mut *self.inner, terms).await
    }

    /// The sessions that may claim, and what they run.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stations(&mut self) -> Result<Vec<Station>, StoreError> {
        let rows = query_file_as!(StationRow, "queries/preemption/stations.sql").fetch_all(&mut *self.inner).await?;
        let mut stations: Vec<Station> = Vec::new();
        for row in rows {
            let session = SessionId(row.id);
            // Rows of one session follow each other.
            if stations.last().is_none_or(|last| last.session != session) {
                stations.push(Station { session, offer: row.offer()?, running: Vec::new() });
            }
            if let (Some(running), Some(station)) = (row.running()?, stations.last_mut()) {
                station.running.push(running);
            }
        }
        Ok(stations)
    }

    /// Tells attempts to make room, each with a line in the history, and yields those that were told. One that has ended, or
    /// was told before, is passed over, and so is one whose job waits no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_preemptions(&mut self, preemptions: &[Preemption]) -> Result<Vec<Attempt>, StoreError> {
        fn each<T>(preemptions: &[Preemption], column: impl Fn(&Preemption) -> T) -> Vec<T> {
            preemptions.iter().map(column).collect()
        }
        let told = query_file!(
            "queries/preemption/insert.sql",
            &each(preemptions, |one| one.victim.job.0),
            &each(preemptions, |one| one.victim.epoch.0),
            &each(preemptions, |one| one.waiting.0),
            &each(preemptions, |one| one.waiting_epoch.0),
            &each(preemptions, |one| one.reason.clone()),
        )
        .fetch_all(&mut *self.inner)
        .await?;
        Ok(told.into_iter().map(|row| Attempt { job: JobId(row.job_id), epoch: Epoch(row.epoch) }).collect())
    }
}

async fn waiting_jobs(executor: impl PgExecutor<'_>, terms: &Terms) -> Result<Vec<Waiting>, StoreError> {
    let rows = query_file_as!(
        WaitingRow,
        "queries/preemption/waiting.sql",
        terms.after.as_secs_f64(),
        terms.margin,
        LANE_DEPTH,
        MAX_WAITING
    );
    rows.fetch_all(executor).await?.into_iter().map(Waiting::try_from).collect()
}

impl TryFrom<WaitingRow> for Waiting {
    type Error = StoreError;

    fn try_from(row: WaitingRow) -> Result<Self, StoreError> {
        let requirement = Requirement {
            device: column::named("a sweep's device", &row.device)?,
            memory_bytes: column::count(row.memory_bytes),
            labels: labels("a sweep's label", &row.labels)?,
        };
        let room = |limit: i32| u32::try_from(i64::from(limit).saturating_sub(row.running)).unwrap_or(0);
        Ok(Self {
            job: JobId(row.job_id),
            epoch: Epoch(row.epoch),
            sweep: SweepId(row.sweep_id),
            sweep_name: row.sweep_name,
            priority: row.priority,
            requirement,
            waited: seconds(row.waited_secs),
            room: row.max_running.map(room),
            awaited: row.awaited,
        })
    }
}

impl StationRow {
    fn offer(&self) -> Result<Offer, StoreError> {
        Ok(Offer {
            device: column::named("a session's device", &self.device)?,
            memory_bytes: column::count(self.memory_bytes),
            labels: labels("a session's label", &self.labels)?,
            artifacts: Vec::new(),
        })
    }

    fn running(&self) -> Result<Option<Running>, StoreError> {
        let (Some(job), Some(epoch), Some(sweep), Some(kind)) = (self.job_id, self.epoch, self.sweep_id, &self.kind)
        else {
            return Ok(None);
        };
        Ok(Some(Running {
            attempt: Attempt { job: JobId(job), epoch: Epoch(epoch) },
            sweep: SweepId(sweep),
            kind: column::named("a job's kind", kind)?,
            priority: self.priority.unwrap_or_default(),
            preemptible: self.preemptible.unwrap_or_default(),
            ran: seconds(self.ran_secs.unwrap_or_default()),
            told: self.told,
            preempted_before: self.preempted_before,
        }))
    }
}

fn labels(what: &'static str, names: &[String]) -> Result<BTreeSet<Label>, StoreError> {
    names.iter().map(|name| column::named(what, name)).collect()
}

/// A span between two readings of Postgres's clock, which may have been set back meanwhile.
fn seconds(span: f64) -> Duration {
    Duration::try_from_secs_f64(span).unwrap_or_default()
}
