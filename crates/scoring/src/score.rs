//! From statistics to scores: one number for each example, or for each group of them, higher = more out-of-distribution.

use domain::spec::{Codec, ScoreName};
use ood::{
    ComplexityGmm, Dose, FitError, grouped_typicality, groups, input_complexity, latent_density, latent_ks,
    latent_norm, log_determinant, log_likelihood, per_scale, typicality,
};
use thiserror::Error;

use crate::column;
use crate::statistics::{PROJECTIONS, Statistics};

/// Keys the partition into groups: fixed, so that scores of groups are of the same groups whatever the experiment.
const GROUP_SEED: u64 = 0;
/// Keys the starts of the mixture's fit.
const MIXTURE_SEED: u64 = 0;
/// The code length whose joint distribution with the latent density the mixture learns.
const MIXTURE_CODEC: Codec = Codec::Png;
/// The statistics of DoSE: those of the paper's Glow (Morningstar et al. 2021, section 4.2).
const DOSE: [&str; 3] = [column::LOG_LIKELIHOOD, column::LATENT_LOG_DENSITY, column::LOG_DETERMINANT];

/// What scores are computed from.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// Examples of the learned dataset's train split, from which scores learn what is usual.
    pub reference: &'a Statistics,
    /// Its test split: the in-distribution side.
    pub inside: &'a Statistics,
    /// The out-of-distribution side.
    pub outside: &'a Statistics,
}

/// The scores of both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Of the in-distribution examples, or groups of them.
    pub inside: Vec<f64>,
    /// Of the out-of-distribution examples, or groups of them.
    pub outside: Vec<f64>,
}

/// Why a score cannot be computed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ScoreError {
    /// The sides are not of one flow.
    #[error("the statistics of {dataset} are of another {part} than those of {learned}")]
    Mixed {
        /// The dataset.
        dataset: String,
        /// The learned dataset.
        learned: String,
        /// What differs.
        part: &'static str,
    },
    /// A column is absent.
    #[error("`{score}` needs the column `{column}`, which the statistics of {dataset} lack")]
    Column {
        /// The score.
        score: ScoreName,
        /// The column.
        column: String,
        /// The dataset.
        dataset: String,
    },
    /// Nothing can be learned from the reference.
    #[error("`{score}`: {source}")]
    Fit {
        /// The score.
        score: ScoreName,
        /// Why not.
        source: FitError,
    },
    /// It takes more than statistics.
    #[error("`{0}` does not follow from statistics: it is computed by a job of its own")]
    NotFromStatistics(ScoreName),
}

impl Sides<'_> {
    /// Whether all are of one flow, computed under the same noise.
    fn check(&self) -> Result<(), ScoreError> {
        let learned = self.inside.header();
        for side in [self.reference, self.outside] {
            let header = side.header();
            let parts = [
                ("flow", header.checkpoint == learned.checkpoint),
                ("seed", header.seed == learned.seed),
                ("number of noise draws", header.noise_draws == learned.noise_draws),
                ("number of dimensions", header.dimensions == learned.dimensions),
                ("number of scales", header.scales == learned.scales),
            ];
            if let Some((part, _)) = parts.into_iter().find(|(_, same)| !same) {
                let [dataset, learned] = [header, learned].map(|header| header.dataset.to_string());
                return Err(ScoreError::Mixed { dataset, learned, part });
            }
        }
        Ok(())
    }

    /// Computes both sides in the same way.
    fn both(&self, score: impl Fn(&Statistics) -> Result<Vec<f64>, ScoreError>) -> Result<Scored, ScoreError> {
        Ok(Scored { inside: score(self.inside)?, outside: score(self.outside)? })
    }
}

/// Computes a score of both sides.
///
/// # Errors
/// [`ScoreError`].
pub fn score(sides: &Sides<'_>, name: ScoreName) -> Result<Scored, ScoreError> {
    sides.check()?;
    let fitted = |source| ScoreError::Fit { score: name, source };
    let dimensions = dimensions_of(sides.inside);
    match name {
        ScoreName::LogLikelihood => sides.both(|side| Ok(log_likelihood(side.log_likelihood()))),
        ScoreName::LatentDensity => {
            sides.both(|side| needed(side, name, column::LATENT_LOG_DENSITY).map(latent_density))
        }
        ScoreName::LogDeterminant => {
            sides.both(|side| needed(side, name, column::LOG_DETERMINANT).map(log_determinant))
        }
        ScoreName::LatentNorm => sides
            .both(|side| needed(side, name, column::LATENT_NORM_SQUARED).map(|values| latent_norm(values, dimensions))),
        ScoreName::Typicality { group } => sides.both(|side| {
            let (values, usual) = (side.log_likelihood(), sides.reference.log_likelihood());
            let scores = match group {
                1 => typicality(values, usual),
                size => grouped_typicality(values, usual, &groups(values.len(), size as usize, GROUP_SEED)),
            };
            scores.map_err(fitted)
        }),
        ScoreName::Complexity(codec) => sides.both(|side| {
            let lengths = needed(side, name, &column::code_length(codec))?;
            Ok(input_complexity(side.log_likelihood(), lengths, dimensions))
        }),
        ScoreName::Scale(scale) => sides.both(|side| {
            let density = needed(side, name, &column::scale_latent_log_density(scale))?;
            Ok(per_scale(density, needed(side, name, &column::scale_log_determinant(scale))?))
        }),
        ScoreName::Dose => dose(sides),
        ScoreName::LatentKs { group } => sides.both(|side| {
            let missing = || missing(side, name, column::LATENT_PROJECTION);
            let projections = side.projections().ok_or_else(missing)?;
            Ok(latent_ks(projections, PROJECTIONS, &groups(side.len(), group as usize, GROUP_SEED)))
        }),
        ScoreName::ComplexityGmm => complexity_gmm(sides),
        ScoreName::LikelihoodRatio
        | ScoreName::Waic
        | ScoreName::GradientNorm
        | ScoreName::ScoreTest
        | ScoreName::LocalDimension => Err(ScoreError::NotFromStatistics(name)),
    }
}

/// Density of states: fitted to the reference, so that far from what was learned is far in any of the statistics.
fn dose(sides: &Sides<'_>) -> Result<Scored, ScoreError> {
    let name = ScoreName::Dose;
    let statistics = |side| DOSE.iter().map(|column| needed(side, name, column)).collect::<Result<Vec<&[f64]>, _>>();
    let dose = Dose::fit(&statistics(sides.reference)?).map_err(|source| ScoreError::Fit { score: name, source })?;
    Ok(Scored { inside: dose.score(&statistics(sides.inside)?), outside: dose.score(&statistics(sides.outside)?) })
}

fn complexity_gmm(sides: &Sides<'_>) -> Result<Scored, ScoreError> {
    let name = ScoreName::ComplexityGmm;
    let length = column::code_length(MIXTURE_CODEC);
    let complexity = needed(sides.reference, name, &length)?;
    let latent = needed(sides.reference, name, column::LATENT_LOG_DENSITY)?;
    let fitted = ComplexityGmm::fit(complexity, latent, MIXTURE_SEED);
    let mixture = fitted.map_err(|source| ScoreError::Fit { score: name, source })?;
    sides.both(|side| {
        let complexity = needed(side, name, &length)?;
        Ok(mixture.score(complexity, needed(side, name, column::LATENT_LOG_DENSITY)?))
    })
}

fn needed<'a>(side: &'a Statistics, score: ScoreName, column: &str) -> Result<&'a [f64], ScoreError> {
    side.column(column).ok_or_else(|| missing(side, score, column))
}

fn missing(side: &Statistics, score: ScoreName, column: &str) -> ScoreError {
    ScoreError::Column { score, column: column.to_owned(), dataset: side.header().dataset.to_string() }
}

fn dimensions_of(side: &Statistics) -> usize {
    usize::try_from(side.header().dimensions).unwrap_or(usize::MAX)
}
