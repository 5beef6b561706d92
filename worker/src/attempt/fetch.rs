//! What an attempt needs from the artifact store: fetched, verified and laid into its folder.

use std::path::{Path, PathBuf};

use domain::{
    Digest,
    report::{Assignment, CheckpointRef, Evaluated, StatisticsRef, Task},
};
use tracing::{info, warn};

use super::Workplace;
use crate::{
    cache::Kind,
    child::{ArtifactFile, EvaluatedFiles},
    download::{Download, download},
    retry::until_answered,
};

/// What was fetched.
pub(super) struct Fetched {
    /// The checkpoint to continue, to evaluate or to inspect.
    pub(super) checkpoint: Option<ArtifactFile>,
    /// The checkpoint whose weights a training begins with.
    pub(super) initial_weights: Option<ArtifactFile>,
    /// What training recorded of the dataset that the flow learned.
    pub(super) learned: Vec<ArtifactFile>,
    /// What evaluations stored of which scores are computed.
    pub(super) evaluated: Vec<EvaluatedFiles>,
}

/// An artifact that was asked for.
enum Found {
    /// It is here and its digest is right.
    File(ArtifactFile),
    /// Its bytes are absent or damaged, for this reason.
    Unusable(String),
}

impl Workplace<'_> {
    /// Brings what the attempt needs to this machine: the checkpoint to go on from, or else the weights to begin with.
    pub(super) async fn fetch_files(&self, assignment: &Assignment, folder: &Path) -> Result<Fetched, String> {
        let checkpoint = self.fetch_checkpoint(&assignment.task, folder).await?;
        let initial = assignment.spec.training.initial_weights;
        let (initial_weights, learned) = match (&checkpoint, initial, &assignment.task) {
            (None, Some(digest), Task::Train { .. }) => (Some(self.fetch_weights(digest, folder).await?), Vec::new()),
            (_, _, Task::Evaluate { learned, .. }) => (None, self.fetch_statistics(learned, folder).await?),
            (_, _, Task::Train { .. } | Task::Inspect { .. } | Task::Score { .. }) => (None, Vec::new()),
        };
        let evaluated = match &assignment.task {
            Task::Score { evaluated, .. } => self.fetch_evaluated(evaluated, folder).await?,
            Task::Train { .. } | Task::Evaluate { .. } | Task::Inspect { .. } => Vec::new(),
        };
        Ok(Fetched { checkpoint, initial_weights, learned, evaluated })
    }

    /// Brings to this machine what evaluations stored. No other job can make it again: what does not verify ends the attempt.
    async fn fetch_evaluated(&self, evaluated: &[Evaluated], folder: &Path) -> Result<Vec<EvaluatedFiles>, String> {
        let mut files = Vec::with_capacity(evaluated.len());
        for (place, one) in evaluated.iter().enumerate() {
            let path = |side: &str| folder.join(format!("{side}-{place}.safetensors"));
            let reference = match one.reference {
                Some(digest) => Some(self.fetch_needed(digest, &path("reference")).await?),
                None => None,
            };
            let inside = self.fetch_needed(one.inside, &path("inside")).await?;
            let outside = self.fetch_needed(one.outside, &path("outside")).await?;
            files.push(EvaluatedFiles { reference, inside, outside });
        }
        Ok(files)
    }

    async fn fetch_needed(&self, digest: Digest, path: &Path) -> Result<ArtifactFile, String> {
        match self.fetch(Kind::Statistics, digest, path).await? {
            Found::File(file) => Ok(file),
            Found::Unusable(reason) => Err(format!(
                "the statistics {digest} did not verify: {reason}; if they are damaged in the artifact store, submit the experiment under a new sweep name"
            )),
        }
    }

    /// Brings the weights to this machine that a training begins with.
    async fn fetch_weights(&self, digest: Digest, folder: &Path) -> Result<ArtifactFile, String> {
        match self.fetch(Kind::Checkpoint, digest, &folder.join("start-0.safetensors")).await? {
            Found::File(file) => Ok(file),
            Found::Unusable(reason) => Err(format!(
                "the initial weights {digest} did not verify: {reason}; store them again with `spillway checkpoint import --store`"
            )),
        }
    }

    /// Brings to this machine what training recorded. What does not verify is left out, and the child computes it again.
    async fn fetch_statistics(&self, learned: &[StatisticsRef], folder: &Path) -> Result<Vec<ArtifactFile>, String> {
        let mut files = Vec::with_capacity(learned.len());
        for StatisticsRef { dataset, split, digest, .. } in learned {
            let path = folder.join(format!("learned-{split}.safetensors"));
            match self.fetch(Kind::Statistics, *digest, &path).await? {
                Found::File(file) => files.push(file),
                Found::Unusable(reason) => {
                    warn!(%dataset, %split, %digest, reason, "statistics did not verify; they are computed again");
                }
            }
        }
        Ok(files)
    }

    /// Brings the checkpoint that the task needs to this machine; none when training starts from the beginning.
    async fn fetch_checkpoint(&self, task: &Task, folder: &Path) -> Result<Option<ArtifactFile>, String> {
        match task {
            Task::Train { resume, .. } => {
                for checkpoint in resume {
                    match self.fetch(Kind::Checkpoint, checkpoint.digest, &checkpoint_path(checkpoint, folder)).await? {
                        Found::File(file) => {
                            info!(step = checkpoint.step, "checkpoint verified; training continues from it");
                            return Ok(Some(file));
                        }
                        Found::Unusable(reason) => {
                            warn!(step = checkpoint.step, reason, "checkpoint did not verify");
                        }
                    }
                }
                Ok(None)
            }
            Task::Score { checkpoint: None, .. } => Ok(None),
            Task::Evaluate { checkpoint, .. }
            | Task::Inspect { checkpoint }
            | Task::Score { checkpoint: Some(checkpoint), .. } => {
                match self.fetch(Kind::Checkpoint, checkpoint.digest, &checkpoint_path(checkpoint, folder)).await? {
                    Found::File(file) => Ok(Some(file)),
                    Found::Unusable(reason) => Err(format!(
                        "the trained checkpoint {} did not verify: {reason}; if it is damaged in the artifact store, submit the experiment under a new sweep name",
                        checkpoint.digest
                    )),
                }
            }
        }
    }

    /// Brings one artifact to this machine.
    ///
    /// # Errors
    /// This machine or the coordinator is at fault, whatever the artifact.
    async fn fetch(&self, kind: Kind, digest: Digest, path: &Path) -> Result<Found, String> {
        if let Some(file) = self.cache.find(digest, path).await {
            info!(%digest, "{kind} found on this machine's disk");
            return Ok(Found::File(file));
        }
        let fetched = until_answered("download", async || download(self.uplink, digest, path).await).await;
        match fetched {
            Ok(Download::Verified(file)) => {
                info!(%digest, "{kind} downloaded");
                self.cache.keep(&file, kind).await;
                Ok(Found::File(file))
            }
            Ok(Download::Unusable(reason)) => {
                self.uplink.distrust(digest);
                Ok(Found::Unusable(reason))
            }
            Ok(Download::Unwritable(error)) => {
                Err(format!("cannot write {}: {error}; check the scratch folder's disk", path.display()))
            }
            Err(refusal) => Err(format!("cannot fetch {kind} {digest}: {refusal}")),
        }
    }
}

fn checkpoint_path(checkpoint: &CheckpointRef, folder: &Path) -> PathBuf {
    folder.join(format!("start-{}.safetensors", checkpoint.step))
}
