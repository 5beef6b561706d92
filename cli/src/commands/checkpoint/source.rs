//! Where a checkpoint is: a file here, or an artifact of the cluster by its digest.

use std::path::{Path, PathBuf};

use anyhow::Context;
use checkpoints::ModelFile;
use domain::Digest;
use statedict::Limits;
use tempfile::TempDir;

use crate::{artifact, client::Client, failure::Failure};

/// A file on this machine, which may go away with the program.
pub struct Local {
    /// Where it is.
    pub path: PathBuf,
    _folder: Option<TempDir>,
}

/// Finds the file that `source` names, fetching it when it is the SHA-256 of an artifact.
pub async fn locate(source: &str, client: &Client) -> Result<Local, Failure> {
    let path = PathBuf::from(source);
    let Ok(digest) = source.parse::<Digest>() else {
        return Ok(Local { path, _folder: None });
    };
    if path.exists() {
        return Ok(Local { path, _folder: None });
    }
    let folder = tempfile::tempdir().context("cannot make a folder for the artifact")?;
    let path = folder.path().join("checkpoint.safetensors");
    artifact::fetch(client, digest, &path, "the artifact").await?;
    Ok(Local { path, _folder: Some(folder) })
}

/// Reads a checkpoint of ours.
pub fn read(path: &Path, limits: &Limits) -> Result<ModelFile, Failure> {
    let read = ModelFile::read(path, limits).with_context(|| format!("cannot read {}", path.display()));
    Ok(read?)
}
