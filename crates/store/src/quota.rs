//! How much of the queue one user holds.

use sqlx::{query_file, query_file_scalar};

use crate::{StoreError, Transaction};

impl Transaction {
    /// Jobs of the user's sweeps that have not ended. Until this transaction ends, no other one of the same user gets past here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_open_jobs(&mut self, user: &str) -> Result<u64, StoreError> {
        // A statement of its own: one that locks and counts at once would count what it saw before the lock.
        query_file!("queries/quota/lock.sql", user).fetch_one(&mut *self.inner).await?;
        let jobs = query_file_scalar!("queries/quota/open_jobs.sql", user).fetch_one(&mut *self.inner).await?;
        Ok(jobs.unsigned_abs())
    }
}
