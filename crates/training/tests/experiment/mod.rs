//! A tiny experiment on built-in images, and its requests.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]
#![allow(dead_code, reason = "every test program uses a part of it")]

use std::path::Path;
use std::time::Duration;

use datasets::DataDirectory;
use domain::spec::{ExperimentSpec, parse_document};
use training::{
    CheckpointFile, Device, FitOutcome, FitRequest, Recorder, SavedCheckpoint, TrainingError, fit, set_threads,
};

/// 40 images in batches of 12: an epoch has four steps, the last one smaller, so that step 7 is amid an epoch and amid
/// a window of the curve.
pub fn spec(mask: &str, steps: u32) -> ExperimentSpec {
    let document = serde_json::json!({
        "model": {"realnvp": {"mask": mask, "st_network": {"resnet": {"width": 4, "blocks": 1}}}},
        "data": {"dataset": "synthetic-shapes", "train_images": 40},
        "training": {"steps": steps, "batch_size": 12, "optimiser": {"adam": {"learning_rate": 1e-3}}},
        "evaluation": {"out": ["synthetic-strokes"], "images": 30},
    });
    let spec: ExperimentSpec = parse_document(&document, "").unwrap();
    spec.validate("base").unwrap();
    spec
}

pub fn data() -> DataDirectory {
    DataDirectory::at("no folder is needed")
}

/// A run in a folder of its own.
pub struct Laboratory {
    pub folder: tempfile::TempDir,
    data: DataDirectory,
}

impl Laboratory {
    /// Tests run side by side: one thread each, or they wait for each other's.
    pub fn new() -> Self {
        Self::with_threads(1)
    }

    pub fn with_threads(count: u16) -> Self {
        set_threads(count);
        Self { folder: tempfile::tempdir().unwrap(), data: data() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn request<'a>(&'a self, spec: &'a ExperimentSpec, start: Option<&SavedCheckpoint>) -> FitRequest<'a> {
        FitRequest {
            spec,
            seed: 5,
            device: Device::Cpu,
            data: &self.data,
            initial_weights: None,
            start: start.map(|saved| CheckpointFile::from(&saved.file)),
            checkpoint_folder: self.folder.path().to_owned(),
            checkpoint_every: Duration::from_secs(3600),
        }
    }

    /// Trains with an observer; returns what it left and what the observer was told.
    pub fn fit(
        &self,
        spec: &ExperimentSpec,
        start: Option<&SavedCheckpoint>,
        mut observer: Recorder,
    ) -> Result<(FitOutcome, Recorder), TrainingError> {
        let outcome = fit(&self.request(spec, start), &mut observer)?;
        Ok((outcome, observer))
    }

    /// Trains to the end and returns the final checkpoint.
    pub fn train(&self, spec: &ExperimentSpec) -> SavedCheckpoint {
        self.fit(spec, None, Recorder::default()).unwrap().0.checkpoint.unwrap()
    }
}

/// Rewrites a checkpoint's file with `was` in its header replaced by `is`, of the same length and so the same layout.
pub fn with_header(saved: &SavedCheckpoint, was: &[u8], is: &[u8]) -> CheckpointFile {
    assert_eq!(was.len(), is.len());
    // The header is JSON in JSON text, so that its quotes are escaped.
    let mut bytes = std::fs::read(&saved.file.path).unwrap();
    let at = bytes.windows(was.len()).position(|window| window == was).unwrap();
    bytes[at..at + is.len()].copy_from_slice(is);
    std::fs::write(&saved.file.path, &bytes).unwrap();
    CheckpointFile { path: saved.file.path.clone(), digest: domain::Digest::of(&bytes) }
}
