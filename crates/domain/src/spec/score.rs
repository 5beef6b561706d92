//! The names of scores, and which of them fit an experiment.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::defaults::MAX_LOCAL_DIMENSIONS;

/// Most examples of a group.
pub const MAX_GROUP: u32 = 1000;
/// Most scales that a score is named for.
pub const MAX_SCALE_SCORES: u32 = 16;
/// Groups of each side that a score of groups needs at least.
const MIN_GROUPS: u32 = 2;

/// A lossless codec under which the code length of an image is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// PNG at its highest level, filters chosen line by line.
    Png,
    /// Lossless WebP.
    Webp,
    /// Brotli at quality 9 over the raw planes.
    Brotli,
}

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 3] = [Self::Png, Self::Webp, Self::Brotli];

    /// The name in scores and columns.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Brotli => "brotli",
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A score: maps an example, or a group of them, to a number, higher = more out-of-distribution. `docs/scores.md` has each
/// one's formula and source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ScoreName {
    /// The negative log-likelihood.
    LogLikelihood,
    /// The negative log-density of the latent.
    LatentDensity,
    /// The negative log-determinant.
    LogDeterminant,
    /// The distance of the latent's squared norm from its expectation.
    LatentNorm,
    /// The distance of the mean log-likelihood of a group from its expectation (Nalisnick et al. 2019).
    Typicality {
        /// Examples of a group; 1 scores each by itself.
        group: u32,
    },
    /// The negative log-likelihood less the code length of the image (Serrà et al. 2020).
    Complexity(Codec),
    /// The negative contribution of one scale to the log-likelihood (Schirrmeister et al. 2020).
    Scale(u32),
    /// Density of states: the negative log-density of the statistics themselves (Morningstar et al. 2021).
    Dose,
    /// The Kolmogorov-Smirnov distance of a group's projected latents from their distribution on learned data (Jiang, Sun
    /// and Yu 2022).
    LatentKs {
        /// Examples of a group.
        group: u32,
    },
    /// The negative log-density under a mixture of normals over code length and latent density (Osada et al. 2024).
    ComplexityGmm,
    /// The likelihood ratio to a background model (Ren et al. 2019).
    LikelihoodRatio,
    /// The Watanabe-Akaike criterion over the seeds (Choi, Jang and Alemi 2018).
    Waic,
    /// How unusual the norms of the gradient are (Dauncey et al. 2024).
    GradientNorm,
    /// Rao's score test joined with typicality (Bergamin et al. 2022).
    ScoreTest,
    /// The local intrinsic dimension (Kamkari et al. 2024).
    LocalDimension,
}

/// The name given is not a score.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown score `{}`: one of {} expected", .0.escape_debug(), ScoreName::KNOWN)]
pub struct UnknownScore(String);

/// What decides which scores can be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Whether examples are images, which have a code length.
    pub images: bool,
    /// Scales of the flow, from each of which a part of the latent leaves.
    pub scales: u32,
    /// Examples of each side, as far as the document limits them.
    pub examples: Option<u32>,
    /// Dimensions of an example.
    pub dimensions: u32,
    /// Whether a background model is trained beside the experiment's own.
    pub background: bool,
}

impl ScoreName {
    /// Every name and pattern of names, for people; the last ones are opt-in.
    pub const KNOWN: &'static str = "log-likelihood, latent-density, log-determinant, latent-norm, typicality, \
        typicality-N, complexity-png, complexity-webp, complexity-brotli, per-scale, scale-K, dose, latent-ks-N, \
        complexity-gmm, likelihood-ratio, waic, gradient-norm, score-test, local-dimension";

    const PLAIN: [(&'static str, Self); 12] = [
        ("log-likelihood", Self::LogLikelihood),
        ("latent-density", Self::LatentDensity),
        ("log-determinant", Self::LogDeterminant),
        ("latent-norm", Self::LatentNorm),
        ("typicality", Self::Typicality { group: 1 }),
        ("dose", Self::Dose),
        ("complexity-gmm", Self::ComplexityGmm),
        ("likelihood-ratio", Self::LikelihoodRatio),
        ("waic", Self::Waic),
        ("gradient-norm", Self::GradientNorm),
        ("score-test", Self::ScoreTest),
        ("local-dimension", Self::LocalDimension),
    ];

    /// Whether it is computed by a job of its own, and only when a document asks for it.
    #[must_use]
    pub fn is_opt_in(self) -> bool {
        match self {
            Self::LogLikelihood
            | Self::LatentDensity
            | Self::LogDeterminant
            | Self::LatentNorm
            | Self::Typicality { .. }
            | Self::Complexity(_)
            | Self::Scale(_)
            | Self::Dose
            | Self::LatentKs { .. }
            | Self::ComplexityGmm => false,
            Self::LikelihoodRatio | Self::Waic | Self::GradientNorm | Self::ScoreTest | Self::LocalDimension => true,
        }
    }

    /// Examples that one value of the score is about.
    #[must_use]
    pub fn group(self) -> u32 {
        match self {
            Self::Typicality { group } | Self::LatentKs { group } => group,
            Self::LogLikelihood
            | Self::LatentDensity
            | Self::LogDeterminant
            | Self::LatentNorm
            | Self::Complexity(_)
            | Self::Scale(_)
            | Self::Dose
            | Self::ComplexityGmm
            | Self::LikelihoodRatio
            | Self::Waic
            | Self::GradientNorm
            | Self::ScoreTest
            | Self::LocalDimension => 1,
        }
    }

    /// Why the score cannot be computed of `subject`, and what to do about it; nothing when it can.
    #[must_use]
    pub fn obstacle(self, subject: Subject) -> Option<String> {
        match self {
            Self::Complexity(_) | Self::ComplexityGmm if !subject.images => {
                Some(format!("`{self}` needs the code length of an image, and vectors have none: leave it out"))
            }
            Self::Scale(_) if subject.scales == 1 => {
                Some(format!("`{self}` is the whole log-likelihood of a flow of one scale: leave it out"))
            }
            Self::Scale(index) if index >= subject.scales => Some(format!(
                "`{self}`: the flow has {} scales, scale-0 to scale-{}",
                subject.scales,
                subject.scales - 1
            )),
            Self::Typicality { group } | Self::LatentKs { group } if group > 1 => {
                let needed = MIN_GROUPS.saturating_mul(group);
                let examples = subject.examples.filter(|examples| *examples < needed)?;
                Some(format!(
                    "`{self}` needs {needed} examples of each side, and evaluation.images is {examples}: raise that, or leave the score out"
                ))
            }
            Self::LikelihoodRatio if !subject.background => Some(format!(
                "`{self}` compares with a background model, which is trained with the sweep: give evaluation.background its mutation, or leave the score out"
            )),
            Self::LocalDimension if subject.dimensions > MAX_LOCAL_DIMENSIONS => Some(format!(
                "`{self}` takes the whole Jacobian of the flow at each example, of at most {MAX_LOCAL_DIMENSIONS} dimensions: leave it out"
            )),
            Self::Waic
            | Self::LikelihoodRatio
            | Self::GradientNorm
            | Self::ScoreTest
            | Self::LocalDimension
            | Self::LogLikelihood
            | Self::LatentDensity
            | Self::LogDeterminant
            | Self::LatentNorm
            | Self::Typicality { .. }
            | Self::Complexity(_)
            | Self::Scale(_)
            | Self::Dose
            | Self::LatentKs { .. }
            | Self::ComplexityGmm => None,
        }
    }
}

impl fmt::Display for ScoreName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = Self::PLAIN.iter().find(|(_, plain)| plain == self) {
            return formatter.write_str(name);
        }
        match self {
            Self::Typicality { group } => write!(formatter, "typicality-{group}"),
            Self::LatentKs { group } => write!(formatter, "latent-ks-{group}"),
            Self::Scale(index) => write!(formatter, "scale-{index}"),
            Self::Complexity(codec) => write!(formatter, "complexity-{codec}"),
            Self::LogLikelihood
            | Self::LatentDensity
            | Self::LogDeterminant
            | Self::LatentNorm
            | Self::Dose
            | Self::ComplexityGmm
            | Self::LikelihoodRatio
            | Self::Waic
            | Self::GradientNorm
            | Self::ScoreTest
            | Self::LocalDimension => unreachable!("it stands in the table of plain names"),
        }
    }
}

impl FromStr for ScoreName {
    type Err = UnknownScore;

    fn from_str(text: &str) -> Result<Self, UnknownScore> {
        let group = |size: &str| size.parse().ok().filter(|group| (2..=MAX_GROUP).contains(group));
        let plain = Self::PLAIN.iter().find(|(name, _)| *name == text).map(|(_, score)| *score);
        let found = plain.or_else(|| {
            if let Some(size) = text.strip_prefix("typicality-") {
                return group(size).map(|group| Self::Typicality { group });
            }
            if let Some(size) = text.strip_prefix("latent-ks-") {
                return group(size).map(|group| Self::LatentKs { group });
            }
            if let Some(index) = text.strip_prefix("scale-") {
                return index.parse().ok().filter(|index| *index < MAX_SCALE_SCORES).map(Self::Scale);
            }
            let codec = text.strip_prefix("complexity-")?;
            Codec::ALL.into_iter().find(|known| known.as_str() == codec).map(Self::Complexity)
        });
        // One spelling for each score: `scale-01` would be another name of the same one.
        found.filter(|score| score.to_string() == text).ok_or_else(|| UnknownScore(text.to_owned()))
    }
}

impl TryFrom<String> for ScoreName {
    type Error = UnknownScore;

    fn try_from(text: String) -> Result<Self, UnknownScore> {
        text.parse()
    }
}

impl From<ScoreName> for String {
    fn from(score: ScoreName) -> Self {
        score.to_string()
    }
}

/// What a document may ask for: a score, or one for each scale of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ScoreChoice {
    /// One score.
    One(ScoreName),
    /// `scale-0`, `scale-1` and so on: written `per-scale`.
    PerScale,
}

const PER_SCALE: &str = "per-scale";

impl ScoreChoice {
    /// The scores that it stands for.
    pub(super) fn names(self, subject: Subject) -> Vec<ScoreName> {
        match self {
            Self::One(name) => vec![name],
            Self::PerScale => (0..subject.scales.min(MAX_SCALE_SCORES)).map(ScoreName::Scale).collect(),
        }
    }

    /// As [`ScoreName::obstacle`].
    pub(super) fn obstacle(self, subject: Subject) -> Option<String> {
        match self {
            Self::One(name) => name.obstacle(subject),
            Self::PerScale if subject.scales == 1 => {
                Some("`per-scale`: a flow of one scale has the whole log-likelihood there: leave it out".to_owned())
            }
            Self::PerScale => None,
        }
    }
}

impl fmt::Display for ScoreChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(name) => name.fmt(formatter),
            Self::PerScale => formatter.write_str(PER_SCALE),
        }
    }
}

impl FromStr for ScoreChoice {
    type Err = UnknownScore;

    fn from_str(text: &str) -> Result<Self, UnknownScore> {
        if text == PER_SCALE { Ok(Self::PerScale) } else { text.parse().map(Self::One) }
    }
}

impl TryFrom<String> for ScoreChoice {
    type Error = UnknownScore;

    fn try_from(text: String) -> Result<Self, UnknownScore> {
        text.parse()
    }
}

impl From<ScoreChoice> for String {
    fn from(choice: ScoreChoice) -> Self {
        choice.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_other_spellings_are_refused() {
        let names = [
            "log-likelihood",
            "latent-density",
            "log-determinant",
            "latent-norm",
            "typicality",
            "typicality-2",
            "typicality-1000",
            "complexity-png",
            "complexity-webp",
            "complexity-brotli",
            "scale-0",
            "scale-15",
            "dose",
            "latent-ks-5",
            "complexity-gmm",
            "likelihood-ratio",
            "waic",
            "gradient-norm",
            "score-test",
            "local-dimension",
        ];
        for name in names {
            let score: ScoreName = name.parse().unwrap();
            assert_eq!(score.to_string(), name);
            assert_eq!(serde_json::to_value(score).unwrap(), name);
        }
        for wrong in [
            "",
            "Dose",
            "typicality-1",
            "typicality-1001",
            "typicality-02",
            "latent-ks",
            "latent-ks-1",
            "scale-16",
            "scale-+1",
            "scale--1",
            "scale-",
            "complexity-",
            "complexity-zip",
            "per-scale",
            " dose",
        ] {
            assert_eq!(wrong.parse::<ScoreName>(), Err(UnknownScore(wrong.to_owned())));
        }
        assert_eq!("per-scale".parse(), Ok(ScoreChoice::PerScale));
    }
}
