//! The part of a child that computes scores of what was evaluated: arithmetic over stored statistics, and flows that run again.

use domain::{
    job::FailureKind,
    report::{Failure, Measurement, Provenance},
    score_jobs::Basis,
    spec::{Dataset, ScoreName},
};
use scoring::{
    Model, SCORES_FORMAT, Scored, ScoresHeader, Sides, Statistics, StatisticsError, likelihood_ratio, measure_scored,
    score, score_over_seeds, write_scores,
};
use tracing::warn;
use training::{ProbeOutcome, ProbeRequest, ProbedScore, TrainingError};

use crate::{
    child::{ArtifactFile, EvaluatedFiles, Message, Order, Outcome},
    trainer::{self, Reporter},
};

/// What one evaluation stored, read.
struct Evaluated {
    reference: Option<Statistics>,
    inside: Statistics,
    outside: Statistics,
}

/// Computes the scores of an order.
pub(crate) fn run(
    order: &Order,
    scores: &[ScoreName],
    out: &Dataset,
    reporter: &mut Reporter,
) -> Result<Outcome, TrainingError> {
    let evaluated: Result<Vec<Evaluated>, StatisticsError> = order.evaluated.iter().map(Evaluated::read).collect();
    let evaluated = match evaluated {
        Ok(evaluated) if !evaluated.is_empty() => evaluated,
        Ok(_) => return Ok(failed("scores were ordered of nothing that was evaluated".to_owned())),
        Err(StatisticsError::Disk(error)) => {
            let message = format!("cannot read statistics: {error}; check the scratch folder's disk");
            return Ok(Outcome::Failed(Failure { kind: FailureKind::Infrastructure, message }));
        }
        Err(problem) => return Ok(failed(format!("statistics that were stored cannot be read: {problem}"))),
    };
    let mut found = match probed(order, scores, out, reporter)? {
        Some(found) => found,
        None => return Ok(Outcome::Stopped),
    };
    let mut problems = Vec::new();
    for (done, name) in (1..).zip(scores) {
        if reporter.is_told_to_stop() {
            return Ok(Outcome::Stopped);
        }
        match computed(&evaluated, *name) {
            None => continue,
            Some(Ok(scored)) => found.push((*name, scored)),
            Some(Err(problem)) => {
                problems.push(problem);
                found.push((*name, Scored { inside: Vec::new(), outside: Vec::new() }));
            }
        }
        reporter.count(done, scores.len() as u64);
    }
    if problems.len() == scores.len() {
        return Ok(failed(problems.join("; ")));
    }
    finished(order, out, &evaluated, found, &problems)
}

/// Scores that run the flow; nothing when it was told to stop.
fn probed(
    order: &Order,
    scores: &[ScoreName],
    out: &Dataset,
    reporter: &mut Reporter,
) -> Result<Option<Vec<(ScoreName, Scored)>>, TrainingError> {
    let Some(checkpoint) = &order.checkpoint else { return Ok(Some(Vec::new())) };
    let data = datasets::DataDirectory::at(&order.resources.data);
    let request = ProbeRequest {
        spec: &order.assignment.spec,
        seed: order.assignment.seed,
        checkpoint: trainer::checkpoint_file(checkpoint),
        out: out.clone(),
        scores,
        device: trainer::device(order),
        data: &data,
    };
    Ok(match training::probe(&request, reporter)? {
        ProbeOutcome::Stopped => None,
        ProbeOutcome::Finished(found) => {
            let scored = |ProbedScore { score, inside, outside }| (score, Scored { inside, outside });
            Some(found.into_iter().map(scored).collect())
        }
    })
}

/// A score that follows from statistics; nothing for one that runs the flow.
fn computed(evaluated: &[Evaluated], name: ScoreName) -> Option<Result<Scored, String>> {
    let own = evaluated.first()?;
    match Basis::of(name) {
        Basis::Flow => None,
        Basis::Seeds => {
            let models: Vec<Model<'_>> =
                evaluated.iter().map(|one| Model { inside: &one.inside, outside: &one.outside }).collect();
            Some(score_over_seeds(&models, name).map_err(|problem| problem.to_string()))
        }
        Basis::Background => {
            let [own, background] = evaluated else {
                return Some(Err(format!(
                    "`{name}` compares one flow with one background model, not {}",
                    evaluated.len()
                )));
            };
            let [own, background] = [own, background].map(|one| Model { inside: &one.inside, outside: &one.outside });
            Some(likelihood_ratio(own, background).map_err(|problem| problem.to_string()))
        }
        Basis::Statistics => {
            let Some(reference) = &own.reference else {
                let missing = "no statistics of the train split are stored, to which scores are fitted";
                return Some(Err(format!("`{name}`: {missing}; evaluate the experiment again under a new sweep name")));
            };
            let sides = Sides { reference, inside: &own.inside, outside: &own.outside };
            Some(score(&sides, name).map_err(|problem| problem.to_string()))
        }
    }
}

fn finished(
    order: &Order,
    out: &Dataset,
    evaluated: &[Evaluated],
    found: Vec<(ScoreName, Scored)>,
    problems: &[String],
) -> Result<Outcome, TrainingError> {
    let own = &evaluated[0];
    let header = own.inside.header();
    let mut measurements: Vec<Measurement> = Vec::new();
    let mut noted = problems.to_vec();
    for (name, scored) in &found {
        let measured = measure_scored(*name, scored, &header.dataset, out);
        measurements.extend(measured.measurements);
        noted.extend(measured.problems);
    }
    // Standard error, which is the attempt's log.
    noted.iter().for_each(|problem| warn!("{problem}"));
    let file = order.folder.join("scores.safetensors");
    let scores_header = ScoresHeader {
        format: SCORES_FORMAT,
        checkpoint: header.checkpoint,
        seeds: evaluated.iter().map(|one| one.inside.header().seed).collect(),
        inside: header.dataset.clone(),
        outside: out.clone(),
    };
    let saved = match write_scores(&file, &scores_header, &found) {
        Ok(saved) => saved,
        Err(problem) => {
            let message = format!("cannot write {}: {problem}", file.display());
            return Ok(Outcome::Failed(Failure { kind: FailureKind::Infrastructure, message }));
        }
    };
    let provenance = Provenance {
        precision: header.precision.clone(),
        noise_draws: header.noise_draws,
        ..trainer::provenance(order, header.noise_draws)
    };
    let scores = ArtifactFile { path: saved.path, digest: saved.digest };
    Ok(Outcome::Scored { measurements, scores, provenance })
}

impl Evaluated {
    fn read(files: &EvaluatedFiles) -> Result<Self, StatisticsError> {
        let read = |file: &ArtifactFile| Statistics::read_file(&file.path, Some(file.digest));
        Ok(Self {
            reference: files.reference.as_ref().map(read).transpose()?,
            inside: read(&files.inside)?,
            outside: read(&files.outside)?,
        })
    }
}

impl Reporter {
    fn count(&self, done: u64, total: u64) {
        self.voice().say(&Message::Progress { done, total, images_per_second: 0.0, bits_per_dim: None });
    }

    fn is_told_to_stop(&self) -> bool {
        self.voice().is_told_to_stop()
    }
}

/// Another try cannot help.
fn failed(message: String) -> Outcome {
    Outcome::Failed(Failure { kind: FailureKind::Permanent, message })
}
