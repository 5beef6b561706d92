//! Claims: the sweeps that could be served, one statement that claims, and what the worker needs to know.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::{
    Epoch, ExperimentId, JobId, SessionId, SweepId,
    dispatch::Candidate,
    fleet::DeviceKind,
    job::JobKind,
    report::{Assignment, Attempt, CheckpointRef, Task},
    spec::{DatasetName, parse_document},
};
use sqlx::{query_file, query_file_as};
use uuid::Uuid;

use crate::{Store, StoreError, column};

/// Checkpoints offered to an attempt that resumes: the newest, and some to fall back on.
const MAX_RESUME: i64 = 5;
/// How long lower bounds are trusted. Places can become visible out of order, and a job that backs off is passed over.
const MARKS_TRUSTED_FOR: Duration = Duration::from_secs(1);

/// A job that was just claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// The attempt.
    pub attempt: Attempt,
    /// The place it had in the queue.
    pub ready_seq: i64,
}

/// For each sweep and kind of job the place in the queue below which this coordinator has found no ready job: a claim starts there, rather than
/// walk over index entries of jobs claimed long ago. Forgotten every second.
#[derive(Debug)]
pub struct ClaimMarks {
    marks: Mutex<Marks>,
}

/// One queue: the jobs of one kind of one sweep.
type Lane = (SweepId, JobKind);

#[derive(Debug)]
struct Marks {
    since: Instant,
    places: HashMap<Lane, i64>,
}

impl Default for ClaimMarks {
    fn default() -> Self {
        Self { marks: Mutex::new(Marks { since: Instant::now(), places: HashMap::new() }) }
    }
}

impl ClaimMarks {
    fn current(&self) -> HashMap<Lane, i64> {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.since.elapsed() > MARKS_TRUSTED_FOR {
            *marks = Marks { since: Instant::now(), places: HashMap::new() };
        }
        marks.places.clone()
    }

    fn advance(&self, lane: Lane, ready_seq: i64) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = marks.places.entry(lane).or_insert(ready_seq);
        *mark = (*mark).max(ready_seq);
    }
}

struct CandidateRow {
    id: Uuid,
    priority: i16,
    kind: String,
    oldest_ready_seq: i64,
    running: i64,
}

struct AssignmentRow {
    kind: String,
    sweep_id: Uuid,
    experiment_id: i64,
    seed: i64,
    spec: serde_json::Value,
    checkpoint_secs: i32,
    out_dataset: Option<String>,
    trained: Option<Vec<u8>>,
    trained_step: Option<i64>,
}

impl Store {
    /// The sweeps, by kind of job, that have a job ready for `device`; in no order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn candidates(&self, device: DeviceKind, marks: &ClaimMarks) -> Result<Vec<Candidate>, StoreError> {
        let (mut sweeps, mut kinds, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for ((sweep, kind), place) in marks.current() {
            sweeps.push(sweep.0);
            kinds.push(kind.as_str().to_owned());
            places.push(place);
        }
        let rows =
            query_file_as!(CandidateRow, "queries/job/candidates.sql", device.as_str(), &sweeps, &kinds, &places)
                .fetch_all(&self.pool)
                .await?;
        let candidate = |row: CandidateRow| {
            Ok(Candidate {
                sweep: SweepId(row.id),
                kind: column::named("a job's kind", &row.kind)?,
                priority: row.priority,
                running: row.running,
                oldest_ready_seq: row.oldest_ready_seq,
            })
        };
        rows.into_iter().map(candidate).collect()
    }

    /// Claims the oldest ready job of the candidate's sweep and kind for `session`; nothing when others were faster, or when the session may not
    /// claim.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim(
        &self,
        session: SessionId,
        device: DeviceKind,
        candidate: &Candidate,
        marks: &ClaimMarks,
    ) -> Result<Option<Claimed>, StoreError> {
        let claimed = query_file!(
            "queries/job/claim.sql",
            session.0,
            candidate.sweep.0,
            candidate.oldest_ready_seq,
            device.as_str(),
            candidate.kind.as_str()
        )
        .fetch_optional(&self.pool)
        .await?
        .map(|row| Claimed {
            attempt: Attempt { job: JobId(row.id), epoch: Epoch(row.epoch) },
            ready_seq: row.ready_seq,
        });
        if let Some(claimed) = &claimed {
            marks.advance((candidate.sweep, candidate.kind), claimed.ready_seq);
        }
        Ok(claimed)
    }

    /// What a worker needs to run `attempt`.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Corrupt`] when the stored document is not understood.
    pub async fn assignment(&self, attempt: Attempt) -> Result<Assignment, StoreError> {
        let row =
            query_file_as!(AssignmentRow, "queries/job/assignment.sql", attempt.job.0).fetch_one(&self.pool).await?;
        let task = match column::named("a job's kind", &row.kind)? {
            JobKind::Train => Task::Train {
                resume: self.newest_checkpoints(attempt.job).await?,
                checkpoint_secs: u32::try_from(row.checkpoint_secs).unwrap_or(1),
            },
            JobKind::Evaluate => Task::Evaluate { checkpoint: row.trained()?, out: row.out()? },
            JobKind::Inspect => Task::Inspect { checkpoint: row.trained()? },
        };
        Ok(Assignment {
            attempt,
            sweep: SweepId(row.sweep_id),
            experiment: ExperimentId(row.experiment_id),
            spec: parse_document(&row.spec, "spec")?,
            seed: column::count(row.seed),
            task,
        })
    }

    async fn newest_checkpoints(&self, job: JobId) -> Result<Vec<CheckpointRef>, StoreError> {
        let rows = query_file!("queries/checkpoint/newest.sql", job.0, MAX_RESUME).fetch_all(&self.pool).await?;
        rows.into_iter()
            .map(|row| Ok(CheckpointRef { digest: column::digest(&row.digest)?, step: column::count(row.step) }))
            .collect()
    }
}

impl AssignmentRow {
    /// The checkpoint of the train job that this one waited for.
    fn trained(&self) -> Result<CheckpointRef, StoreError> {
        let missing = || StoreError::corrupt("a job", format!("it is to {} and has no trained checkpoint", self.kind));
        Ok(CheckpointRef {
            digest: column::digest(self.trained.as_deref().ok_or_else(missing)?)?,
            step: column::count(self.trained_step.unwrap_or_default()),
        })
    }

    fn out(&self) -> Result<DatasetName, StoreError> {
        let missing = || StoreError::corrupt("an evaluate job", "it has no dataset");
        column::named("a job's dataset", self.out_dataset.as_deref().ok_or_else(missing)?)
    }
}
