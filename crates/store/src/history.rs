//! The history: whether a sweep's has grown, and its months.

use std::time::Duration;

use domain::SweepId;
use sqlx::{query_file, query_file_scalar};

use crate::{Store, StoreError};

/// Tables in monthly partitions.
const PARTITIONED: [&str; 2] = ["event", "job_log"];
/// Longest wait for a lock: whoever comes later waits behind it, claims too.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);

/// How far somebody has seen a sweep's history.
///
/// Events are numbered before their transactions commit, so that the highest number alone would miss what commits late. The
/// count beside it does not; it begins above a floor, below which no event can appear any more, so that looking again costs
/// what is new and not what there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryMark {
    floor: Option<Counted>,
    next_floor: Option<Floor>,
}

/// An event, and the first transaction that had not begun when it was seen: once every older one has ended, no event with a
/// lower number can appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Floor {
    event: i64,
    settled_at: i64,
}

/// What was seen above a floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    floor: i64,
    above: i64,
    last: i64,
}

/// What one look at the partitions did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// Partitions that were made.
    pub made: usize,
    /// Partitions that were dropped, by name.
    pub dropped: Vec<String>,
}

impl Store {
    /// Whether events of the sweep have become visible since the last look with the same mark. The first looks say yes, until every
    /// transaction that was under way at the first one has ended.
    ///
    /// # Errors
    /// [`StoreError`]; the mark stays as it is.
    pub async fn has_history_grown(&self, sweep: SweepId, mark: &mut HistoryMark) -> Result<bool, StoreError> {
        let Some(seen) = mark.floor else {
            return self.find_floor(sweep, mark).await;
        };
        let next = mark.next_floor.unwrap_or(Floor { event: seen.floor, settled_at: i64::MAX });
        let row = query_file!("queries/event/since.sql", sweep.0, seen.floor, next.event).fetch_one(&self.pool).await?;
        let found = Counted { floor: seen.floor, above: row.above, last: row.last };
        let settled = row.oldest >= next.settled_at;
        mark.floor = Some(if settled { Counted { floor: next.event, above: row.above_next, ..found } } else { found });
        if settled || mark.next_floor.is_none() {
            mark.next_floor = Some(Floor { event: row.last, settled_at: row.next });
        }
        Ok(found != seen)
    }

    async fn find_floor(&self, sweep: SweepId, mark: &mut HistoryMark) -> Result<bool, StoreError> {
        let row = query_file!("queries/event/newest.sql", sweep.0).fetch_one(&self.pool).await?;
        match mark.next_floor {
            Some(next) if row.oldest >= next.settled_at => {
                let counted = query_file!("queries/event/since.sql", sweep.0, next.event, next.event)
                    .fetch_one(&self.pool)
                    .await?;
                mark.floor = Some(Counted { floor: next.event, above: counted.above, last: counted.last });
                mark.next_floor = Some(Floor { event: counted.last, settled_at: counted.next });
            }
            Some(_) => {}
            None => mark.next_floor = Some(Floor { event: row.last, settled_at: row.next }),
        }
        Ok(true)
    }

    /// Makes the partitions of this month and the next, and drops those whose months ended more than `retention_days` ago; 0 keeps all.
    /// `None` when another coordinator is at it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a lock was not to be had in time; it is worth another try later.
    pub async fn maintain_history(&self, retention_days: u32) -> Result<Option<Maintenance>, StoreError> {
        let mut done = Maintenance::default();
        for table in PARTITIONED {
            // One transaction each, so that its locks are held as shortly as can be.
            let mut transaction = self.pool.begin().await?;
            if !query_file_scalar!("queries/history/try_lock.sql").fetch_one(&mut *transaction).await? {
                return Ok(None);
            }
            let timeout = format!("{}ms", LOCK_TIMEOUT.as_millis());
            query_file!("queries/history/limit_waits.sql", timeout).fetch_one(&mut *transaction).await?;
            let months = query_file!("queries/history/add_months.sql", table).fetch_all(&mut *transaction).await?;
            done.made += months.iter().filter(|month| month.made).count();
            if retention_days > 0 {
                let days = i32::try_from(retention_days).unwrap_or(i32::MAX);
                let dropped = query_file_scalar!("queries/history/drop_before.sql", table, days);
                done.dropped.extend(dropped.fetch_all(&mut *transaction).await?);
            }
            transaction.commit().await?;
        }
        Ok(Some(done))
    }
}
