//! A transaction: what is saved together.

use sqlx::Postgres;

use crate::{Store, StoreError};

/// Work that is saved together or not at all; dropped, it leaves nothing.
#[derive(Debug)]
pub struct Transaction {
    pub(crate) inner: sqlx::Transaction<'static, Postgres>,
}

impl Store {
    /// Starts a transaction.
    ///
    /// It begins in a task of its own, which nobody cuts off: when a client hangs up while `begin` of sqlx 0.9 waits, nobody
    /// rolls back, the connection returns to the pool inside the open transaction, and what others write through it is
    /// acknowledged and gone at the end (sqlx issue 4393).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin().await }).await;
        Ok(Transaction { inner: begun.map_err(|_| sqlx::Error::WorkerCrashed)?? })
    }
}

impl Transaction {
    /// Saves everything.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; whether it was saved is unknown then.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }
}
