//! Records what a trained flow makes of datasets: one forward pass for each dataset's split, whatever is computed from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datasets::{DataDirectory, EvaluationBatches, EvaluationPlan, Examples, Scaling, Shape, Values};
use domain::Digest;
use domain::report::{Split, StatisticsRef};
use domain::spec::{Codec, Dataset, ExperimentSpec, InputShape};
use flows::Flow;
use scoring::code_length::{CodecError, Images};
use scoring::{FORMAT, Header, Statistics, column};

use crate::encoding::Encoding;
use crate::error::TrainingError;
use crate::examples;
use crate::observer::Observer;
use crate::pace::Pace;
use crate::{Device, PRECISION};

/// Most examples of the learned dataset's train split that scores learn from: more move a mean, a kernel density and a mixture
/// of normals by less than the choice of the examples does.
pub(crate) const MAX_REFERENCE: usize = 10_000;

/// A batch size that keeps a processor or a GPU busy and needs little memory.
pub(crate) const BATCH_SIZE: usize = 256;

/// Statistics in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedStatistics {
    /// Where it lies.
    pub path: PathBuf,
    /// Of what they are, and the file's SHA-256.
    pub reference: StatisticsRef,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A trained flow on its way through datasets.
pub(crate) struct Recording<'a> {
    /// The document that it was trained by.
    pub(crate) spec: &'a ExperimentSpec,
    /// The seed that keys the noise.
    pub(crate) seed: u64,
    /// The flow.
    pub(crate) flow: &'a Flow,
    /// The artifact that it is.
    pub(crate) checkpoint: Digest,
    /// Where it computes.
    pub(crate) device: Device,
    /// Where the datasets are.
    pub(crate) data: &'a DataDirectory,
    /// How they are scaled.
    pub(crate) scaling: Scaling,
    /// Examples per pass through the flow, at least 1.
    pub(crate) batch_size: usize,
}

/// Examples on their way through a flow.
pub(crate) struct Side {
    dataset: Dataset,
    split: Split,
    examples: Arc<Examples>,
}

impl Side {
    /// Images of the passes that they take, one for each draw.
    pub(crate) fn passes(&self, draws: u32) -> u64 {
        self.examples.len() as u64 * u64::from(draws)
    }
}

impl Recording<'_> {
    /// The first `evaluation.images` examples of a dataset's test split, or all of them.
    pub(crate) fn test_side(&self, dataset: &Dataset) -> Result<Side, TrainingError> {
        let limit = self.spec.evaluation.images.map(|images| images as usize);
        self.side(dataset, Split::Test, limit, 0)
    }

    /// The examples of the learned dataset's train split from which scores learn what is usual: the first ones that the flow
    /// itself learned from (those held out by `training.validation` are not among them), as many as are evaluated of each test
    /// split, and at most [`MAX_REFERENCE`].
    pub(crate) fn reference_side(&self) -> Result<Side, TrainingError> {
        let spec = self.spec;
        let wanted = spec.evaluation.images.map_or(MAX_REFERENCE, |images| MAX_REFERENCE.min(images as usize));
        let held_out = spec.training.validation.as_ref().map_or(0, |validation| validation.examples as usize);
        // The last ones of those that training takes are held out: what is read beyond the wanted ones tells where they are.
        let all = spec.data.train_images.map_or(usize::MAX, |images| images as usize);
        self.side(&spec.data.dataset, Split::Train, Some(all.min(wanted.saturating_add(held_out))), held_out)
    }

    /// The first `limit` examples without the last `held_out` of them.
    fn side(
        &self,
        dataset: &Dataset,
        split: Split,
        limit: Option<usize>,
        held_out: usize,
    ) -> Result<Side, TrainingError> {
        let examples = examples::load(self.data, dataset, split_of(split), limit, &self.scaling)?;
        let (expected, found) = (shape_of(self.flow.input()), examples.shape());
        if found != expected {
            return Err(TrainingError::Shape { dataset: dataset.to_string(), expected, found });
        }
        let examples = match (held_out, examples.len().checked_sub(held_out)) {
            (0, _) => examples,
            (_, Some(learned @ 1..)) => examples.split_at(learned).0,
            (_, Some(0) | None) => {
                let held_out = u32::try_from(held_out).unwrap_or(u32::MAX);
                let found = examples.len();
                return Err(TrainingError::HeldOut { dataset: dataset.to_string(), held_out, found });
            }
        };
        Ok(Side { dataset: dataset.clone(), split, examples: Arc::new(examples) })
    }

    /// Passes a side through the flow, every example under every draw; nothing when the observer stops it.
    pub(crate) fn pass(&self, side: &Side, pace: &mut Pace<'_>) -> Result<Option<Statistics>, TrainingError> {
        let name = side.dataset.to_string();
        let draws = self.spec.evaluation.noise_draws;
        let mut encoding = Encoding::new(self.flow, side.examples.len()).with_projections();
        let mut lengths = CodeLengths::of(&side.examples);
        for draw in 0..draws {
            let examples = side.examples.clone();
            let plan = EvaluationPlan::new(examples, self.batch_size, self.seed, &name, split_of(side.split), draw)
                .map_err(|source| TrainingError::Batch { dataset: name.clone(), source })?;
            for batch in EvaluationBatches::new(plan) {
                if !pace.goes_on() {
                    return Ok(None);
                }
                encoding.add(&batch, draw);
                if let Some(lengths) = lengths.as_mut().filter(|_| draw == 0) {
                    let measured = lengths.measure(batch.first, batch.len);
                    measured.map_err(|source| TrainingError::CodeLength { dataset: name.clone(), source })?;
                }
                pace.count(batch.len as u64);
            }
        }
        let mut columns = encoding.into_columns(draws);
        columns.values.extend(lengths.into_iter().flat_map(CodeLengths::into_columns));
        let header = self.header(side, draws);
        let statistics = Statistics::new(header, columns);
        statistics.map(Some).map_err(|source| TrainingError::Statistics { what: name, source })
    }

    fn header(&self, side: &Side, noise_draws: u32) -> Header {
        Header {
            format: FORMAT,
            checkpoint: self.checkpoint,
            seed: self.seed,
            dataset: side.dataset.clone(),
            split: side.split,
            images: side.examples.len() as u64,
            noise_draws,
            precision: PRECISION.to_owned(),
            device: self.device.to_string(),
            threads: u32::try_from(tch::get_num_threads()).unwrap_or(0),
            dimensions: self.flow.dimensions().unsigned_abs(),
            discretisation_nats: self.flow.discretisation_nats(),
            scales: self.spec.model.scales(),
        }
    }
}

/// Records the learned dataset after the last training step, into `folder`: the reference and the test split. Nothing when the
/// observer stops it.
pub(crate) fn record_learned(
    recording: &Recording<'_>,
    folder: &Path,
    observer: &mut dyn Observer,
) -> Result<Option<Vec<SavedStatistics>>, TrainingError> {
    let sides = [recording.reference_side()?, recording.test_side(&recording.spec.data.dataset)?];
    let mut pace = Pace::after_training(observer);
    let mut saved = Vec::with_capacity(sides.len());
    for side in &sides {
        match recording.pass(side, &mut pace)? {
            Some(statistics) => saved.push(save(&statistics, folder)?),
            None => return Ok(None),
        }
    }
    Ok(Some(saved))
}

/// Writes statistics into a folder, under a name that tells a task's statistics apart.
pub(crate) fn save(statistics: &Statistics, folder: &Path) -> Result<SavedStatistics, TrainingError> {
    let Header { dataset, split, .. } = statistics.header();
    let digest = Digest::of(dataset.to_string().as_bytes()).to_string();
    let path = folder.join(format!("statistics-{split}-{}.safetensors", &digest[..16]));
    let written = statistics.write(&path);
    let file = written.map_err(|source| TrainingError::Statistics { what: path.display().to_string(), source })?;
    Ok(SavedStatistics { reference: statistics.reference(file.digest), path: file.path, bytes: file.bytes })
}

/// The shape that a flow takes, in the datasets' words.
pub(crate) fn shape_of(input: InputShape) -> Shape {
    match input {
        InputShape::Image { channels, height, width } => {
            Shape::Image([channels, height, width].map(|size| size as usize))
        }
        InputShape::Vector { features } => Shape::Vector(features as usize),
    }
}

fn split_of(split: Split) -> datasets::Split {
    match split {
        Split::Train => datasets::Split::Train,
        Split::Test => datasets::Split::Test,
    }
}

/// Code lengths of 8-bit images, measured batch by batch.
struct CodeLengths<'a> {
    pixels: &'a [u8],
    shape: [usize; 3],
    measured: Vec<[f64; 3]>,
}

impl<'a> CodeLengths<'a> {
    /// Of images in bytes; nothing else has code lengths.
    fn of(examples: &'a Examples) -> Option<Self> {
        match (examples.shape(), examples.values()) {
            (Shape::Image(shape), Values::Bytes(pixels)) => {
                Some(Self { pixels, shape, measured: Vec::with_capacity(examples.len()) })
            }
            (Shape::Image(_) | Shape::Vector(_), _) => None,
        }
    }

    fn measure(&mut self, first: usize, count: usize) -> Result<(), CodecError> {
        let size = self.shape.iter().product::<usize>();
        let images = Images::new(&self.pixels[first * size..(first + count) * size], self.shape)?;
        let threads = usize::try_from(tch::get_num_threads()).unwrap_or(1);
        self.measured.extend(images.code_lengths(threads)?);
        Ok(())
    }

    fn into_columns(self) -> impl Iterator<Item = (String, Vec<f64>)> {
        let column = move |(index, codec)| {
            (column::code_length(codec), self.measured.iter().map(|lengths| lengths[index]).collect())
        };
        Codec::ALL.into_iter().enumerate().map(column)
    }
}
