//! What the queue looks like now, for metrics: counts over small partial indexes, never over history.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use domain::{
    fleet::DeviceKind,
    job::{JobKind, StateName},
};
use sqlx::query_file;

use crate::{Store, StoreError};

/// Acquires that ended without a connection, in this process: every pool's errors pass through one place.
static ACQUIRE_FAILURES: AtomicU64 = AtomicU64::new(0);

/// The queue at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueSample {
    /// Jobs that have not ended; every kind and state, also those without a job.
    pub depths: Vec<QueueDepth>,
    /// Kinds that have a job that could be claimed.
    pub oldest_ready: Vec<OldestReady>,
    /// Open sessions; every device and standing, also those without one.
    pub sessions: Vec<SessionCount>,
}

/// How many jobs stand in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDepth {
    /// What they do.
    pub kind: JobKind,
    /// Where they stand: blocked, ready or running.
    pub state: StateName,
    /// How many.
    pub jobs: i64,
}

/// The job that could have been claimed for longest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OldestReady {
    /// What it does.
    pub kind: JobKind,
    /// For how long, in seconds.
    pub age_secs: f64,
}

/// How many sessions stand alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCount {
    /// Their device.
    pub device: DeviceKind,
    /// How their lease stands.
    pub standing: LeaseStanding,
    /// How many.
    pub sessions: i64,
}

/// How an open session's lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseStanding {
    /// Renewed lately.
    Leased,
    /// More than half of the lease has passed without a beat.
    Late,
    /// It has run out; a beat still renews it.
    Lapsed,
    /// The session is to end.
    Draining,
}

/// The connection pool at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Open connections that wait for work.
    pub idle: u32,
    /// Open connections at work.
    pub used: u32,
    /// Most connections at once.
    pub max: u32,
    /// Times that no connection was to be had in time.
    pub acquire_failures: u64,
}

impl LeaseStanding {
    /// Every standing.
    pub const ALL: [Self; 4] = [Self::Leased, Self::Late, Self::Lapsed, Self::Draining];

    /// The name in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leased => "leased",
            Self::Late => "late",
            Self::Lapsed => "lapsed",
            Self::Draining => "draining",
        }
    }
}

impl Store {
    /// Looks at the queue; `ttl` is how long leases live.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn queue_sample(&self, ttl: Duration) -> Result<QueueSample, StoreError> {
        let found = query_file!("queries/job/depths.sql").fetch_all(&self.pool).await?;
        let oldest = query_file!("queries/job/oldest_ready.sql").fetch_all(&self.pool).await?;
        let standings = query_file!("queries/session/standings.sql", ttl.as_secs_f64()).fetch_all(&self.pool).await?;
        let mut sample = QueueSample::default();
        for kind in JobKind::ALL {
            for state in [StateName::Blocked, StateName::Ready, StateName::Running] {
                let row = found.iter().find(|row| row.kind == kind.as_str() && row.state == state.as_str());
                sample.depths.push(QueueDepth { kind, state, jobs: row.map_or(0, |row| row.jobs) });
            }
            if let Some(row) = oldest.iter().find(|row| row.kind == kind.as_str()) {
                sample.oldest_ready.push(OldestReady { kind, age_secs: row.age_secs.max(0.0) });
            }
        }
        for device in [DeviceKind::Cpu, DeviceKind::Cuda] {
            for standing in LeaseStanding::ALL {
                let row =
                    standings.iter().find(|row| row.device == device.as_str() && row.standing == standing.as_str());
                sample.sessions.push(SessionCount { device, standing, sessions: row.map_or(0, |row| row.sessions) });
            }
        }
        Ok(sample)
    }

    /// The connection pool now.
    #[must_use]
    pub fn pool_status(&self) -> PoolStatus {
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        PoolStatus {
            idle,
            used: self.pool.size().saturating_sub(idle),
            max: self.pool.options().get_max_connections(),
            acquire_failures: ACQUIRE_FAILURES.load(Ordering::Relaxed),
        }
    }
}

/// Notes that no connection was to be had.
pub(crate) fn count_acquire_failure() {
    ACQUIRE_FAILURES.fetch_add(1, Ordering::Relaxed);
}
