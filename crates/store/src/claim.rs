//! Claims: one statement for all slots that wait.

use domain::{Epoch, ExperimentId, JobId, SessionId, SweepId, dispatch::Lane, report::Attempt};
use sqlx::{PgExecutor, query_file_as, query_file_scalar};
use uuid::Uuid;

use crate::{Store, StoreError};

/// A place for one job: who takes it, and where to look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Who takes it.
    pub session: SessionId,
    /// Where the job comes from.
    pub lane: Lane,
    /// The place in the lane from which to look: index entries of jobs claimed long ago, which stay in the index while an old
    /// snapshot is open, are not walked again.
    pub oldest: i64,
}

/// What became of a slot.
#[derive(Debug)]
pub enum SlotOutcome {
    /// It has a job.
    Filled(Box<ClaimedJob>),
    /// The lane has no job for it now.
    Empty,
    /// Its session may not claim: it is closed, unknown, draining, or its lease has run out.
    Barred,
}

/// A job that was just claimed.
#[derive(Debug)]
pub struct ClaimedJob {
    /// The attempt.
    pub attempt: Attempt,
    /// Who runs it.
    pub session: SessionId,
    /// Where it came from.
    pub lane: Lane,
    /// The place that it had in the queue.
    pub ready_seq: i64,
    pub(crate) experiment: ExperimentId,
    pub(crate) seed: i64,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) checkpoint_secs: i32,
    pub(crate) out_dataset: Option<String>,
    pub(crate) trained: Option<Vec<u8>>,
    pub(crate) trained_step: Option<i64>,
}

struct SlotRow {
    place: i64,
    session_id: Uuid,
    job_id: Option<i64>,
    epoch: Option<i32>,
    ready_seq: Option<i64>,
    experiment_id: Option<i64>,
    seed: Option<i64>,
    fingerprint: Option<Vec<u8>>,
    checkpoint_secs: Option<i32>,
    out_dataset: Option<String>,
    trained: Option<Vec<u8>>,
    trained_step: Option<i64>,
}

impl Store {
    /// Claims a job for each slot, oldest first within a lane, in one statement; outcomes are in the slots' order.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was claimed, or, after a lost connection, it is unknown.
    pub async fn claim(&self, slots: &[Slot]) -> Result<Vec<SlotOutcome>, StoreError> {
        claim(&self.pool, slots).await
    }

    /// As [`Store::claim`] for slots of one sweep of which at most `max_running` jobs may run, however many coordinators claim.
    ///
    /// # Errors
    /// As [`Store::claim`].
    pub async fn claim_limited(
        &self,
        sweep: SweepId,
        max_running: u32,
        slots: &[Slot],
    ) -> Result<Vec<SlotOutcome>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        query_file_scalar!("queries/sweep/lock.sql", sweep.0).fetch_optional(&mut *transaction).await?;
        // A statement of its own: it sees what whoever held the lock has committed.
        let running = query_file_scalar!("queries/job/count_running.sql", sweep.0).fetch_one(&mut *transaction).await?;
        let room = i64::from(max_running).saturating_sub(running);
        let room = usize::try_from(room).unwrap_or(0).min(slots.len());
        let mut outcomes = claim(&mut *transaction, &slots[..room]).await?;
        transaction.commit().await?;
        outcomes.resize_with(slots.len(), || SlotOutcome::Empty);
        Ok(outcomes)
    }
}

async fn claim(executor: impl PgExecutor<'_>, slots: &[Slot]) -> Result<Vec<SlotOutcome>, StoreError> {
    let mut outcomes: Vec<SlotOutcome> = Vec::new();
    outcomes.resize_with(slots.len(), || SlotOutcome::Barred);
    if slots.is_empty() {
        return Ok(outcomes);
    }
    let rows = query_file_as!(
        SlotRow,
        "queries/job/claim.sql",
        &slots.iter().map(|slot| slot.session.0).collect::<Vec<_>>(),
        &slots.iter().map(|slot| slot.lane.sweep.0).collect::<Vec<_>>(),
        &slots.iter().map(|slot| slot.lane.kind.as_str().to_owned()).collect::<Vec<_>>(),
        &slots.iter().map(|slot| slot.oldest).collect::<Vec<_>>(),
    )
    .fetch_all(executor)
    .await?;
    for row in rows {
        let place = usize::try_from(row.place - 1).ok().filter(|place| *place < slots.len());
        let place = place.ok_or_else(|| StoreError::corrupt("a claim", "a slot that was not asked for"))?;
        outcomes[place] = outcome(slots[place].lane, row);
    }
    Ok(outcomes)
}

fn outcome(lane: Lane, row: SlotRow) -> SlotOutcome {
    let session = SessionId(row.session_id);
    let claimed = (|| {
        Some(ClaimedJob {
            attempt: Attempt { job: JobId(row.job_id?), epoch: Epoch(row.epoch?) },
            session,
            lane,
            ready_seq: row.ready_seq?,
            experiment: ExperimentId(row.experiment_id?),
            seed: row.seed?,
            fingerprint: row.fingerprint?,
            checkpoint_secs: row.checkpoint_secs?,
            out_dataset: row.out_dataset,
            trained: row.trained,
            trained_step: row.trained_step,
        })
    })();
    claimed.map_or(SlotOutcome::Empty, |job| SlotOutcome::Filled(Box::new(job)))
}
