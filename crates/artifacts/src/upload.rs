//! Storing an artifact piece by piece.

use bytes::Bytes;
use domain::Digest;
use object_store::{MultipartUpload, WriteMultipart};
use sha2::{Digest as _, Sha256};

use crate::ArtifactError;

/// Parts of a local file or of an object-store upload in flight at once.
const MAX_PARTS_IN_FLIGHT: usize = 4;

/// An artifact on its way in. Dropped before [`Upload::finish`], it leaves nothing under its digest.
pub struct Upload {
    writer: WriteMultipart,
    hasher: Sha256,
    announced: Digest,
    announced_size: u64,
    received: u64,
}

impl Upload {
    pub(crate) fn new(parts: Box<dyn MultipartUpload>, announced: Digest, announced_size: u64) -> Self {
        Self { writer: WriteMultipart::new(parts), hasher: Sha256::new(), announced, announced_size, received: 0 }
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// [`ArtifactError::Unavailable`] when the store fails; bytes beyond the size announced are hashed and not kept, and
    /// [`Upload::finish`] refuses them.
    pub async fn write(&mut self, chunk: Bytes) -> Result<(), ArtifactError> {
        self.hasher.update(&chunk);
        self.received += chunk.len() as u64;
        if self.received <= self.announced_size {
            self.writer.wait_for_capacity(MAX_PARTS_IN_FLIGHT).await?;
            self.writer.put(chunk);
        }
        Ok(())
    }

    /// Keeps the artifact if it is the one announced.
    ///
    /// # Errors
    /// [`ArtifactError::Mismatch`] or [`ArtifactError::Unavailable`]; nothing is kept then.
    pub async fn finish(self) -> Result<(), ArtifactError> {
        let found = Digest::from(<[u8; 32]>::from(self.hasher.finalize()));
        if found != self.announced || self.received != self.announced_size {
            self.writer.abort().await?;
            return Err(ArtifactError::Mismatch {
                announced: self.announced,
                announced_size: self.announced_size,
                found,
                found_size: self.received,
            });
        }
        self.writer.finish().await?;
        Ok(())
    }

    /// Keeps nothing.
    ///
    /// # Errors
    /// [`ArtifactError::Unavailable`] when the store cannot remove what it staged.
    pub async fn abort(self) -> Result<(), ArtifactError> {
        Ok(self.writer.abort().await?)
    }
}
