//! The datasets of the catalogue: names, shapes, and how many examples there are to learn from.

use std::{fmt, str::FromStr};

use architecture::InputShape;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

const GREY: InputShape = InputShape::Image { channels: 1, height: 28, width: 28 };
const OMNIGLOT: InputShape = InputShape::Image { channels: 1, height: 105, width: 105 };
const COLOUR: InputShape = InputShape::Image { channels: 3, height: 32, width: 32 };
const COLOUR_64: InputShape = InputShape::Image { channels: 3, height: 64, width: 64 };
const ALIGNED: InputShape = InputShape::Image { channels: 3, height: 218, width: 178 };

const fn vector(features: u32) -> InputShape {
    InputShape::Vector { features }
}

/// The examples of a train split.
#[derive(Debug, Clone, Copy)]
enum TrainSplit {
    /// As many as the publisher counts, or as are made.
    Known(u64),
    /// As many as the files have.
    OfFiles,
    /// There is none.
    Absent,
}

use TrainSplit::{Absent, Known, OfFiles};

/// A dataset by its catalogue name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DatasetName {
    /// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017).
    FashionMnist,
    /// MNIST (LeCun, Cortes and Burges 1998).
    Mnist,
    /// Kuzushiji-MNIST (Clanuwat et al. 2018).
    Kmnist,
    /// EMNIST, 62 unbalanced classes (Cohen et al. 2017).
    EmnistByclass,
    /// EMNIST, 47 unbalanced classes.
    EmnistBymerge,
    /// EMNIST, 47 balanced classes.
    EmnistBalanced,
    /// EMNIST, 26 letters.
    EmnistLetters,
    /// EMNIST, ten digits.
    EmnistDigits,
    /// EMNIST, MNIST's digits made anew.
    EmnistMnist,
    /// Omniglot (Lake et al. 2015), ink bright: the background alphabets are the train split, the evaluation ones the test split.
    Omniglot,
    /// CIFAR-10 (Krizhevsky 2009).
    Cifar10,
    /// CIFAR-100 (Krizhevsky 2009).
    Cifar100,
    /// Street view house numbers, cropped, without the extra part (Netzer et al. 2011).
    Svhn,
    /// CelebA (Liu et al. 2015), shorter side resized to 32 and centre cropped, as Kirichenko et al. do.
    Celeba,
    /// CelebA, the central 140×140 resized to 32×32.
    CelebaCrop140,
    /// CelebA, the central 148×148 resized to 32×32.
    CelebaCrop148,
    /// CelebA's aligned faces as they are.
    CelebaAligned,
    /// ImageNet at 32×32 (Chrabaszcz, Loshchilov and Hutter 2017).
    Imagenet32,
    /// ImageNet at 64×64 (Chrabaszcz, Loshchilov and Hutter 2017).
    Imagenet64,
    /// Tiny ImageNet; its validation part is the test split.
    TinyImagenet,
    /// Crops of Tiny ImageNet (Liang, Li and Srikant 2018): a test split only.
    TinyImagenetCrop,
    /// Tiny ImageNet resized (Liang, Li and Srikant 2018): a test split only.
    TinyImagenetResize,
    /// Crops of LSUN (Liang, Li and Srikant 2018): a test split only.
    LsunCrop,
    /// LSUN resized (Liang, Li and Srikant 2018): a test split only.
    LsunResize,
    /// Describable textures (Cimpoi et al. 2014), shorter side resized to 32 and centre cropped: a test split only.
    Textures,
    /// CelebA, shorter side resized to 64 and centre cropped.
    Celeba64,
    /// Street view house numbers at 64×64.
    Svhn64,
    /// notMNIST, small (Bulatov 2011): a test split only.
    Notmnist,
    /// Background collisions of HEPMASS (Baldi et al. 2016), the mass known.
    Hepmass0,
    /// Signal collisions of HEPMASS.
    Hepmass1,
    /// Background events of MiniBooNE (Roe et al. 2005).
    Miniboone0,
    /// Signal events of MiniBooNE.
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
    /// Every pixel normal about 127.5 with deviation 63.75, rounded and cut to 0..=255.
    GaussianNoise,
    /// Images of one grey level each.
    Constant,
    /// Procedural shapes in colour, 32×32.
    SyntheticShapesRgb,
    /// Procedural strokes in colour, 32×32.
    SyntheticStrokesRgb,
    /// Every value of a colour image uniform in 0..=255.
    UniformNoiseRgb,
    /// Every value of a colour image normal about 127.5 with deviation 63.75, rounded and cut to 0..=255.
    GaussianNoiseRgb,
    /// Images of one colour each.
    ConstantRgb,
    /// Procedural shapes in colour, 64×64.
    SyntheticShapesRgb64,
    /// Procedural strokes in colour, 64×64.
    SyntheticStrokesRgb64,
    /// A procedural mixture of normal distributions: a stand-in for a class of a table.
    SyntheticClusters0,
    /// Another such mixture.
    SyntheticClusters1,
    /// Procedural features that are not normal: a stand-in for embeddings.
    SyntheticEmbeddings0,
    /// Other such features.
    SyntheticEmbeddings1,
    /// Other such features.
    SyntheticEmbeddings2,
}

/// The name given is not a dataset of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown dataset `{given}`: one of {} expected", DatasetName::known())]
pub struct UnknownDataset {
    given: String,
}

impl DatasetName {
    /// Every dataset, in the order in which lists show them.
    pub const ALL: [Self; 52] = [
        Self::FashionMnist,
        Self::Mnist,
        Self::Kmnist,
        Self::EmnistByclass,
        Self::EmnistBymerge,
        Self::EmnistBalanced,
        Self::EmnistLetters,
        Self::EmnistDigits,
        Self::EmnistMnist,
        Self::Omniglot,
        Self::Cifar10,
        Self::Cifar100,
        Self::Svhn,
        Self::Celeba,
        Self::CelebaCrop140,
        Self::CelebaCrop148,
        Self::CelebaAligned,
        Self::Imagenet32,
        Self::Imagenet64,
        Self::TinyImagenet,
        Self::TinyImagenetCrop,
        Self::TinyImagenetResize,
        Self::LsunCrop,
        Self::LsunResize,
        Self::Textures,
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
        Self::GaussianNoise,
        Self::Constant,
        Self::SyntheticShapesRgb,
        Self::SyntheticStrokesRgb,
        Self::UniformNoiseRgb,
        Self::GaussianNoiseRgb,
        Self::ConstantRgb,
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
        FACTS[self as usize].0
    }

    /// The shape of one example.
    #[must_use]
    pub fn shape(self) -> InputShape {
        FACTS[self as usize].1
    }

    /// Whether there is a train split to learn from; a dataset without one can be out-of-distribution data only.
    #[must_use]
    pub fn has_train_split(self) -> bool {
        !matches!(FACTS[self as usize].2, Absent)
    }

    /// Examples of the train split as its publisher counts them, or as they are made; `None` where only the file can tell.
    #[must_use]
    pub fn train_examples(self) -> Option<u64> {
        match FACTS[self as usize].2 {
            Known(examples) => Some(examples),
            OfFiles | Absent => None,
        }
    }

    fn known() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

/// Name, shape and train split, in the order of [`DatasetName::ALL`].
static FACTS: [(&str, InputShape, TrainSplit); 52] = [
    ("fashion-mnist", GREY, Known(60_000)),
    ("mnist", GREY, Known(60_000)),
    ("kmnist", GREY, Known(60_000)),
    ("emnist-byclass", GREY, Known(697_932)),
    ("emnist-bymerge", GREY, Known(697_932)),
    ("emnist-balanced", GREY, Known(112_800)),
    ("emnist-letters", GREY, Known(124_800)),
    ("emnist-digits", GREY, Known(240_000)),
    ("emnist-mnist", GREY, Known(60_000)),
    ("omniglot", OMNIGLOT, Known(19_280)),
    ("cifar10", COLOUR, Known(50_000)),
    ("cifar100", COLOUR, Known(50_000)),
    ("svhn", COLOUR, Known(73_257)),
    ("celeba", COLOUR, Known(162_770)),
    ("celeba-crop140", COLOUR, Known(162_770)),
    ("celeba-crop148", COLOUR, Known(162_770)),
    ("celeba-aligned", ALIGNED, Known(162_770)),
    ("imagenet32", COLOUR, Known(1_281_167)),
    ("imagenet64", COLOUR_64, Known(1_281_167)),
    ("tiny-imagenet", COLOUR_64, Known(100_000)),
    ("tiny-imagenet-crop", COLOUR, Absent),
    ("tiny-imagenet-resize", COLOUR, Absent),
    ("lsun-crop", COLOUR, Absent),
    ("lsun-resize", COLOUR, Absent),
    ("textures", COLOUR, Absent),
    ("celeba64", COLOUR_64, Known(162_770)),
    ("svhn64", COLOUR_64, Known(73_257)),
    ("notmnist", GREY, Absent),
    ("hepmass-0", vector(15), OfFiles),
    ("hepmass-1", vector(15), OfFiles),
    ("miniboone-0", vector(50), Known(32_849)),
    ("miniboone-1", vector(50), Known(32_849)),
    ("cifar10-embeddings", vector(1792), Known(50_000)),
    ("svhn-embeddings", vector(1792), Known(73_257)),
    ("celeba-embeddings", vector(1792), OfFiles),
    ("synthetic-shapes", GREY, Known(60_000)),
    ("synthetic-strokes", GREY, Known(60_000)),
    ("uniform-noise", GREY, Known(60_000)),
    ("gaussian-noise", GREY, Known(60_000)),
    ("constant", GREY, Known(60_000)),
    ("synthetic-shapes-rgb", COLOUR, Known(60_000)),
    ("synthetic-strokes-rgb", COLOUR, Known(60_000)),
    ("uniform-noise-rgb", COLOUR, Known(60_000)),
    ("gaussian-noise-rgb", COLOUR, Known(60_000)),
    ("constant-rgb", COLOUR, Known(60_000)),
    ("synthetic-shapes-rgb64", COLOUR_64, Known(60_000)),
    ("synthetic-strokes-rgb64", COLOUR_64, Known(60_000)),
    ("synthetic-clusters-0", vector(15), Known(20_000)),
    ("synthetic-clusters-1", vector(15), Known(20_000)),
    ("synthetic-embeddings-0", vector(64), Known(20_000)),
    ("synthetic-embeddings-1", vector(64), Known(20_000)),
    ("synthetic-embeddings-2", vector(64), Known(20_000)),
];

impl fmt::Display for DatasetName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for DatasetName {
    type Err = UnknownDataset;

    fn from_str(text: &str) -> Result<Self, UnknownDataset> {
        let named = |name: &Self| name.as_str() == text;
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownDataset { given: text.to_owned() })
    }
}

impl Serialize for DatasetName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for DatasetName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dataset_is_found_by_its_name() {
        for (place, name) in DatasetName::ALL.into_iter().enumerate() {
            assert_eq!(name as usize, place, "{name}");
            assert_eq!(name.as_str().parse(), Ok(name));
        }
    }
}
