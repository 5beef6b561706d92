//! Empties an outbox towards the coordinator: checkpoint files into the artifact store, then their rows, the points of the
//! curve and the lines of the log, each under the attempt's epoch.

use domain::report::CheckpointRef;
use tokio::fs;
use tracing::{debug, info, warn};

use crate::{
    cache::{Cache, Kind},
    child::{ArtifactFile, TrainedFlow},
    lease::{Hold, Lost},
    outbox::{Outbox, Parcel},
    retry::until_answered,
    uplink::{Uplink, UplinkError},
    upload::{Upload, upload},
};

/// What arrived.
#[derive(Debug, Default)]
pub struct Delivered {
    /// The newest checkpoint that the coordinator has accepted.
    pub checkpoint: Option<CheckpointRef>,
    /// Why a checkpoint did not arrive.
    pub problem: Option<String>,
}

/// Sends what the outbox holds until it is closed and empty. A stale answer abandons the attempt and ends it too.
pub async fn run(uplink: &Uplink, cache: &Cache, hold: &Hold, outbox: &Outbox) -> Delivered {
    let mut delivered = Delivered::default();
    while let Some(parcel) = outbox.next().await {
        match deliver(uplink, cache, hold, parcel, &mut delivered).await {
            Ok(()) => {}
            Err(UplinkError::Stale(reason) | UplinkError::Unknown(reason)) => {
                info!(reason, "report was stale");
                hold.abandoned().cancel();
                return delivered;
            }
            Err(refusal) => {
                warn!(%refusal, "report was not accepted");
                delivered.problem = Some(refusal.to_string());
            }
        }
    }
    delivered
}

async fn deliver(
    uplink: &Uplink,
    cache: &Cache,
    hold: &Hold,
    parcel: Parcel,
    delivered: &mut Delivered,
) -> Result<(), UplinkError> {
    let Parcel { points, validation, lines, checkpoint } = parcel;
    let stored = match checkpoint {
        Some(flow) => store_checkpoint(uplink, cache, hold, flow, delivered).await?,
        None => None,
    };
    if points.is_empty() && validation.is_empty() && lines.is_empty() && stored.is_none() {
        return Ok(());
    }
    until_answered("report", async || {
        hold.lease().trusted().await?;
        uplink.report(hold.attempt(), &points, &validation, stored, &lines).await
    })
    .await?;
    if let Some(checkpoint) = stored {
        debug!(step = checkpoint.step, digest = %checkpoint.digest, "checkpoint reported");
        // The newest one is what comes next: evaluated if it is the last, or gone on from.
        if let Some(superseded) = delivered.checkpoint.replace(checkpoint).filter(|old| old.digest != checkpoint.digest)
        {
            cache.forget(superseded.digest).await;
        }
        delivered.problem = None;
    }
    Ok(())
}

/// Uploads a checkpoint, keeps it for jobs that come here next, and removes its file. One that cannot be stored is noted: the points beside it still count.
async fn store_checkpoint(
    uplink: &Uplink,
    cache: &Cache,
    hold: &Hold,
    flow: TrainedFlow,
    delivered: &mut Delivered,
) -> Result<Option<CheckpointRef>, UplinkError> {
    let stored = match store(uplink, hold, &flow.file).await {
        Ok(()) => {
            cache.keep(&flow.file, Kind::Checkpoint).await;
            Some(flow.reference())
        }
        Err(StoreError::Uplink(stale @ (UplinkError::Stale(_) | UplinkError::Unknown(_)))) => return Err(stale),
        Err(problem) => {
            warn!(step = flow.step, %problem, "checkpoint was not stored");
            delivered.problem = Some(problem.to_string());
            None
        }
    };
    remove(&flow.file).await;
    Ok(stored)
}

/// A file that did not reach the artifact store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The coordinator's answer.
    #[error("upload {0}")]
    Uplink(UplinkError),
    /// The file's own fault.
    #[error("cannot read {path} for its upload: {source}; check the scratch folder's disk")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// Uploads a file however long the coordinator takes to answer.
///
/// # Errors
/// The file cannot be read, or the coordinator refuses it.
pub async fn store(uplink: &Uplink, hold: &Hold, file: &ArtifactFile) -> Result<(), StoreError> {
    let upload = until_answered("upload", async || {
        hold.lease().trusted().await?;
        upload(uplink, file).await
    });
    match upload.await.map_err(StoreError::Uplink)? {
        Upload::Stored => Ok(()),
        Upload::Unreadable(source) => Err(StoreError::Unreadable { path: file.path.display().to_string(), source }),
    }
}

/// Removes a file that is of no more use. One that stays goes with its folder at the attempt's end.
pub async fn remove(file: &ArtifactFile) {
    if let Err(error) = fs::remove_file(&file.path).await {
        debug!(path = %file.path.display(), %error, "file was not removed");
    }
}

impl From<Lost> for UplinkError {
    fn from(lost: Lost) -> Self {
        Self::Stale(lost.to_string())
    }
}
