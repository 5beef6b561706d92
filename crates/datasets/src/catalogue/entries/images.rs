//! Datasets of pictures in their publishers' files.

use super::{ALIGNED, COLOUR, COLOUR_64, GREY, OMNIGLOT_SHAPE};
use crate::catalogue::entry::Entry;
use crate::catalogue::format::{CelebaPreset, CifarVersion, EmnistPart, Format, PictureLayout};
use crate::catalogue::mnist_layout::{FASHION_MNIST_FILES, KMNIST_FILES, MNIST_FILES};
use crate::catalogue::source::{Source, SplitSize};
use crate::examples::Shape;

const CELEBA: &str = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html";
const CELEBA_LICENCE: &str = "non-commercial research, no redistribution";
const IMAGENET: &str = "https://image-net.org/download-images.php";
const IMAGENET_LICENCE: &str = "non-commercial research, login required";
const ODIN: &str = "https://github.com/facebookresearch/odin";
const NONE_STATED: &str = "none stated";
const CELEBA_SIZES: [usize; 2] = [162_770, 19_962];
const SVHN_SIZES: [usize; 2] = [73_257, 26_032];
const IMAGENET_SIZES: [usize; 2] = [1_281_167, 50_000];

pub const FASHION_MNIST: Entry = idx(
    "fashion-mnist",
    "Fashion-MNIST: grey pictures of clothes, by Zalando Research",
    "MIT",
    Source::Idx {
        files: &FASHION_MNIST_FILES,
        known_places: &["/usr/share/datasets/fashion-mnist"],
        publisher: "https://github.com/zalandoresearch/fashion-mnist (Debian package dataset-fashion-mnist)",
    },
);

pub const MNIST: Entry = idx(
    "mnist",
    "MNIST: handwritten digits",
    "CC BY-SA 3.0 (as commonly stated)",
    Source::Idx { files: &MNIST_FILES, known_places: &[], publisher: "http://yann.lecun.com/exdb/mnist/" },
);

pub const KMNIST: Entry = idx(
    "kmnist",
    "Kuzushiji-MNIST: ten classes of cursive Japanese characters",
    "CC BY-SA 4.0",
    Source::Idx { files: &KMNIST_FILES, known_places: &[], publisher: "http://codh.rois.ac.jp/kmnist/index.html.en" },
);

pub const EMNIST_BYCLASS: Entry = emnist(
    "emnist-byclass",
    "EMNIST by class: digits and letters in 62 classes",
    EmnistPart::Byclass,
    [697_932, 116_323],
);
pub const EMNIST_BYMERGE: Entry = emnist(
    "emnist-bymerge",
    "EMNIST by merge: digits and letters in 47 classes",
    EmnistPart::Bymerge,
    [697_932, 116_323],
);
pub const EMNIST_BALANCED: Entry = emnist(
    "emnist-balanced",
    "EMNIST balanced: digits and letters in 47 classes of one size",
    EmnistPart::Balanced,
    [112_800, 18_800],
);
pub const EMNIST_LETTERS: Entry = emnist(
    "emnist-letters",
    "EMNIST letters: 26 classes, capital and small together",
    EmnistPart::Letters,
    [124_800, 20_800],
);
pub const EMNIST_DIGITS: Entry =
    emnist("emnist-digits", "EMNIST digits: ten classes", EmnistPart::Digits, [240_000, 40_000]);
pub const EMNIST_MNIST: Entry =
    emnist("emnist-mnist", "EMNIST MNIST: MNIST's digits made anew", EmnistPart::Mnist, [60_000, 10_000]);

pub const OMNIGLOT: Entry = published(
    "omniglot",
    "Omniglot: 1623 characters of 50 alphabets; background alphabets for training, evaluation alphabets for test",
    "MIT",
    OMNIGLOT_SHAPE,
    [SplitSize::Known(19_280), SplitSize::Known(13_180)],
    Format::Pictures {
        layout: PictureLayout::Omniglot,
        train: &["images_background.zip", "images_background/"],
        test: &["images_evaluation.zip", "images_evaluation/"],
    },
    "https://github.com/brendenlake/omniglot",
);

pub const CIFAR10: Entry = published(
    "cifar10",
    "CIFAR-10: colour pictures of ten kinds of things",
    "none stated; citation requested",
    COLOUR,
    [SplitSize::Known(50_000), SplitSize::Known(10_000)],
    Format::Cifar(CifarVersion::Ten),
    "https://www.cs.toronto.edu/~kriz/cifar.html",
);

pub const CIFAR100: Entry = published(
    "cifar100",
    "CIFAR-100: colour pictures of a hundred kinds of things",
    "none stated; citation requested",
    COLOUR,
    [SplitSize::Known(50_000), SplitSize::Known(10_000)],
    Format::Cifar(CifarVersion::Hundred),
    "https://www.cs.toronto.edu/~kriz/cifar.html",
);

pub const SVHN: Entry = svhn("svhn", "SVHN: cropped street view house numbers without the extra part", COLOUR);
pub const SVHN64: Entry =
    svhn("svhn64", "SVHN: cropped street view house numbers resized to 64×64, bilinear", COLOUR_64);

pub const CELEBA_32: Entry = celeba(
    "celeba",
    "CelebA: aligned faces, shorter side resized to 32, bilinear, and centre cropped",
    COLOUR,
    CelebaPreset::ShorterSide,
);
pub const CELEBA_CROP140: Entry = celeba(
    "celeba-crop140",
    "CelebA: the central 140×140 of aligned faces resized to 32×32, bilinear",
    COLOUR,
    CelebaPreset::Centre(140),
);
pub const CELEBA_CROP148: Entry = celeba(
    "celeba-crop148",
    "CelebA: the central 148×148 of aligned faces resized to 32×32, bilinear",
    COLOUR,
    CelebaPreset::Centre(148),
);
pub const CELEBA_ALIGNED: Entry =
    celeba("celeba-aligned", "CelebA: aligned faces as published", ALIGNED, CelebaPreset::Aligned);
pub const CELEBA64: Entry = celeba(
    "celeba64",
    "CelebA: aligned faces, shorter side resized to 64, bilinear, and centre cropped",
    COLOUR_64,
    CelebaPreset::ShorterSide,
);

pub const IMAGENET32: Entry = downsampled("imagenet32", "ImageNet downsampled to 32×32 (box)", COLOUR);
pub const IMAGENET64: Entry = downsampled("imagenet64", "ImageNet downsampled to 64×64 (box)", COLOUR_64);

pub const TINY_IMAGENET: Entry = published(
    "tiny-imagenet",
    "Tiny ImageNet: 200 classes at 64×64; the validation part is the test split",
    "non-commercial research",
    COLOUR_64,
    [SplitSize::Known(100_000), SplitSize::Known(10_000)],
    Format::Pictures {
        layout: PictureLayout::TinyImagenet,
        train: &["tiny-imagenet-200.zip", "tiny-imagenet-200/"],
        test: &["tiny-imagenet-200.zip", "tiny-imagenet-200/"],
    },
    "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
);

pub const TINY_IMAGENET_CROP: Entry = odin(
    "tiny-imagenet-crop",
    "Tiny ImageNet cropped to 32×32 for ODIN: a test split only",
    &["Imagenet.tar.gz", "Imagenet/"],
);
pub const TINY_IMAGENET_RESIZE: Entry = odin(
    "tiny-imagenet-resize",
    "Tiny ImageNet resized to 32×32 for ODIN: a test split only",
    &["Imagenet_resize.tar.gz", "Imagenet_resize/"],
);
pub const LSUN_CROP: Entry =
    odin("lsun-crop", "LSUN cropped to 32×32 for ODIN: a test split only", &["LSUN.tar.gz", "LSUN/"]);
pub const LSUN_RESIZE: Entry =
    odin("lsun-resize", "LSUN resized to 32×32 for ODIN: a test split only", &["LSUN_resize.tar.gz", "LSUN_resize/"]);

pub const TEXTURES: Entry = published(
    "textures",
    "Describable textures, shorter side resized to 32, bilinear, and centre cropped: a test split only",
    "research use",
    COLOUR,
    [SplitSize::Absent, SplitSize::Known(5_640)],
    Format::Pictures { layout: PictureLayout::Textures, train: &[], test: &["dtd-r1.0.1.tar.gz", "dtd/"] },
    "https://www.robots.ox.ac.uk/~vgg/data/dtd/",
);

pub const NOTMNIST: Entry = published(
    "notmnist",
    "notMNIST (small): letters A to J in many fonts; a test split only",
    NONE_STATED,
    GREY,
    [SplitSize::Absent, SplitSize::Known(18_724)],
    Format::Pictures {
        layout: PictureLayout::Notmnist,
        train: &[],
        test: &["notMNIST_small.tar.gz", "notMNIST_small/"],
    },
    "http://yaroslavvb.blogspot.com/2011/09/notmnist-dataset.html",
);

/// Datasets of MNIST's sizes.
const fn idx(name: &'static str, title: &'static str, licence: &'static str, source: Source) -> Entry {
    let (train_size, test_size) = (SplitSize::Known(60_000), SplitSize::Known(10_000));
    Entry { name, title, licence, shape: GREY, train_size, test_size, source }
}

const fn published(
    name: &'static str,
    title: &'static str,
    licence: &'static str,
    shape: Shape,
    [train_size, test_size]: [SplitSize; 2],
    format: Format,
    origin: &'static str,
) -> Entry {
    let source = Source::Published { format, shared_folder: None, origin };
    Entry { name, title, licence, shape, train_size, test_size, source }
}

/// One of several datasets that are made from the same files.
const fn shared(
    [name, title, licence, folder, origin]: [&'static str; 5],
    shape: Shape,
    [train, test]: [usize; 2],
    format: Format,
) -> Entry {
    let (train_size, test_size) = (SplitSize::Known(train), SplitSize::Known(test));
    let source = Source::Published { format, shared_folder: Some(folder), origin };
    Entry { name, title, licence, shape, train_size, test_size, source }
}

const fn emnist(name: &'static str, title: &'static str, part: EmnistPart, sizes: [usize; 2]) -> Entry {
    let origin = "https://www.nist.gov/itl/products-and-services/emnist-dataset";
    let licence = "public domain (made from NIST Special Database 19)";
    shared([name, title, licence, "emnist", origin], GREY, sizes, Format::Emnist(part))
}

const fn svhn(name: &'static str, title: &'static str, shape: Shape) -> Entry {
    let origin = "http://ufldl.stanford.edu/housenumbers/";
    shared([name, title, "non-commercial use", "svhn", origin], shape, SVHN_SIZES, Format::Svhn)
}

const fn celeba(name: &'static str, title: &'static str, shape: Shape, preset: CelebaPreset) -> Entry {
    shared([name, title, CELEBA_LICENCE, "celeba", CELEBA], shape, CELEBA_SIZES, Format::Celeba(preset))
}

const fn downsampled(name: &'static str, title: &'static str, shape: Shape) -> Entry {
    let [train, test] = IMAGENET_SIZES;
    let sizes = [SplitSize::Known(train), SplitSize::Known(test)];
    published(name, title, IMAGENET_LICENCE, shape, sizes, Format::DownsampledImagenet, IMAGENET)
}

const fn odin(name: &'static str, title: &'static str, test: &'static [&'static str]) -> Entry {
    let sizes = [SplitSize::Absent, SplitSize::Known(10_000)];
    let format = Format::Pictures { layout: PictureLayout::Unlabelled, train: &[], test };
    published(name, title, NONE_STATED, COLOUR, sizes, format, ODIN)
}
