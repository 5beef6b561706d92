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
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction { inner: self.pool.begin().await? })
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
