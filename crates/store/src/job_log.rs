//! The logs of attempts.

use domain::{
    Epoch, JobId, Timestamp,
    job::StateName,
    report::{Attempt, LogLine},
};
use sqlx::{query_file, query_file_as, query_file_scalar};
use time::OffsetDateTime;

use crate::{Currency, Store, StoreError, column};

/// Which attempts' lines are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogScope {
    /// This one's.
    Attempt(Epoch),
    /// This one's and those of later attempts.
    From(Epoch),
}

/// A place in the logs of a job: everything after it is still to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition {
    /// The attempt.
    pub epoch: i32,
    /// The line in it; 0 before the first one.
    pub line: i32,
}

/// A stored line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLine {
    /// The attempt.
    pub epoch: i32,
    /// Place in its log.
    pub line: i32,
    at: OffsetDateTime,
    /// What it says.
    pub text: String,
}

/// Where a job stands, as its log's reader needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogStanding {
    /// Its state.
    pub state: StateName,
    /// Its epoch.
    pub epoch: Epoch,
    /// The newest attempt's; none before the first one.
    pub newest: Option<Epoch>,
}

impl StoredLine {
    /// When it was written.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        column::timestamp(self.at)
    }

    /// Its place.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        LogPosition { epoch: self.epoch, line: self.line }
    }
}

impl LogScope {
    fn bounds(self) -> (i32, i32) {
        match self {
            Self::Attempt(epoch) => (epoch.0, epoch.0),
            Self::From(epoch) => (epoch.0, i32::MAX),
        }
    }
}

impl Store {
    /// Keeps lines of an attempt's log if it runs; lines that are there already stay as they are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_log_lines(&self, attempt: Attempt, lines: &[LogLine]) -> Result<Currency, StoreError> {
        let current = query_file_scalar!(
            "queries/job_log/insert.sql",
            attempt.job.0,
            attempt.epoch.0,
            &lines.iter().map(|line| column::integer(line.line)).collect::<Vec<_>>(),
            &lines.iter().map(|line| line.age.as_secs_f64()).collect::<Vec<_>>(),
            &lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>(),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Currency::of(current))
    }

    /// At most `limit` lines after `after`, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log_lines(
        &self,
        job: JobId,
        scope: LogScope,
        after: LogPosition,
        limit: u32,
    ) -> Result<Vec<StoredLine>, StoreError> {
        let (first, last) = scope.bounds();
        let rows = query_file_as!(
            StoredLine,
            "queries/job_log/after.sql",
            job.0,
            first,
            last,
            after.epoch,
            after.line,
            i64::from(limit)
        );
        Ok(rows.fetch_all(&self.pool).await?)
    }

    /// The place after which the last `lines` lines stand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log_tail(&self, job: JobId, scope: LogScope, lines: u32) -> Result<LogPosition, StoreError> {
        let (first, last) = scope.bounds();
        let before = query_file!("queries/job_log/before_tail.sql", job.0, first, last, i64::from(lines))
            .fetch_optional(&self.pool)
            .await?;
        Ok(before.map_or_else(LogPosition::default, |row| LogPosition { epoch: row.epoch, line: row.line }))
    }

    /// Where a job stands; nothing when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log_standing(&self, job: JobId) -> Result<Option<LogStanding>, StoreError> {
        let row = query_file!("queries/job_log/standing.sql", job.0).fetch_optional(&self.pool).await?;
        row.map(|row| {
            Ok(LogStanding {
                state: column::named("a job's state", &row.state)?,
                epoch: Epoch(row.epoch),
                newest: row.newest.map(Epoch),
            })
        })
        .transpose()
    }
}
