//! Scores that compare flows: those of a variant that differ by their seed alone, or a flow with its background model.

use domain::spec::ScoreName;
use thiserror::Error;

use crate::score::Scored;
use crate::statistics::Statistics;

/// Both sides under one of the flows.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    /// The learned dataset's test split.
    pub inside: &'a Statistics,
    /// The out-of-distribution side.
    pub outside: &'a Statistics,
}

/// Why a score over seeds cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OverSeedsError {
    /// One model disagrees with nobody.
    #[error("`{score}` compares the models of two seeds at least, and there is {models}")]
    TooFew {
        /// The score.
        score: ScoreName,
        /// How many there are.
        models: usize,
    },
    /// The models looked at different examples.
    #[error(
        "seed {seed} evaluated {found}, and seed {first} {expected}: `{score}` compares models on the same examples"
    )]
    OtherExamples {
        /// The score.
        score: ScoreName,
        /// The seed of the first model.
        first: u64,
        /// What it evaluated.
        expected: String,
        /// The seed of the other one.
        seed: u64,
        /// What that one evaluated.
        found: String,
    },
    /// The score is of another kind.
    #[error("`{0}` does not rest on several seeds")]
    NotOverSeeds(ScoreName),
}

/// Computes a score of both sides over `models`, in any order.
///
/// # Errors
/// [`OverSeedsError`].
pub fn score_over_seeds(models: &[Model<'_>], name: ScoreName) -> Result<Scored, OverSeedsError> {
    if name != ScoreName::Waic {
        return Err(OverSeedsError::NotOverSeeds(name));
    }
    if models.len() < 2 {
        return Err(OverSeedsError::TooFew { score: name, models: models.len() });
    }
    let side = |of: for<'a> fn(&Model<'a>) -> &'a Statistics| over(models, name, of);
    Ok(Scored { inside: side(|model| model.inside)?, outside: side(|model| model.outside)? })
}

/// Scores both sides of `own` by how much likelier its background model finds each example (Ren et al. 2019).
///
/// # Errors
/// [`OverSeedsError::OtherExamples`].
pub fn likelihood_ratio(own: Model<'_>, background: Model<'_>) -> Result<Scored, OverSeedsError> {
    let name = ScoreName::LikelihoodRatio;
    let side = |of: for<'a> fn(&Model<'a>) -> &'a Statistics| {
        require_same_examples(&[own, background], name, of)?;
        Ok(ood::likelihood_ratio(of(&own).log_likelihood(), of(&background).log_likelihood()))
    };
    Ok(Scored { inside: side(|model| model.inside)?, outside: side(|model| model.outside)? })
}

fn over(
    models: &[Model<'_>],
    score: ScoreName,
    of: for<'a> fn(&Model<'a>) -> &'a Statistics,
) -> Result<Vec<f64>, OverSeedsError> {
    require_same_examples(models, score, of)?;
    let columns: Vec<&[f64]> = models.iter().map(|model| of(model).log_likelihood()).collect();
    Ok(ood::waic(&columns))
}

fn require_same_examples(
    models: &[Model<'_>],
    score: ScoreName,
    of: for<'a> fn(&Model<'a>) -> &'a Statistics,
) -> Result<(), OverSeedsError> {
    let looked_at = |side: &Statistics| {
        let header = side.header();
        format!("{} {} examples of {}", header.images, header.split, header.dataset)
    };
    let first = of(&models[0]);
    for model in &models[1..] {
        let side = of(model);
        if looked_at(side) != looked_at(first) {
            return Err(OverSeedsError::OtherExamples {
                score,
                first: first.header().seed,
                expected: looked_at(first),
                seed: side.header().seed,
                found: looked_at(side),
            });
        }
    }
    Ok(())
}
