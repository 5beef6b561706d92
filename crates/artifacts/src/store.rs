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
    /// There is no room for more.
    #[error(
        "the artifact store is full: {}; make room where SPILLWAY_ARTIFACTS of the coordinator points: what was not stored is kept where it is and sent again",
        innermost(.0)
    )]
    Full(object_store::Error),
    /// The store cannot be used: a folder that may not be written, a network that is down.
    #[error("the artifact store failed: {}; check where SPILLWAY_ARTIFACTS of the coordinator points", innermost(.0))]
    Unavailable(object_store::Error),
}

impl From<object_store::Error> for ArtifactError {
    fn from(error: object_store::Error) -> Self {
        if is_full(&error) { Self::Full(error) } else { Self::Unavailable(error) }
    }
}

/// Whether the system says that a disk, a quota or the largest file is at its limit.
fn is_full(error: &object_store::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};

    causes(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| matches!(cause.kind(), StorageFull | QuotaExceeded | FileTooLarge))
}

/// What the system said: the outer errors name paths of the coordinator's disk.
fn innermost(error: &object_store::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

fn causes(error: &object_store::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source())
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn failed(kind: io::ErrorKind) -> ArtifactError {
        object_store::Error::Generic { store: "LocalFileSystem", source: io::Error::from(kind).into() }.into()
    }

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge] {
            let error = failed(kind);

            assert!(matches!(error, ArtifactError::Full(_)), "{error}");
            assert!(error.to_string().contains("make room where SPILLWAY_ARTIFACTS"), "{error}");
        }
        let error = failed(io::ErrorKind::PermissionDenied);
        assert_eq!(
            error.to_string(),
            "the artifact store failed: permission denied; check where SPILLWAY_ARTIFACTS of the coordinator points"
        );
    }
}
