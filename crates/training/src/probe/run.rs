//! One probe: passes a part of the examples of both sides through a trained flow, one by one, and scores them.

use datasets::DataDirectory;
use domain::spec::{Dataset, ExperimentSpec, InputShape, ScoreName};
use flows::Flow;
use ood::{DualThreshold, FitError, GradientNorm, ScoreTest, dimension_at_scale};

use super::gradients::{Fisher, GradientOf, Use, gradient_of};
use super::jacobian::{LocalShape, local_shape};
use super::sample::Sample;
use crate::Device;
use crate::checkpoint::CheckpointFile;
use crate::error::TrainingError;
use crate::evaluate::load_flow;
use crate::observer::Observer;
use crate::pace::Pace;

/// The scale r at which the dimension of images is counted: e^r is one of 256 grey levels.
const IMAGE_LOG_SCALE: f64 = -5.545_177_444_479_562;
/// The same of vectors: e^r is a hundredth, of a standard deviation where a dataset is standardised.
const VECTOR_LOG_SCALE: f64 = -4.605_170_185_988_091;

/// Which scores to compute of which flow.
#[derive(Debug, Clone)]
pub struct ProbeRequest<'a> {
    /// The document that the checkpoint was trained by; it must have passed its validation.
    pub spec: &'a ExperimentSpec,
    /// The seed that the checkpoint was trained with; it keys the noise.
    pub seed: u64,
    /// The trained flow.
    pub checkpoint: CheckpointFile,
    /// The out-of-distribution dataset.
    pub out: Dataset,
    /// The scores; those that need no flow are passed over.
    pub scores: &'a [ScoreName],
    /// Where to compute.
    pub device: Device,
    /// Where the datasets are.
    pub data: &'a DataDirectory,
}

/// A score of both sides' examples.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbedScore {
    /// The score.
    pub score: ScoreName,
    /// Of the first test examples of the learned dataset.
    pub inside: Vec<f64>,
    /// Of the first test examples of the OOD dataset.
    pub outside: Vec<f64>,
}

/// How a probe ended.
#[derive(Debug, Clone, PartialEq)]
pub enum ProbeOutcome {
    /// Every score is there, in the order asked for.
    Finished(Vec<ProbedScore>),
    /// The observer stopped it.
    Stopped,
}

/// Computes scores that run the flow, over `evaluation.subsample` examples of each side.
///
/// # Errors
/// [`TrainingError`]; its `kind` says whose fault it is.
pub fn probe(request: &ProbeRequest<'_>, observer: &mut dyn Observer) -> Result<ProbeOutcome, TrainingError> {
    let flow = load_flow(request.spec, request.seed, &request.checkpoint, request.device)?;
    Sample::check(&request.out, &flow)?;
    let mut gradients = request.scores.to_vec();
    gradients.retain(|score| matches!(score, ScoreName::GradientNorm | ScoreName::ScoreTest));
    let mut shapes = request.scores.to_vec();
    shapes.retain(|score| *score == ScoreName::LocalDimension);

    let by_gradients = sides_of(request, &gradients)?;
    let by_shapes = sides_of(request, &shapes)?;
    let total = [&by_gradients, &by_shapes].into_iter().flatten().map(Sides::len).sum::<usize>();
    let mut pace = Pace::new(observer, total as u64);
    let mut found = Vec::new();
    if let Some(sides) = &by_gradients {
        match gradient_scores(&flow, sides, &gradients, &mut pace)? {
            Some(scores) => found.extend(scores),
            None => return Ok(ProbeOutcome::Stopped),
        }
    }
    if let Some(sides) = &by_shapes {
        match dimension_score(&flow, sides, &mut pace)? {
            Some(score) => found.push(score),
            None => return Ok(ProbeOutcome::Stopped),
        }
    }
    found.sort_by_key(|one| request.scores.iter().position(|score| *score == one.score));
    Ok(ProbeOutcome::Finished(found))
}

/// The examples that some scores look at.
struct Sides {
    reference: Sample,
    inside: Sample,
    outside: Sample,
}

impl Sides {
    fn len(&self) -> usize {
        self.reference.len() + self.inside.len() + self.outside.len()
    }
}

/// Loads the examples for `scores`; nothing when there are none.
fn sides_of(request: &ProbeRequest<'_>, scores: &[ScoreName]) -> Result<Option<Sides>, TrainingError> {
    let ProbeRequest { spec, seed, data, out, .. } = request;
    let Some(most) = scores.iter().map(|score| spec.subsample_of(*score)).max() else { return Ok(None) };
    let learned = &spec.data.dataset;
    let scaling = datasets::scaling_of(data, learned)?;
    Ok(Some(Sides {
        reference: Sample::of_reference(data, spec, most, &scaling, *seed)?,
        inside: Sample::of_test(data, learned, most, &scaling, *seed)?,
        outside: Sample::of_test(data, out, most, &scaling, *seed)?,
    }))
}

/// Scores by gradients. F is collected from the first half of the reference and the test's distribution from the other one: of the
/// examples that make F the statistic is too small.
fn gradient_scores(
    flow: &Flow,
    sides: &Sides,
    scores: &[ScoreName],
    pace: &mut Pace<'_>,
) -> Result<Option<Vec<ProbedScore>>, TrainingError> {
    let tests = scores.contains(&ScoreName::ScoreTest);
    let mut fisher = tests.then(|| Fisher::of_no_example(flow));
    let half = sides.reference.len() / 2;
    let mut pass = |sample: &Sample, range: std::ops::Range<usize>, fisher: &mut Option<Fisher>, collects: bool| {
        let mut found = Vec::with_capacity(range.len());
        for index in range {
            if !pace.goes_on() {
                return None;
            }
            let purpose = match fisher {
                None => Use::Norms,
                Some(fisher) if collects => Use::Collect(fisher),
                Some(fisher) => Use::Measure(fisher),
            };
            found.push(gradient_of(flow, &sample.get(index, flow), purpose));
            pace.count(1);
        }
        Some(found)
    };
    let Some(mut reference) = pass(&sides.reference, 0..half, &mut fisher, true) else { return Ok(None) };
    let Some(measured) = pass(&sides.reference, half..sides.reference.len(), &mut fisher, false) else {
        return Ok(None);
    };
    let Some(inside) = pass(&sides.inside, 0..sides.inside.len(), &mut fisher, false) else { return Ok(None) };
    let Some(outside) = pass(&sides.outside, 0..sides.outside.len(), &mut fisher, false) else { return Ok(None) };
    let mut found = Vec::new();
    for score in scores {
        let both = match score {
            ScoreName::ScoreTest => score_test(&measured, &inside, &outside),
            _ => {
                reference.extend_from_slice(&measured);
                gradient_norm(&reference, &inside, &outside)
            }
        };
        let (inside, outside) = both.map_err(|source| TrainingError::Fit { score: score.to_string(), source })?;
        found.push(ProbedScore { score: *score, inside, outside });
    }
    Ok(Some(found))
}

type Both = Result<(Vec<f64>, Vec<f64>), FitError>;

fn gradient_norm(reference: &[GradientOf], inside: &[GradientOf], outside: &[GradientOf]) -> Both {
    let columns = |examples: &[GradientOf]| -> Vec<Vec<f64>> {
        let tensors = examples.first().map_or(0, |one| one.squared_norms.len());
        (0..tensors).map(|tensor| examples.iter().map(|one| one.squared_norms[tensor]).collect()).collect()
    };
    let fitted = {
        let columns = columns(reference);
        GradientNorm::fit(&columns.iter().map(Vec::as_slice).collect::<Vec<_>>())?
    };
    let score = |examples: &[GradientOf]| {
        let columns = columns(examples);
        fitted.score(&columns.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    Ok((score(inside), score(outside)))
}

fn score_test(reference: &[GradientOf], inside: &[GradientOf], outside: &[GradientOf]) -> Both {
    let columns = |examples: &[GradientOf]| -> (Vec<f64>, Vec<f64>) {
        examples.iter().map(|one| (one.statistic.unwrap_or(f64::NAN), one.log_likelihood)).unzip()
    };
    let (statistic, log_likelihood) = columns(reference);
    let fitted = ScoreTest::fit(&statistic, &log_likelihood)?;
    let score = |examples: &[GradientOf]| {
        let (statistic, log_likelihood) = columns(examples);
        fitted.score(&statistic, &log_likelihood)
    };
    Ok((score(inside), score(outside)))
}

fn dimension_score(flow: &Flow, sides: &Sides, pace: &mut Pace<'_>) -> Result<Option<ProbedScore>, TrainingError> {
    let log_scale = match flow.input() {
        InputShape::Image { .. } => IMAGE_LOG_SCALE,
        InputShape::Vector { .. } => VECTOR_LOG_SCALE,
    };
    let mut pass = |sample: &Sample| {
        let mut columns = (Vec::new(), Vec::new());
        for index in 0..sample.len() {
            if !pace.goes_on() {
                return None;
            }
            let LocalShape { log_likelihood, singular_values, latent_coordinates } =
                local_shape(flow, &sample.get(index, flow));
            columns.0.push(log_likelihood);
            columns.1.push(dimension_at_scale(&singular_values, &latent_coordinates, log_scale));
            pace.count(1);
        }
        Some(columns)
    };
    let Some(reference) = pass(&sides.reference) else { return Ok(None) };
    let Some(inside) = pass(&sides.inside) else { return Ok(None) };
    let Some(outside) = pass(&sides.outside) else { return Ok(None) };
    let score = ScoreName::LocalDimension;
    let fitted = DualThreshold::fit(&reference.0, &reference.1)
        .map_err(|source| TrainingError::Fit { score: score.to_string(), source })?;
    let of = |(log_likelihood, dimension): (Vec<f64>, Vec<f64>)| fitted.score(&log_likelihood, &dimension);
    Ok(Some(ProbedScore { score, inside: of(inside), outside: of(outside) }))
}
