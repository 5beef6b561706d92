//! What validation measures while a flow trains.

use domain::report::{Attempt, ValidationPoint};
use sqlx::{PgExecutor, query_file_scalar};

use crate::{Currency, Store, StoreError, Transaction, column};

impl Store {
    /// Keeps points of a validation curve if `attempt` runs; points that are there already stay as they are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_validation_points(
        &self,
        attempt: Attempt,
        points: &[ValidationPoint],
    ) -> Result<Currency, StoreError> {
        insert(&self.pool, attempt, points).await
    }
}

impl Transaction {
    /// As [`Store::add_validation_points`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_validation_points(
        &mut self,
        attempt: Attempt,
        points: &[ValidationPoint],
    ) -> Result<Currency, StoreError> {
        insert(&mut *self.inner, attempt, points).await
    }
}

async fn insert(
    executor: impl PgExecutor<'_>,
    attempt: Attempt,
    points: &[ValidationPoint],
) -> Result<Currency, StoreError> {
    let current = query_file_scalar!(
        "queries/validation_point/insert.sql",
        attempt.job.0,
        attempt.epoch.0,
        &points.iter().map(|point| column::bigint(point.step)).collect::<Vec<_>>(),
        &points.iter().map(|point| point.bits_per_dim).collect::<Vec<_>>() as &[Option<f64>],
        &points.iter().map(|point| point.auroc).collect::<Vec<_>>() as &[Option<f64>],
    )
    .fetch_one(executor)
    .await?;
    Ok(Currency::of(current))
}
