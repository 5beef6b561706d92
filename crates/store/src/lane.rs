//! Lanes: what may be claimed now, what runs, and what each sweep is owed.

use std::{collections::HashMap, sync::Arc};

use domain::{
    SweepId, Timestamp,
    dispatch::{Lane, LaneReady, MANY, SweepTerms},
    fleet::Requirement,
};
use sqlx::{query_file, query_file_as, query_file_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Store, StoreError, column};

pub(crate) struct LaneRow {
    pub(crate) sweep_id: Uuid,
    pub(crate) kind: String,
    pub(crate) oldest: i64,
    pub(crate) since: OffsetDateTime,
    pub(crate) jobs: i64,
}

impl Store {
    /// Every lane that has a job which may be claimed now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ready_lanes(&self) -> Result<Vec<LaneReady>, StoreError> {
        lanes(query_file_as!(LaneRow, "queries/lane/ready.sql", i64::from(MANY)).fetch_all(&self.pool).await?)
    }

    /// The lanes of `sweeps` that have a job which may be claimed now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ready_lanes_of(&self, sweeps: &[SweepId]) -> Result<Vec<LaneReady>, StoreError> {
        lanes(
            query_file_as!(LaneRow, "queries/lane/ready_of.sql", &ids(sweeps), i64::from(MANY))
                .fetch_all(&self.pool)
                .await?,
        )
    }

    /// How many jobs of each sweep run; sweeps without any are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn running_jobs(&self) -> Result<HashMap<SweepId, u32>, StoreError> {
        let rows = query_file!("queries/lane/running.sql").fetch_all(&self.pool).await?;
        let running = |jobs: i64| u32::try_from(jobs).unwrap_or(u32::MAX);
        Ok(rows.into_iter().map(|row| (SweepId(row.sweep_id), running(row.jobs))).collect())
    }

    /// What each of `sweeps` asks for and is owed.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Corrupt`] when a row breaks the rules.
    pub async fn sweep_terms(&self, sweeps: &[SweepId]) -> Result<Vec<(SweepId, SweepTerms)>, StoreError> {
        let rows = query_file!("queries/sweep/terms.sql", &ids(sweeps)).fetch_all(&self.pool).await?;
        rows.into_iter()
            .map(|row| {
                let labels = row.labels.iter().map(|label| column::named("a label", label));
                let requirement = Requirement {
                    device: column::named("a sweep's device", &row.device)?,
                    memory_bytes: column::count(row.memory_bytes),
                    labels: labels.collect::<Result<_, _>>()?,
                };
                let terms = SweepTerms {
                    priority: row.priority,
                    weight: u16::try_from(row.weight).unwrap_or(1),
                    max_running: row.max_running.and_then(|most| u32::try_from(most).ok()),
                    requirement,
                    user: Arc::from(row.submitted_by),
                    user_weight: row.user_weight,
                };
                Ok((SweepId(row.id), terms))
            })
            .collect()
    }

    /// The time on the database's clock.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        Ok(column::timestamp(query_file_scalar!("queries/clock/now.sql").fetch_one(&self.pool).await?))
    }
}

pub(crate) fn lanes(rows: Vec<LaneRow>) -> Result<Vec<LaneReady>, StoreError> {
    let lane = |row: LaneRow| {
        Ok(LaneReady {
            lane: Lane { sweep: SweepId(row.sweep_id), kind: column::named("a job's kind", &row.kind)? },
            oldest: row.oldest,
            since: column::timestamp(row.since),
            jobs: u32::try_from(row.jobs).unwrap_or(MANY),
        })
    };
    rows.into_iter().map(lane).collect()
}

fn ids(sweeps: &[SweepId]) -> Vec<Uuid> {
    sweeps.iter().map(|sweep| sweep.0).collect()
}
