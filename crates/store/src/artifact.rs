//! Which artifacts exist.

use domain::Digest;
use sqlx::query_file;

use crate::{Store, StoreError, column};

impl Store {
    /// Records that the artifact store holds `digest`; once is enough, twice does no harm.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_artifact(&self, digest: &Digest, size: u64) -> Result<(), StoreError> {
        query_file!("queries/artifact/insert.sql", &digest.as_bytes()[..], column::bigint(size))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
