//! Tables and embeddings.

use crate::catalogue::entry::Entry;
use crate::catalogue::source::{Source, SplitSize};
use crate::examples::Shape;

pub const HEPMASS_0: Entry = Entry {
    name: "hepmass-0",
    title: "HEPMASS, mass 1000: background collisions (label 0), continuous features",
    source: Source::Hepmass { class: 0 },
    ..table(15)
};

pub const HEPMASS_1: Entry = Entry {
    name: "hepmass-1",
    title: "HEPMASS, mass 1000: signal collisions (label 1), continuous features",
    source: Source::Hepmass { class: 1 },
    ..table(15)
};

pub const MINIBOONE_0: Entry = Entry {
    name: "miniboone-0",
    title: "MiniBooNE: background events, as many as there are of signal; a tenth of them for test",
    source: Source::Miniboone { class: 0 },
    ..table(50)
};

pub const MINIBOONE_1: Entry = Entry {
    name: "miniboone-1",
    title: "MiniBooNE: signal events; a tenth of them for test",
    source: Source::Miniboone { class: 1 },
    ..MINIBOONE_0
};

pub const CIFAR10_EMBEDDINGS: Entry = embeddings(
    "cifar10-embeddings",
    "CIFAR-10 as features of an ImageNet network",
    "cifar10_features",
    [SplitSize::Known(50_000), SplitSize::Known(10_000)],
);

pub const SVHN_EMBEDDINGS: Entry = embeddings(
    "svhn-embeddings",
    "SVHN as features of an ImageNet network",
    "svhn_features",
    [SplitSize::Known(73_257), SplitSize::Known(26_032)],
);

pub const CELEBA_EMBEDDINGS: Entry = embeddings(
    "celeba-embeddings",
    "CelebA as features of an ImageNet network",
    "celeba_features",
    [SplitSize::OfFiles, SplitSize::OfFiles],
);

/// Outputs of a network's last pooling that a person saves as arrays.
const fn embeddings(
    name: &'static str,
    title: &'static str,
    prefix: &'static str,
    [train_size, test_size]: [SplitSize; 2],
) -> Entry {
    let origin = "an extraction of your own; the paper's has 1792 features of EfficientNet";
    Entry {
        name,
        title,
        licence: "that of the images",
        shape: Shape::Vector(1792),
        train_size,
        test_size,
        source: Source::Arrays { array: "embeddings", prefix: Some(prefix), origin },
    }
}

/// What the tables of the UCI repository have in common; name, title and source are to be filled in.
const fn table(features: usize) -> Entry {
    Entry {
        name: "",
        title: "",
        licence: "CC BY 4.0",
        shape: Shape::Vector(features),
        train_size: SplitSize::OfFiles,
        test_size: SplitSize::OfFiles,
        source: Source::Hepmass { class: 0 },
    }
}
