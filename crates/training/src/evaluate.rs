//! Evaluates a trained flow: one pass over the in-distribution and the out-of-distribution test images.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datasets::{DataDirectory, EvaluationBatch, EvaluationBatches, EvaluationPlan, Examples, Scaling, Shape, Split};
use domain::report::Measurement;
use domain::spec::{Dataset, ExperimentSpec, InputShape};
use flows::base::standard_normal_log_density;
use flows::{Flow, Mode};
use tch::{Kind, Tensor, no_grad};

use crate::assemble;
use crate::checkpoint::{Checkpoint, CheckpointError, CheckpointFile};
use crate::error::TrainingError;
use crate::examples;
use crate::measure::measure;
use crate::observer::{Directive, Observer, Progress};
use crate::statistics::{PerImage, Statistics};
use crate::tensor_file::SavedFile;
use crate::{Device, PRECISION};

/// Time between two progress reports.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// What to evaluate and where to leave the statistics.
#[derive(Debug, Clone)]
pub struct EvaluateRequest<'a> {
    /// The document that the checkpoint was trained by; it must have passed its validation.
    pub spec: &'a ExperimentSpec,
    /// The seed that the checkpoint was trained with; it keys the noise.
    pub seed: u64,
    /// The trained flow.
    pub checkpoint: CheckpointFile,
    /// The out-of-distribution dataset.
    pub out: Dataset,
    /// Where to compute.
    pub device: Device,
    /// Where the datasets are.
    pub data: &'a DataDirectory,
    /// Images per pass through the flow, at least 1.
    pub batch_size: usize,
    /// Dequantisation draws per image, at least 1: statistics are means over them.
    pub noise_draws: u32,
    /// The file for the per-image statistics, in an existing folder.
    pub statistics_file: PathBuf,
}

impl EvaluateRequest<'_> {
    /// A batch size that keeps a processor or a GPU busy and needs little memory.
    pub const DEFAULT_BATCH_SIZE: usize = 256;
    /// The reference's number of noise draws.
    pub const DEFAULT_NOISE_DRAWS: u32 = 1;
}

/// The numbers of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// AUROC of each score, bits per dimension of each side.
    pub measurements: Vec<Measurement>,
    /// The file of [`Statistics`].
    pub statistics: SavedFile,
}

/// How an evaluation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum EvaluateOutcome {
    /// All images were evaluated.
    Finished(Evaluation),
    /// The observer stopped it; nothing was written.
    Stopped,
}

/// Evaluates a checkpoint on the test split of its own dataset and of another one.
///
/// # Errors
/// [`TrainingError`]; its `kind` says whose fault it is.
pub fn evaluate(request: &EvaluateRequest<'_>, observer: &mut dyn Observer) -> Result<EvaluateOutcome, TrainingError> {
    let learned = &request.spec.data.dataset;
    let scaling = datasets::scaling_of(request.data, learned)?;
    let sides = [Side::load(request, learned, &scaling)?, Side::load(request, &request.out, &scaling)?];
    let flow = load_flow(request.spec, request.seed, &request.checkpoint, request.device)?;
    let draws = u64::from(request.noise_draws);
    let total = sides.iter().map(|side| side.images.len() as u64 * draws).sum();
    let mut pace = Pace::new(observer, total);

    let mut per_image = Vec::with_capacity(sides.len());
    for side in &sides {
        match side.pass(request, &flow, &mut pace)? {
            Some(images) => per_image.push(images),
            None => return Ok(EvaluateOutcome::Stopped),
        }
    }
    let outside = per_image.pop().expect("two sides were evaluated");
    let inside = per_image.pop().expect("two sides were evaluated");
    let statistics = Statistics {
        checkpoint: request.checkpoint.digest,
        seed: request.seed,
        noise_draws: request.noise_draws,
        precision: PRECISION.to_owned(),
        inside,
        outside,
    };
    let saved = statistics
        .write(&request.statistics_file)
        .map_err(|source| TrainingError::Write { path: request.statistics_file.clone(), source })?;
    let dimensions = flow.dimensions() as usize;
    let measurements = measure(&statistics, &request.spec.scores(), dimensions);
    Ok(EvaluateOutcome::Finished(Evaluation { measurements, statistics: saved }))
}

/// The flow of an experiment with the weights of its checkpoint.
pub(crate) fn load_flow(
    spec: &ExperimentSpec,
    seed: u64,
    file: &CheckpointFile,
    device: Device,
) -> Result<Flow, TrainingError> {
    let flow = assemble::flow(spec, seed, device.open()?)?;
    let read = || -> Result<(), CheckpointError> {
        let checkpoint = Checkpoint::read(file)?;
        checkpoint.check_continues(spec, seed)?;
        Ok(flow.parameters().load(&checkpoint.model)?)
    };
    read().map_err(|source| TrainingError::Checkpoint { path: file.path.clone(), source })?;
    Ok(flow)
}

/// The test images of one dataset.
struct Side {
    dataset: Dataset,
    images: Arc<Examples>,
}

impl Side {
    fn load(request: &EvaluateRequest<'_>, dataset: &Dataset, scaling: &Scaling) -> Result<Self, TrainingError> {
        let limit = request.spec.evaluation.images.map(|images| images as usize);
        let images = Arc::new(examples::load(request.data, dataset, Split::Test, limit, scaling)?);
        Ok(Self { dataset: dataset.clone(), images })
    }

    /// Evaluates every image with every noise draw; none if the observer stopped it.
    fn pass(
        &self,
        request: &EvaluateRequest<'_>,
        flow: &Flow,
        pace: &mut Pace<'_>,
    ) -> Result<Option<PerImage>, TrainingError> {
        let expected = shape_of(flow.input());
        if self.images.shape() != expected {
            let found = self.images.shape();
            return Err(TrainingError::Shape { dataset: self.dataset.to_string(), expected, found });
        }
        let mut sums = Sums::zeros(self.images.len());
        for draw in 0..request.noise_draws {
            let (images, name) = (self.images.clone(), self.dataset.to_string());
            let plan = EvaluationPlan::new(images, request.batch_size, request.seed, &name, Split::Test, draw)
                .map_err(|source| TrainingError::Batch { dataset: name, source })?;
            for batch in EvaluationBatches::new(plan) {
                if !pace.goes_on() {
                    return Ok(None);
                }
                sums.add(&batch, flow);
                pace.count(batch.len as u64);
            }
        }
        let discretisation = flow.discretisation_nats();
        Ok(Some(sums.into_means(&self.dataset, f64::from(request.noise_draws), discretisation)))
    }
}

/// The log-likelihood of each of a plan's images, in nats, in evaluation mode.
pub(crate) fn log_likelihoods(flow: &Flow, dataset: &Dataset, plan: &EvaluationPlan, images: usize) -> Vec<f64> {
    let mut sums = Sums::zeros(images);
    EvaluationBatches::new(plan.clone()).for_each(|batch| sums.add(&batch, flow));
    sums.into_means(dataset, 1.0, flow.discretisation_nats()).log_likelihood
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

/// Sums over noise draws, per image.
struct Sums {
    latent: Vec<f64>,
    log_det: Vec<f64>,
}

impl Sums {
    fn zeros(images: usize) -> Self {
        Self { latent: vec![0.0; images], log_det: vec![0.0; images] }
    }

    fn add(&mut self, batch: &EvaluationBatch, flow: &Flow) {
        let shape = [vec![batch.len as i64], flow.input().sizes()].concat();
        let device = flow.parameters().device();
        let tensor = |values: &[f32]| Tensor::from_slice(values).view(shape.as_slice()).to_device(device);
        let noise = batch.noise.as_deref().map(tensor);
        let encoded = no_grad(|| flow.encode(&tensor(&batch.values), noise.as_ref(), Mode::Evaluate));
        // The sum over the latent's dimensions is taken in double: near 10⁴ nats single precision steps by 10⁻³, which
        // would tie scores that differ.
        let latent = standard_normal_log_density(&encoded.output.to_kind(Kind::Double));
        for (sums, values) in [(&mut self.latent, latent), (&mut self.log_det, encoded.log_det)] {
            let values = values.to_kind(Kind::Double).to_device(tch::Device::Cpu);
            let values = Vec::<f64>::try_from(values).expect("it is a vector of doubles on the processor");
            for (sum, value) in sums[batch.first..].iter_mut().zip(values) {
                *sum += value;
            }
        }
    }

    fn into_means(self, dataset: &Dataset, draws: f64, discretisation: f64) -> PerImage {
        let means = |sums: Vec<f64>| sums.into_iter().map(|sum| sum / draws).collect::<Vec<_>>();
        let (latent, log_det) = (means(self.latent), means(self.log_det));
        let log_likelihood = latent.iter().zip(&log_det).map(|(latent, log_det)| latent + log_det - discretisation);
        PerImage { dataset: dataset.clone(), log_likelihood: log_likelihood.collect(), latent, log_det }
    }
}

/// Counts images and reports at a bounded rate.
pub(crate) struct Pace<'a> {
    observer: &'a mut dyn Observer,
    done: u64,
    total: u64,
    /// Images done at the last report.
    reported: u64,
    since: Instant,
}

impl<'a> Pace<'a> {
    /// At the beginning of `total` images.
    pub(crate) fn new(observer: &'a mut dyn Observer, total: u64) -> Self {
        Self { observer, done: 0, total, reported: 0, since: Instant::now() }
    }

    /// Whether the run shall go on.
    pub(crate) fn goes_on(&mut self) -> bool {
        match self.observer.directive() {
            Directive::Continue | Directive::Checkpoint => true,
            Directive::StopAfterCheckpoint | Directive::StopNow => false,
        }
    }

    /// Counts images that are done.
    pub(crate) fn count(&mut self, images: u64) {
        self.done += images;
        let elapsed = self.since.elapsed();
        if elapsed < PROGRESS_EVERY && self.done < self.total {
            return;
        }
        let rate = (self.done - self.reported) as f64 / elapsed.as_secs_f64();
        let (done, total) = (self.done, self.total);
        self.observer.progress(Progress { done, total, images_per_second: rate, loss_nats: None, bits_per_dim: None });
        self.reported = self.done;
        self.since = Instant::now();
    }
}
