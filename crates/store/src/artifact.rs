//! Which artifacts exist.

use domain::Digest;
use sqlx::{query_file, query_file_scalar};

use crate::{Store, StoreError, column};

impl Store {
    /// Which of these artifacts the store has no record of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn missing_artifacts(&self, digests: &[Digest]) -> Result<Vec<Digest>, StoreError> {
        let bytes: Vec<Vec<u8>> = digests.iter().map(|digest| digest.as_bytes().to_vec()).collect();
        let known = query_file_scalar!("queries/artifact/known.sql", &bytes).fetch_all(&self.pool).await?;
        let is_known = |digest: &&Digest| known.iter().any(|known| known.as_slice() == digest.as_bytes());
        Ok(digests.iter().filter(|digest| !is_known(digest)).copied().collect())
    }

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
