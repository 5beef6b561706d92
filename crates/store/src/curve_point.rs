//! Training curves.

use domain::report::{Attempt, CurvePoint};
use sqlx::query_file_scalar;

use crate::{Store, StoreError, column};

/// Whether a report was about an attempt that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Currency {
    /// It was, and is kept.
    Current,
    /// It was not, and changed nothing.
    Stale,
}

impl Currency {
    pub(crate) fn of(current: bool) -> Self {
        if current { Self::Current } else { Self::Stale }
    }
}

impl Store {
    /// Keeps points of a training curve if `attempt` runs; points that are there already stay as they are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_curve_points(&self, attempt: Attempt, points: &[CurvePoint]) -> Result<Currency, StoreError> {
        let current = query_file_scalar!(
            "queries/curve_point/insert.sql",
            attempt.job.0,
            attempt.epoch.0,
            &points.iter().map(|point| column::bigint(point.step)).collect::<Vec<_>>(),
            &points.iter().map(|point| point.loss_nats).collect::<Vec<_>>(),
            &points.iter().map(|point| point.bits_per_dim).collect::<Vec<_>>(),
            &points.iter().map(|point| point.gradient_norm).collect::<Vec<_>>(),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Currency::of(current))
    }
}
