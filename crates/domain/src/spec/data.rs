//! The data of an experiment, and the datasets that exist.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{InputShape, Violations};

/// A dataset by its catalogue name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetName {
    /// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017).
    FashionMnist,
    /// MNIST (LeCun, Cortes and Burges 1998).
    Mnist,
    /// Procedural filled and textured shapes: a stand-in for Fashion-MNIST that needs no file.
    SyntheticShapes,
    /// Procedural thin strokes on black: a stand-in for MNIST that needs no file.
    SyntheticStrokes,
    /// Every pixel uniform in 0..=255.
    UniformNoise,
    /// Images of one grey level each.
    Constant,
}

/// The name given is not a dataset of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown dataset `{given}`: one of {} expected", DatasetName::known())]
pub struct UnknownDataset {
    given: String,
}

impl DatasetName {
    /// Every dataset.
    pub const ALL: [Self; 6] = [
        Self::FashionMnist,
        Self::Mnist,
        Self::SyntheticShapes,
        Self::SyntheticStrokes,
        Self::UniformNoise,
        Self::Constant,
    ];

    /// The catalogue's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FashionMnist => "fashion-mnist",
            Self::Mnist => "mnist",
            Self::SyntheticShapes => "synthetic-shapes",
            Self::SyntheticStrokes => "synthetic-strokes",
            Self::UniformNoise => "uniform-noise",
            Self::Constant => "constant",
        }
    }

    /// The shape of one example.
    #[must_use]
    pub fn shape(self) -> InputShape {
        match self {
            Self::FashionMnist
            | Self::Mnist
            | Self::SyntheticShapes
            | Self::SyntheticStrokes
            | Self::UniformNoise
            | Self::Constant => InputShape::Image { channels: 1, height: 28, width: 28 },
        }
    }

    /// Whether there is a train split to learn from.
    #[must_use]
    pub fn has_train_split(self) -> bool {
        match self {
            Self::FashionMnist
            | Self::Mnist
            | Self::SyntheticShapes
            | Self::SyntheticStrokes
            | Self::UniformNoise
            | Self::Constant => true,
        }
    }

    fn known() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for DatasetName {
    type Err = UnknownDataset;

    fn from_str(text: &str) -> Result<Self, UnknownDataset> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or_else(|| UnknownDataset { given: text.to_owned() })
    }
}

/// What the flow learns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// The in-distribution dataset: its train split is learned, its test split evaluated.
    pub dataset: DatasetName,
    /// Learn from the first so many images of the train split only; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_images: Option<u32>,
}

impl DataSpec {
    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        if let Some(images) = self.train_images {
            found.check_range(&format!("{at}.train_images"), images, 1..=100_000_000);
        }
    }
}
