//! The formats of publishers' files that hold pictures, and what goes wrong with them elsewhere.

use crate::examples::Split;

/// How a publisher keeps the pictures of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// IDX files in one zip archive.
    Emnist(EmnistPart),
    /// Binary records in a tar archive.
    Cifar(CifarVersion),
    /// A MAT-file for each split.
    Svhn,
    /// JPEG pictures in a zip archive, and a list that splits them.
    Celeba(CelebaPreset),
    /// NumPy archives.
    DownsampledImagenet,
    /// PNG or JPEG pictures in an archive for each split, or in one for both.
    Pictures {
        /// Which pictures they are.
        layout: PictureLayout,
        /// The archive of the train split and the folder that it extracts to.
        train: &'static [&'static str],
        /// Those of the test split.
        test: &'static [&'static str],
    },
}

/// A part of EMNIST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmnistPart {
    /// 62 classes.
    Byclass,
    /// 47 classes.
    Bymerge,
    /// 47 classes of one size.
    Balanced,
    /// 26 classes.
    Letters,
    /// Ten classes.
    Digits,
    /// Ten classes, as MNIST was made.
    Mnist,
}

impl EmnistPart {
    /// The part's name in file names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Byclass => "byclass",
            Self::Bymerge => "bymerge",
            Self::Balanced => "balanced",
            Self::Letters => "letters",
            Self::Digits => "digits",
            Self::Mnist => "mnist",
        }
    }

    /// The label of the first class in the files.
    #[must_use]
    pub fn first_label(self) -> u8 {
        u8::from(self == Self::Letters)
    }
}

/// One of the two CIFAR datasets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CifarVersion {
    /// Ten classes.
    Ten,
    /// A hundred classes in twenty coarse ones.
    Hundred,
}

/// How a face of CelebA is cut and resized. Likelihoods under different presets cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CelebaPreset {
    /// The shorter side resized, then the centre (Kirichenko et al. 2020).
    ShorterSide,
    /// The central square of this side, resized.
    Centre(usize),
    /// As published.
    Aligned,
}

/// Which pictures of an archive are examples, and what their labels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureLayout {
    /// `A/` to `J/`.
    Notmnist,
    /// `alphabet/character/`, black ink on white.
    Omniglot,
    /// `train/class/images/`, and `val/images/` with a list of classes.
    TinyImagenet,
    /// `images/class/`, of many sizes.
    Textures,
    /// All pictures, without labels; the centre of larger ones.
    Unlabelled,
}

impl Format {
    /// What is special about the files, in half a sentence.
    pub(super) fn trap(self) -> Option<&'static str> {
        match self {
            Self::Emnist(EmnistPart::Letters) => {
                Some("stored transposed, read upright; labels are stored from 1, read from 0")
            }
            Self::Emnist(_) => Some("stored transposed, read upright"),
            Self::Cifar(CifarVersion::Ten) => Some("the binary version is read, not the Python one"),
            Self::Cifar(CifarVersion::Hundred) => {
                Some("the binary version is read, not the Python one; labels are the fine ones")
            }
            Self::Svhn => Some("the digit 0 is stored with the label 10, read as 0; the extra part is not read"),
            Self::Celeba(_) => {
                Some("partition 0 is for training, 2 for test; the crop is a part of the dataset's identity")
            }
            Self::DownsampledImagenet => Some(
                "labels are stored from 1, read from 0; the older PNG archives are another down-sampling and not read",
            ),
            Self::Pictures { layout, .. } => match layout {
                PictureLayout::Notmnist => Some("two damaged files of the publisher are left out by name"),
                PictureLayout::Omniglot => Some("black ink on white, read as bright ink on black"),
                PictureLayout::TinyImagenet => {
                    Some("the validation part is the test split: the publisher's test has no labels")
                }
                PictureLayout::Textures => {
                    Some("all 5640 pictures are the test split, whatever the publisher's ten splits")
                }
                PictureLayout::Unlabelled => Some("larger pictures are cut to their centre"),
            },
        }
    }

    /// The archive's name and the folder's, for formats that have one of each for a split.
    pub(super) fn archive_and_folder(self, split: Split) -> &'static [&'static str] {
        match (self, split) {
            (Self::Cifar(CifarVersion::Ten), _) => &["cifar-10-binary.tar.gz", "cifar-10-batches-bin/"],
            (Self::Cifar(CifarVersion::Hundred), _) => &["cifar-100-binary.tar.gz", "cifar-100-binary/"],
            (Self::Svhn, Split::Train) => &["train_32x32.mat"],
            (Self::Svhn, Split::Test) => &["test_32x32.mat"],
            (Self::Celeba(_), _) => &["img_align_celeba.zip", "img_align_celeba/"],
            (Self::Pictures { train, .. }, Split::Train) => train,
            (Self::Pictures { test, .. }, Split::Test) => test,
            (Self::Emnist(_) | Self::DownsampledImagenet, _) => &[],
        }
    }
}
