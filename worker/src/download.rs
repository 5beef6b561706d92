//! Artifacts on their way to this machine's disk, believed only when their digest is right.

use std::{io, path::Path};

use domain::Digest;
use sha2::{Digest as _, Sha256};
use tokio::{
    fs::{self, File},
    io::AsyncWriteExt,
};

use crate::{
    child::ArtifactFile,
    uplink::{Uplink, UplinkError},
};

/// What became of a download that was answered.
#[derive(Debug)]
pub enum Download {
    /// The file is here and its digest is right.
    Verified(ArtifactFile),
    /// The store has no such bytes: they are absent or damaged. Another try brings the same.
    Unusable(String),
    /// The file cannot be written here.
    Unwritable(io::Error),
}

/// Fetches an artifact into the file `path`, which is there only when the digest is right.
///
/// # Errors
/// An outage, which calls for another try; or a refusal.
pub async fn download(uplink: &Uplink, digest: Digest, path: &Path) -> Result<Download, UplinkError> {
    let mut pieces = match uplink.get(digest).await {
        Ok(pieces) => pieces,
        Err(UplinkError::Unknown(reason) | UplinkError::Damaged(reason)) => return Ok(Download::Unusable(reason)),
        Err(other) => return Err(other),
    };
    let partial = path.with_extension("partial");
    let mut file = match File::create(&partial).await {
        Ok(file) => file,
        Err(error) => return Ok(Download::Unwritable(error)),
    };
    let mut hasher = Sha256::new();
    let mut bytes = 0_u64;
    loop {
        let piece = match pieces.next().await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(UplinkError::Unknown(reason) | UplinkError::Damaged(reason)) => return Ok(Download::Unusable(reason)),
            Err(other) => return Err(other),
        };
        hasher.update(&piece);
        bytes += piece.len() as u64;
        if let Err(error) = file.write_all(&piece).await {
            return Ok(Download::Unwritable(error));
        }
    }
    let found = Digest::from(<[u8; 32]>::from(hasher.finalize()));
    if found != digest {
        return Ok(Download::Unusable(format!("expected SHA-256 {digest}, found {found} ({bytes} bytes)")));
    }
    let finished = async {
        file.flush().await?;
        fs::rename(&partial, path).await
    };
    Ok(match finished.await {
        Ok(()) => Download::Verified(ArtifactFile { path: path.to_owned(), digest }),
        Err(error) => Download::Unwritable(error),
    })
}
