//! What happens between the scales of a model.

use architecture::{SplitPrior, Squeeze};
use serde::{Deserialize, Serialize};

/// How a squeeze arranges the four values of each 2x2 cell of pixels as channels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SqueezeSpec {
    /// As they are (Dinh, Sohl-Dickstein and Bengio 2017, section 3.6).
    #[default]
    Pixels,
    /// As the orthonormal Haar wavelet's average and three differences (Ardizzone, Lüth, Kruse, Rother and Köthe 2019,
    /// section 3.2).
    Haar,
}

/// What the channels that leave after a scale are scored by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitPriorSpec {
    /// The standard normal, like every other latent (the reference).
    #[default]
    Standard,
    /// A normal whose mean and log-variance a convolution learns from the channels that stay (Kingma and Dhariwal 2018,
    /// section 3; the split prior of its published code).
    Learned,
}

impl SqueezeSpec {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Pixels, Self::Haar];

    /// The name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pixels => "pixels",
            Self::Haar => "haar",
        }
    }
}

impl SplitPriorSpec {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Standard, Self::Learned];

    /// The name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Learned => "learned",
        }
    }
}

impl From<SqueezeSpec> for Squeeze {
    fn from(squeeze: SqueezeSpec) -> Self {
        match squeeze {
            SqueezeSpec::Pixels => Self::Pixels,
            SqueezeSpec::Haar => Self::Haar,
        }
    }
}

impl From<SplitPriorSpec> for SplitPrior {
    fn from(prior: SplitPriorSpec) -> Self {
        match prior {
            SplitPriorSpec::Standard => Self::Standard,
            SplitPriorSpec::Learned => Self::Learned,
        }
    }
}
