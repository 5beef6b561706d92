//! What a trained flow is evaluated against.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Dataset, Violations, defaults};

/// The out-of-distribution side of an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationSpec {
    /// Out-of-distribution datasets; each becomes one evaluate job, over its test split.
    pub out: Vec<Dataset>,
    /// Evaluate the first so many examples (images or vectors) of each test split only; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<u32>,
    /// Scores to compute.
    #[serde(default = "defaults::scores")]
    pub scores: Vec<ScoreName>,
}

/// A score: maps an example to a number, higher = more out-of-distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreName {
    /// The negative log-likelihood under the flow.
    LogLikelihood,
}

/// The name given is not a score.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown score `{0}`: one of log-likelihood expected")]
pub struct UnknownScore(String);

impl ScoreName {
    /// Every score.
    pub const ALL: [Self; 1] = [Self::LogLikelihood];

    /// The name in documents and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LogLikelihood => "log-likelihood",
        }
    }
}

impl fmt::Display for ScoreName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for ScoreName {
    type Err = UnknownScore;

    fn from_str(text: &str) -> Result<Self, UnknownScore> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or_else(|| UnknownScore(text.to_owned()))
    }
}

impl EvaluationSpec {
    pub(super) fn check(&self, at: &str, within: &Dataset, found: &mut Violations) {
        if self.out.is_empty() {
            found.add(format!("{at}.out"), "empty: name at least one out-of-distribution dataset");
        }
        for (index, dataset) in self.out.iter().enumerate() {
            let field = format!("{at}.out[{index}]");
            if dataset == within {
                found.add(&field, format!("`{dataset}` is the in-distribution dataset itself"));
            }
            if self.out[..index].contains(dataset) {
                found.add(&field, format!("`{dataset}` stands twice"));
            }
            if dataset.shape() != within.shape() {
                let (out, learned) = (dataset.shape(), within.shape());
                found.add(&field, format!("`{dataset}` has {out}, and `{within}`, which is learned, {learned}"));
            }
        }
        if let Some(images) = self.images {
            found.check_range(&format!("{at}.images"), images, 2..=100_000_000);
        }
        if self.scores.is_empty() {
            found.add(format!("{at}.scores"), "empty: name at least one of log-likelihood");
        }
        for (index, score) in self.scores.iter().enumerate() {
            if self.scores[..index].contains(score) {
                found.add(format!("{at}.scores[{index}]"), format!("`{score}` stands twice"));
            }
        }
    }
}
