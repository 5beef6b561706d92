//! The data of an experiment, and the datasets that exist.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{InputShape, Violations};

const GREY: InputShape = InputShape::Image { channels: 1, height: 28, width: 28 };
const COLOUR: InputShape = InputShape::Image { channels: 3, height: 32, width: 32 };
const COLOUR_64: InputShape = InputShape::Image { channels: 3, height: 64, width: 64 };

/// A dataset by its catalogue name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetName {
    /// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017).
    FashionMnist,
    /// MNIST (LeCun, Cortes and Burges 1998).
    Mnist,
    /// CIFAR-10 (Krizhevsky 2009).
    Cifar10,
    /// Street view house numbers, cropped, without the extra part (Netzer et al. 2011).
    Svhn,
    /// CelebA at 32×32 (Liu et al. 2015).
    Celeba,
    /// ImageNet at 64×64 (Chrabaszcz, Loshchilov and Hutter 2017).
    Imagenet64,
    /// CelebA at 64×64.
    Celeba64,
    /// Street view house numbers at 64×64.
    Svhn64,
    /// notMNIST, small (Bulatov 2011): a test split only.
    Notmnist,
    /// Background collisions of HEPMASS (Baldi et al. 2016), the mass known.
    #[serde(rename = "hepmass-0")]
    Hepmass0,
    /// Signal collisions of HEPMASS.
    #[serde(rename = "hepmass-1")]
    Hepmass1,
    /// Background events of MiniBooNE (Roe et al. 2005).
    #[serde(rename = "miniboone-0")]
    Miniboone0,
    /// Signal events of MiniBooNE.
    #[serde(rename = "miniboone-1")]
    Miniboone1,
    /// CIFAR-10 as features of an ImageNet network.
    Cifar10Embeddings,
    /// Street view house numbers as features of an ImageNet network.
    SvhnEmbeddings,
    /// CelebA as features of an ImageNet network.
    CelebaEmbeddings,
    /// Procedural filled and textured shapes: a stand-in for Fashion-MNIST that needs no file.
    SyntheticShapes,
    /// Procedural thin strokes on black: a stand-in for MNIST that needs no file.
    SyntheticStrokes,
    /// Every pixel uniform in 0..=255.
    UniformNoise,
    /// Images of one grey level each.
    Constant,
    /// Procedural shapes in colour, 32×32.
    SyntheticShapesRgb,
    /// Procedural strokes in colour, 32×32.
    SyntheticStrokesRgb,
    /// Procedural shapes in colour, 64×64.
    SyntheticShapesRgb64,
    /// Procedural strokes in colour, 64×64.
    SyntheticStrokesRgb64,
    /// A procedural mixture of normal distributions: a stand-in for a class of a table.
    #[serde(rename = "synthetic-clusters-0")]
    SyntheticClusters0,
    /// Another such mixture.
    #[serde(rename = "synthetic-clusters-1")]
    SyntheticClusters1,
    /// Procedural features that are not normal: a stand-in for embeddings.
    #[serde(rename = "synthetic-embeddings-0")]
    SyntheticEmbeddings0,
    /// Other such features.
    #[serde(rename = "synthetic-embeddings-1")]
    SyntheticEmbeddings1,
    /// Other such features.
    #[serde(rename = "synthetic-embeddings-2")]
    SyntheticEmbeddings2,
}

/// The name given is not a dataset of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown dataset `{given}`: one of {} expected", DatasetName::known())]
pub struct UnknownDataset {
    given: String,
}

impl DatasetName {
    /// Every dataset.
    pub const ALL: [Self; 29] = [
        Self::FashionMnist,
        Self::Mnist,
        Self::Cifar10,
        Self::Svhn,
        Self::Celeba,
        Self::Imagenet64,
        Self::Celeba64,
        Self::Svhn64,
        Self::Notmnist,
        Self::Hepmass0,
        Self::Hepmass1,
        Self::Miniboone0,
        Self::Miniboone1,
        Self::Cifar10Embeddings,
        Self::SvhnEmbeddings,
        Self::CelebaEmbeddings,
        Self::SyntheticShapes,
        Self::SyntheticStrokes,
        Self::UniformNoise,
        Self::Constant,
        Self::SyntheticShapesRgb,
        Self::SyntheticStrokesRgb,
        Self::SyntheticShapesRgb64,
        Self::SyntheticStrokesRgb64,
        Self::SyntheticClusters0,
        Self::SyntheticClusters1,
        Self::SyntheticEmbeddings0,
        Self::SyntheticEmbeddings1,
        Self::SyntheticEmbeddings2,
    ];

    /// The catalogue's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FashionMnist => "fashion-mnist",
            Self::Mnist => "mnist",
            Self::Cifar10 => "cifar10",
            Self::Svhn => "svhn",
            Self::Celeba => "celeba",
            Self::Imagenet64 => "imagenet64",
            Self::Celeba64 => "celeba64",
            Self::Svhn64 => "svhn64",
            Self::Notmnist => "notmnist",
            Self::Hepmass0 => "hepmass-0",
            Self::Hepmass1 => "hepmass-1",
            Self::Miniboone0 => "miniboone-0",
            Self::Miniboone1 => "miniboone-1",
            Self::Cifar10Embeddings => "cifar10-embeddings",
            Self::SvhnEmbeddings => "svhn-embeddings",
            Self::CelebaEmbeddings => "celeba-embeddings",
            Self::SyntheticShapes => "synthetic-shapes",
            Self::SyntheticStrokes => "synthetic-strokes",
            Self::UniformNoise => "uniform-noise",
            Self::Constant => "constant",
            Self::SyntheticShapesRgb => "synthetic-shapes-rgb",
            Self::SyntheticStrokesRgb => "synthetic-strokes-rgb",
            Self::SyntheticShapesRgb64 => "synthetic-shapes-rgb64",
            Self::SyntheticStrokesRgb64 => "synthetic-strokes-rgb64",
            Self::SyntheticClusters0 => "synthetic-clusters-0",
            Self::SyntheticClusters1 => "synthetic-clusters-1",
            Self::SyntheticEmbeddings0 => "synthetic-embeddings-0",
            Self::SyntheticEmbeddings1 => "synthetic-embeddings-1",
            Self::SyntheticEmbeddings2 => "synthetic-embeddings-2",
        }
    }

    /// The shape of one example.
    #[must_use]
    pub fn shape(self) -> InputShape {
        match self {
            Self::FashionMnist
            | Self::Mnist
            | Self::Notmnist
            | Self::SyntheticShapes
            | Self::SyntheticStrokes
            | Self::UniformNoise
            | Self::Constant => GREY,
            Self::Cifar10 | Self::Svhn | Self::Celeba | Self::SyntheticShapesRgb | Self::SyntheticStrokesRgb => COLOUR,
            Self::Imagenet64
            | Self::Celeba64
            | Self::Svhn64
            | Self::SyntheticShapesRgb64
            | Self::SyntheticStrokesRgb64 => COLOUR_64,
            Self::Hepmass0 | Self::Hepmass1 | Self::SyntheticClusters0 | Self::SyntheticClusters1 => {
                InputShape::Vector { features: 15 }
            }
            Self::Miniboone0 | Self::Miniboone1 => InputShape::Vector { features: 50 },
            Self::Cifar10Embeddings | Self::SvhnEmbeddings | Self::CelebaEmbeddings => {
                InputShape::Vector { features: 1792 }
            }
            Self::SyntheticEmbeddings0 | Self::SyntheticEmbeddings1 | Self::SyntheticEmbeddings2 => {
                InputShape::Vector { features: 64 }
            }
        }
    }

    /// Whether there is a train split to learn from; a dataset without one can be out-of-distribution data only.
    #[must_use]
    pub fn has_train_split(self) -> bool {
        self != Self::Notmnist
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
    /// Learn from the first so many examples (images or vectors) of the train split only; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_images: Option<u32>,
}

impl DataSpec {
    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        if !self.dataset.has_train_split() {
            let message = format!(
                "`{}` has a test split only: name it in evaluation.out, and learn a dataset with a train split",
                self.dataset
            );
            found.add(format!("{at}.dataset"), message);
        }
        if let Some(images) = self.train_images {
            found.check_range(&format!("{at}.train_images"), images, 1..=100_000_000);
        }
    }
}
