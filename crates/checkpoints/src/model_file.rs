//! A checkpoint as far as its model goes: the weights, the document that they were trained by, and where they come from.

use std::collections::BTreeMap;
use std::path::Path;

use domain::spec::ExperimentSpec;
use serde::{Deserialize, Serialize};
use statedict::{Format, Limits, StateDict, safetensors};
use thiserror::Error;

use crate::format::{FORMAT, HEADER_KEY, MODEL_PREFIX, OPTIMISER_PREFIX};

/// Why a checkpoint file cannot be read or written.
#[derive(Debug, Error)]
pub enum ModelFileError {
    /// The file is no file of tensors.
    #[error(transparent)]
    Read(#[from] statedict::ReadError),
    /// It is another kind of file.
    #[error("it is a {0} file, not a checkpoint of Spillway's: import it first (spillway checkpoint import)")]
    Foreign(Format),
    /// It has no document of ours.
    #[error(
        "its metadata has no {HEADER_KEY:?}: it is no checkpoint of Spillway's; import it first if it is the reference's"
    )]
    NoHeader,
    /// Its document is not readable.
    #[error("its document is not readable: {0}; it was written by another version of Spillway")]
    Header(String),
    /// It is of another version.
    #[error("format {0} is not readable: this version of Spillway reads format {FORMAT}")]
    Version(u64),
    /// A tensor is neither the model's nor the optimiser's.
    #[error("it holds {0}, which belongs to neither model nor optimiser")]
    Stranger(String),
    /// The disk refused.
    #[error(transparent)]
    Write(#[from] safetensors::WriteError),
}

/// Where weights come from that were not trained here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The format of the file that they were read from, such as `flows-ood`.
    pub format: String,
    /// SHA-256 of that file's bytes, in hexadecimal.
    pub sha256: String,
}

/// The part of a checkpoint that an evaluation or another training needs.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// The experiment that the weights were trained by; of an imported model, the one that it was checked against.
    pub spec: ExperimentSpec,
    /// The experiment's seed.
    pub seed: u64,
    /// Optimiser steps done.
    pub step: u64,
    /// Where imported weights come from.
    pub origin: Option<Origin>,
    /// The model's parameters and buffers, by our names.
    pub model: StateDict,
    /// The optimiser's tensors, by our names; none in an imported file.
    pub optimiser: StateDict,
}

/// The fields of the document that every version-1 checkpoint has; training's own may stand beside them.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    spec: ExperimentSpec,
    seed: u64,
    step: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
}

impl ModelFile {
    /// Reads a checkpoint whose tensors take at most as much memory as `limits` allow.
    ///
    /// # Errors
    /// [`ModelFileError`], with the remedy.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self, ModelFileError> {
        let contents = statedict::read(path, limits)?;
        if contents.format != Format::Safetensors {
            return Err(ModelFileError::Foreign(contents.format));
        }
        let header = contents.metadata.get(HEADER_KEY).ok_or(ModelFileError::NoHeader)?;
        let unreadable = |error: serde_json::Error| ModelFileError::Header(error.to_string());
        let document: serde_json::Value = serde_json::from_str(header).map_err(unreadable)?;
        match document.get("format").and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(FORMAT) => {}
            Some(version) => return Err(ModelFileError::Version(version)),
            None => return Err(ModelFileError::Header("it has no format".to_owned())),
        }
        let Header { spec, seed, step, origin, .. } = serde_json::from_value(document).map_err(unreadable)?;

        let (mut model, mut optimiser) = (StateDict::new(), StateDict::new());
        for tensor in contents.state_dict {
            let name = tensor.name().to_owned();
            let (part, name) = match (name.strip_prefix(MODEL_PREFIX), name.strip_prefix(OPTIMISER_PREFIX)) {
                (Some(name), _) => (&mut model, name),
                (None, Some(name)) => (&mut optimiser, name),
                (None, None) => return Err(ModelFileError::Stranger(name)),
            };
            part.push(tensor.renamed(name)).map_err(|error| ModelFileError::Header(error.to_string()))?;
        }
        Ok(Self { spec, seed, step, origin, model, optimiser })
    }

    /// Writes the weights and their document to `path`, all or nothing. The same contents give the same bytes.
    ///
    /// # Errors
    /// [`ModelFileError::Write`] when the disk refuses.
    pub fn write(self, path: &Path) -> Result<u64, ModelFileError> {
        let header = Header {
            format: FORMAT,
            spec: self.spec.resolved(),
            seed: self.seed,
            step: self.step,
            origin: self.origin,
        };
        let header = serde_json::to_string(&header).map_err(|error| ModelFileError::Header(error.to_string()))?;
        let mut tensors = StateDict::new();
        for (prefix, part) in [(MODEL_PREFIX, self.model), (OPTIMISER_PREFIX, self.optimiser)] {
            for tensor in part {
                let name = format!("{prefix}{}", tensor.name());
                tensors.push(tensor.renamed(name)).expect("the names of either part are unique");
            }
        }
        let metadata = BTreeMap::from([(HEADER_KEY.to_owned(), header)]);
        Ok(safetensors::write_file(path, &tensors, &metadata)?)
    }
}
