//! The per-image statistics that an evaluation leaves: every score and metric can be computed from them again.

use std::path::Path;

use domain::Digest;
use domain::spec::Dataset;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use thiserror::Error;

use crate::tensor_file::{self, FileError, SavedFile};

const FORMAT: u32 = 1;
const INSIDE: &str = "in";
const OUTSIDE: &str = "out";
const LOG_LIKELIHOOD: &str = "log_likelihood";
const LATENT: &str = "latent";
const LOG_DET: &str = "log_det";

/// Why a file of statistics cannot be read.
#[derive(Debug, Error)]
pub enum StatisticsError {
    /// The file cannot be read, or its bytes are not the expected ones.
    #[error(transparent)]
    File(#[from] FileError),
    /// A column is absent, or not a vector of doubles.
    #[error("the statistics lack the column {0}, a vector of doubles")]
    Column(String),
}

/// What one side's images gave, one value per image in index order; means over the noise draws, in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct PerImage {
    /// The dataset, whose test split was evaluated.
    pub dataset: Dataset,
    /// ℓ(x) = latent + log_det − D ln 256: of the discrete image, a lower bound.
    pub log_likelihood: Vec<f64>,
    /// log N(z; 0, I).
    pub latent: Vec<f64>,
    /// log |det dz/dy|, preprocessing included.
    pub log_det: Vec<f64>,
}

/// Both sides of an evaluation and how they were computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// The trained flow.
    pub checkpoint: Digest,
    /// The seed that keys the noise.
    pub seed: u64,
    /// Dequantisation draws per image.
    pub noise_draws: u32,
    /// The flow's arithmetic.
    pub precision: String,
    /// The in-distribution images.
    pub inside: PerImage,
    /// The out-of-distribution images.
    pub outside: PerImage,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    checkpoint: Digest,
    seed: u64,
    noise_draws: u32,
    precision: String,
    split: String,
    inside: Dataset,
    outside: Dataset,
}

impl Statistics {
    /// Writes columns `in.*` and `out.*` of doubles, durably and all or nothing.
    ///
    /// # Errors
    /// [`FileError`] when the disk refuses.
    pub fn write(&self, path: &Path) -> Result<SavedFile, FileError> {
        let header = Header {
            format: FORMAT,
            checkpoint: self.checkpoint,
            seed: self.seed,
            noise_draws: self.noise_draws,
            precision: self.precision.clone(),
            split: datasets::Split::Test.to_string(),
            inside: self.inside.dataset.clone(),
            outside: self.outside.dataset.clone(),
        };
        let columns = [(INSIDE, &self.inside), (OUTSIDE, &self.outside)].into_iter().flat_map(|(side, images)| {
            let column = |name: &str, values: &[f64]| (format!("{side}.{name}"), Tensor::from_slice(values));
            [
                column(LOG_LIKELIHOOD, &images.log_likelihood),
                column(LATENT, &images.latent),
                column(LOG_DET, &images.log_det),
            ]
        });
        tensor_file::write(path, &header, &columns.collect::<Vec<_>>())
    }

    /// Reads a file of statistics and checks its digest.
    ///
    /// # Errors
    /// [`StatisticsError`] when the bytes are others or a column is absent.
    pub fn read(path: &Path, digest: Digest) -> Result<Self, StatisticsError> {
        let (header, columns) = tensor_file::read::<Header>(path, Some(digest))?;
        if header.format != FORMAT {
            let text = format!("format {} where {FORMAT} is readable", header.format);
            return Err(FileError::Header(text).into());
        }
        let column = |side: &str, name: &str| {
            let full_name = format!("{side}.{name}");
            let found = columns.iter().find(|(name, _)| *name == full_name);
            let values = found.and_then(|(_, tensor)| Vec::<f64>::try_from(tensor).ok());
            values.ok_or(StatisticsError::Column(full_name))
        };
        let side = |name: &str, dataset| {
            Ok::<_, StatisticsError>(PerImage {
                dataset,
                log_likelihood: column(name, LOG_LIKELIHOOD)?,
                latent: column(name, LATENT)?,
                log_det: column(name, LOG_DET)?,
            })
        };
        Ok(Self {
            checkpoint: header.checkpoint,
            seed: header.seed,
            noise_draws: header.noise_draws,
            precision: header.precision,
            inside: side(INSIDE, header.inside)?,
            outside: side(OUTSIDE, header.outside)?,
        })
    }
}
