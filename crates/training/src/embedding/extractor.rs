//! A feature extractor: its file, the statistics beside it, and what it makes of a batch of images.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use datasets::{DataDirectory, LoadError, Shape};
use domain::Digest;
use serde::Deserialize;
use tch::{CModule, Kind, TchError, Tensor, no_grad};

use super::EmbeddingError;
use crate::Device;
use crate::error::TrainingError;

/// The folder of extractors in the data directory.
const FOLDER: &str = "extractors";
/// Largest module, in bytes.
const MAX_MODULE: u64 = 1 << 33;
/// Largest file of statistics, in bytes.
const MAX_SIDECAR: u64 = 1 << 16;
/// Longest message of the tensor library that is passed on.
const MAX_MESSAGE: usize = 300;

/// A module's bytes, before it is run.
pub struct Extractor {
    path: PathBuf,
    module: Vec<u8>,
    statistics: Option<Statistics>,
    digest: Digest,
    shape: [usize; 3],
}

/// Mean and standard deviation of each channel of levels between 0 and 1, by which images are normalised.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statistics {
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl Extractor {
    /// Reads `extractors/NAME.pt`, and `extractors/NAME.json` if it is there, for images of a shape.
    pub fn read(data: &DataDirectory, name: &str, shape: [usize; 3]) -> Result<Self, TrainingError> {
        let folder = data.root().join(FOLDER);
        let path = folder.join(format!("{name}.pt"));
        let missing = || EmbeddingError::Missing { name: name.to_owned(), path: path.display().to_string() };
        let module = read_file(&path, MAX_MODULE)?.ok_or_else(missing)?;
        let sidecar_path = folder.join(format!("{name}.json"));
        let sidecar = read_file(&sidecar_path, MAX_SIDECAR)?;
        let statistics = sidecar.as_deref().map(|bytes| Statistics::parse(bytes, shape[0])).transpose();
        let statistics = statistics.map_err(|problem| unusable(&sidecar_path, problem))?;
        let sidecar = sidecar.map_or_else(|| "none".to_owned(), |bytes| Digest::of(&bytes).to_string());
        let digest = Digest::of(format!("{}\n{sidecar}", Digest::of(&module)).as_bytes());
        Ok(Self { path, module, statistics, digest, shape })
    }

    /// SHA-256 of what decides about the outputs.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Loads the module on a device, in evaluation mode.
    pub fn open(&self, device: Device) -> Result<Open<'_>, TrainingError> {
        let on = device.open()?;
        let no_module = |error| unusable(&self.path, format!("it is not a TorchScript module: {}", first_line(&error)));
        let mut module = CModule::load_data_on_device(&mut &self.module[..], on).map_err(no_module)?;
        module.f_set_eval().map_err(no_module)?;
        let [channels, _, _] = self.shape;
        let statistics = self.statistics.as_ref().map(|Statistics { mean, std }| {
            let of_channels =
                |values: &[f32]| Tensor::from_slice(values).view([1, channels as i64, 1, 1]).to_device(on);
            (of_channels(mean), of_channels(std))
        });
        Ok(Open { extractor: self, module, device: on, statistics })
    }

    /// Refuses more outputs than the memory holds.
    pub fn too_large(&self, images: usize, features: usize) -> EmbeddingError {
        let problem =
            format!("{images} outputs of {features} features do not fit the memory; limit the number of images");
        unusable(&self.path, problem)
    }
}

/// A module that is ready to run.
pub struct Open<'a> {
    extractor: &'a Extractor,
    module: CModule,
    device: tch::Device,
    statistics: Option<(Tensor, Tensor)>,
}

impl Open<'_> {
    /// Appends the features of some images, planar bytes one after the other.
    pub fn append(&self, pixels: &[u8], features: usize, values: &mut Vec<f32>) -> Result<(), TrainingError> {
        let [channels, height, width] = self.extractor.shape;
        let images = pixels.len() / (channels * height * width);
        let sizes = [images, channels, height, width].map(|size| size as i64);
        let made = no_grad(|| -> Result<Tensor, TchError> {
            // [b, c, h, w], levels from 0 to 1.
            let levels = Tensor::from_slice(pixels).to_device(self.device).view(sizes).to_kind(Kind::Float) / 255.0;
            let input = match &self.statistics {
                Some((mean, std)) => (levels - mean) / std,
                None => levels,
            };
            self.module.forward_ts(&[input])
        });
        let path = &self.extractor.path;
        let made = made.map_err(|error| {
            unusable(path, format!("it fails on images of {}: {}", self.images(), first_line(&error)))
        })?;
        self.check(&made, [images, features])?;
        let made = made.to_device(tch::Device::Cpu).to_kind(Kind::Float).contiguous().view(-1);
        let start = values.len();
        values.resize(start + images * features, 0.0);
        made.f_copy_data(&mut values[start..], images * features)
            .map_err(|error| unusable(path, first_line(&error)))?;
        match values[start..].iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(place) => {
                let found = format!("feature {} (from 0) of an image {}", place % features, values[start + place]);
                Err(unusable(path, format!("it made {found}, which is not finite")).into())
            }
        }
    }

    fn check(&self, made: &Tensor, expected: [usize; 2]) -> Result<(), EmbeddingError> {
        let refuse = |found: String, remedy| EmbeddingError::Output {
            path: self.extractor.path.display().to_string(),
            images: self.images(),
            found,
            expected: format!("{expected:?}"),
            remedy,
        };
        let sizes = made.size();
        if sizes != expected.map(|size| size as i64) {
            let remedy = if sizes.len() == 2 {
                "correct the number of features after the @"
            } else {
                "let it end with a flatten(1), one vector for each image"
            };
            return Err(refuse(format!("{sizes:?}"), remedy));
        }
        match made.kind() {
            Kind::Half | Kind::BFloat16 | Kind::Float | Kind::Double => Ok(()),
            other => Err(refuse(format!("numbers of type {other:?}"), "let it give floats")),
        }
    }

    fn images(&self) -> Shape {
        Shape::Image(self.extractor.shape)
    }
}

impl Statistics {
    fn parse(bytes: &[u8], channels: usize) -> Result<Self, String> {
        let format =
            r#"{"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}, of levels from 0 to 1, is expected"#;
        let statistics: Self = serde_json::from_slice(bytes).map_err(|error| format!("{error}; {format}"))?;
        let Self { mean, std } = &statistics;
        if mean.len() != channels || std.len() != channels {
            return Err(format!("it has {} means and {} deviations for {channels} channels", mean.len(), std.len()));
        }
        if mean.iter().any(|mean| !mean.is_finite()) || std.iter().any(|&std| !std.is_finite() || std <= 0.0) {
            return Err("means must be finite, and deviations over 0".to_owned());
        }
        Ok(statistics)
    }
}

fn unusable(path: &Path, problem: impl Into<String>) -> EmbeddingError {
    EmbeddingError::Unusable { path: path.display().to_string(), problem: problem.into() }
}

/// The tensor library's messages have its own stack below the first lines.
fn first_line(error: &TchError) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
    lines.join(" ").chars().take(MAX_MESSAGE).collect()
}

/// The bytes of a file; none if it is not there.
fn read_file(path: &Path, most: u64) -> Result<Option<Vec<u8>>, TrainingError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(unreadable(source).into()),
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(unusable(path, format!("it is larger than {most} bytes")).into());
    }
    Ok(Some(bytes))
}
