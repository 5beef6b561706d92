//! The store itself: where artifacts live and what can go wrong.

use std::{path::PathBuf, sync::Arc};

use domain::Digest;
use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path};
use url::Url;

use crate::{Bytestream, Upload};

/// A folder or bucket of artifacts.
#[derive(Debug, Clone)]
pub struct ArtifactStore {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    max_size: u64,
}

/// Why an artifact could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The place named is no store.
    #[error("`{place}` is no artifact store: {reason}; give a folder, or a URL of a kind that this build supports")]
    Place {
        /// What was given.
        place: String,
        /// Why not.
        reason: String,
    },
    /// There is no such artifact.
    #[error("no artifact {digest}")]
    Missing {
        /// The digest asked for.
        digest: Digest,
    },
    /// The artifact announced is too large.
    #[error("an artifact of {size} bytes is too large: at most {max_size} allowed")]
    TooLarge {
        /// Bytes announced.
        size: u64,
        /// Bytes allowed.
        max_size: u64,
    },
    /// The bytes received are not the ones announced.
    #[error(
        "artifact {announced} of {announced_size} bytes was announced, {found} of {found_size} bytes came: send it again"
    )]
    Mismatch {
        /// The digest announced.
        announced: Digest,
        /// The size announced.
        announced_size: u64,
        /// The digest of what came.
        found: Digest,
        /// The size of what came.
        found_size: u64,
    },
    /// The bytes stored have changed since they were stored.
    #[error(
        "artifact {expected} is corrupt: its bytes have digest {found}; restore it from a backup, or submit its experiment under a new sweep name"
    )]
    Corrupt {
        /// The digest asked for.
        expected: Digest,
        /// The digest of what is stored.
        found: Digest,
    },
    /// The store cannot be used: a full disk, a network that is down.
    #[error("the artifact store failed: {0}")]
    Unavailable(#[from] object_store::Error),
}

impl ArtifactStore {
    /// Opens the store at `place`, a folder (made when missing) or a URL; artifacts above `max_size` bytes are refused.
    ///
    /// # Errors
    /// [`ArtifactError::Place`] when the folder cannot be made or the URL is not understood.
    pub fn open(place: &str, max_size: u64) -> Result<Self, ArtifactError> {
        let refuse = |reason: String| ArtifactError::Place { place: place.to_owned(), reason };
        let (store, prefix): (Arc<dyn ObjectStore>, Path) = match Url::parse(place) {
            Ok(url) if url.scheme() != "file" => {
                let (store, prefix) = object_store::parse_url(&url).map_err(|error| refuse(error.to_string()))?;
                (store.into(), prefix)
            }
            Ok(url) => (
                local(url.to_file_path().map_err(|()| refuse("not a local path".to_owned()))?, &refuse)?,
                Path::default(),
            ),
            Err(_) => (local(PathBuf::from(place), &refuse)?, Path::default()),
        };
        Ok(Self { store, prefix, max_size })
    }

    /// The size of an artifact, or nothing when there is none.
    ///
    /// # Errors
    /// [`ArtifactError::Unavailable`].
    pub async fn size(&self, digest: &Digest) -> Result<Option<u64>, ArtifactError> {
        match self.store.head(&self.key(digest)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Starts an upload of `size` bytes with `digest`.
    ///
    /// # Errors
    /// [`ArtifactError::TooLarge`] or [`ArtifactError::Unavailable`].
    pub async fn upload(&self, digest: Digest, size: u64) -> Result<Upload, ArtifactError> {
        if size > self.max_size {
            return Err(ArtifactError::TooLarge { size, max_size: self.max_size });
        }
        let parts = self.store.put_multipart(&self.key(&digest)).await?;
        Ok(Upload::new(parts, digest, size))
    }

    /// The bytes of an artifact; the stream ends with [`ArtifactError::Corrupt`] when they do not have the digest.
    ///
    /// # Errors
    /// [`ArtifactError::Missing`] or [`ArtifactError::Unavailable`].
    pub async fn read(&self, digest: &Digest) -> Result<Bytestream, ArtifactError> {
        match self.store.get(&self.key(digest)).await {
            Ok(found) => Ok(Bytestream::new(found.into_stream(), *digest)),
            Err(object_store::Error::NotFound { .. }) => Err(ArtifactError::Missing { digest: *digest }),
            Err(error) => Err(error.into()),
        }
    }

    /// `sha256/ab/cdef…`: two hundred and fifty-six folders keep each listing short.
    fn key(&self, digest: &Digest) -> Path {
        let text = digest.to_string();
        self.prefix.clone().join("sha256").join(&text[..2]).join(&text[2..])
    }
}

fn local(folder: PathBuf, refuse: &impl Fn(String) -> ArtifactError) -> Result<Arc<dyn ObjectStore>, ArtifactError> {
    std::fs::create_dir_all(&folder).map_err(|error| refuse(error.to_string()))?;
    let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| refuse(error.to_string()))?;
    // A row that names an artifact is committed after it: the bytes must survive whatever the row survives.
    Ok(Arc::new(store.with_fsync(true)))
}
