//! Which artifact holds what a flow makes of each example of a dataset's split.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Digest, spec::Dataset};

/// Most statistics of one result.
pub const MAX_STATISTICS: usize = 16;

/// The statistics of one dataset's split under one trained flow: an artifact with a row for each example, from which every
/// score is computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatisticsRef {
    /// The dataset.
    pub dataset: Dataset,
    /// Which of its splits.
    pub split: Split,
    /// How many of the split's examples, from its first one on.
    pub images: u64,
    /// Dequantisation draws per image.
    pub noise_draws: u32,
    /// The artifact.
    pub digest: Digest,
}

/// A part of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// What flows learn.
    Train,
    /// What they are judged on.
    Test,
}

/// The name given is not a split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown split `{0}`: one of train, test expected")]
pub struct UnknownSplit(String);

impl Split {
    /// Every split.
    pub const ALL: [Self; 2] = [Self::Train, Self::Test];

    /// The name in documents and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Split {
    type Err = UnknownSplit;

    fn from_str(text: &str) -> Result<Self, UnknownSplit> {
        Self::ALL.into_iter().find(|split| split.as_str() == text).ok_or_else(|| UnknownSplit(text.to_owned()))
    }
}
