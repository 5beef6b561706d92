//! The entries themselves.

use super::entry::Entry;
use super::mnist_layout::{FASHION_MNIST_FILES, KMNIST_FILES, MNIST_FILES};
use super::source::{Source, SplitSize};
use crate::examples::Shape;
use crate::synthetic::{Procedure, VectorProcedure};

/// Every dataset, in the order in which lists show them.
pub static ENTRIES: [Entry; 30] = [
    Entry {
        name: "fashion-mnist",
        title: "Fashion-MNIST: grey pictures of clothes, by Zalando Research",
        licence: "MIT",
        shape: GREY,
        train_size: SplitSize::Known(60_000),
        test_size: SplitSize::Known(10_000),
        source: Source::Idx {
            files: &FASHION_MNIST_FILES,
            known_places: &["/usr/share/datasets/fashion-mnist"],
            publisher: "https://github.com/zalandoresearch/fashion-mnist (Debian package dataset-fashion-mnist)",
        },
    },
    Entry {
        name: "mnist",
        title: "MNIST: handwritten digits",
        licence: "CC BY-SA 3.0 (as commonly stated)",
        shape: GREY,
        train_size: SplitSize::Known(60_000),
        test_size: SplitSize::Known(10_000),
        source: Source::Idx { files: &MNIST_FILES, known_places: &[], publisher: "http://yann.lecun.com/exdb/mnist/" },
    },
    Entry {
        name: "kmnist",
        title: "Kuzushiji-MNIST: ten classes of cursive Japanese characters",
        licence: "CC BY-SA 4.0",
        shape: GREY,
        train_size: SplitSize::Known(60_000),
        test_size: SplitSize::Known(10_000),
        source: Source::Idx {
            files: &KMNIST_FILES,
            known_places: &[],
            publisher: "http://codh.rois.ac.jp/kmnist/index.html.en",
        },
    },
    images(
        "cifar10",
        "CIFAR-10: colour pictures of ten kinds of things, arrays made from the publisher's files",
        "none stated; citation requested",
        COLOUR,
        [SplitSize::Known(50_000), SplitSize::Known(10_000)],
        "https://www.cs.toronto.edu/~kriz/cifar.html",
    ),
    images(
        "svhn",
        "SVHN: cropped street view house numbers without the extra part, arrays made from the publisher's files",
        "non-commercial use",
        COLOUR,
        [SplitSize::Known(73_257), SplitSize::Known(26_032)],
        "http://ufldl.stanford.edu/housenumbers/",
    ),
    images(
        "celeba",
        "CelebA: aligned faces, shorter side resized to 32 and centre cropped, partitions 0 and 2, as arrays",
        "non-commercial research, no redistribution",
        COLOUR,
        [SplitSize::Known(162_770), SplitSize::Known(19_962)],
        "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    ),
    images(
        "imagenet64",
        "ImageNet downsampled to 64×64, arrays made from the publisher's files",
        "non-commercial research, login required",
        COLOUR_64,
        [SplitSize::Known(1_281_167), SplitSize::Known(50_000)],
        "https://image-net.org/download-images.php",
    ),
    images(
        "celeba64",
        "CelebA: aligned faces, shorter side resized to 64 and centre cropped, partitions 0 and 2, as arrays",
        "non-commercial research, no redistribution",
        COLOUR_64,
        [SplitSize::Known(162_770), SplitSize::Known(19_962)],
        "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    ),
    images(
        "svhn64",
        "SVHN: cropped street view house numbers resized to 64×64, as arrays",
        "non-commercial use",
        COLOUR_64,
        [SplitSize::Known(73_257), SplitSize::Known(26_032)],
        "http://ufldl.stanford.edu/housenumbers/",
    ),
    images(
        "notmnist",
        "notMNIST (small): letters A to J in many fonts, grey, as an array; a test split only",
        "none stated",
        GREY,
        [SplitSize::Absent, SplitSize::Known(18_724)],
        "http://yaroslavvb.blogspot.com/2011/09/notmnist-dataset.html",
    ),
    Entry {
        name: "hepmass-0",
        title: "HEPMASS, mass 1000: background collisions (label 0), continuous features",
        source: Source::Hepmass { class: 0 },
        ..table(15)
    },
    Entry {
        name: "hepmass-1",
        title: "HEPMASS, mass 1000: signal collisions (label 1), continuous features",
        source: Source::Hepmass { class: 1 },
        ..table(15)
    },
    Entry {
        name: "miniboone-0",
        title: "MiniBooNE: background events, as many as there are of signal; a tenth of them for test",
        source: Source::Miniboone { class: 0 },
        ..table(50)
    },
    Entry {
        name: "miniboone-1",
        title: "MiniBooNE: signal events; a tenth of them for test",
        source: Source::Miniboone { class: 1 },
        ..table(50)
    },
    embeddings(
        "cifar10-embeddings",
        "CIFAR-10 as features of an ImageNet network",
        "cifar10_features",
        [SplitSize::Known(50_000), SplitSize::Known(10_000)],
    ),
    embeddings(
        "svhn-embeddings",
        "SVHN as features of an ImageNet network",
        "svhn_features",
        [SplitSize::Known(73_257), SplitSize::Known(26_032)],
    ),
    embeddings(
        "celeba-embeddings",
        "CelebA as features of an ImageNet network",
        "celeba_features",
        [SplitSize::OfFiles, SplitSize::OfFiles],
    ),
    procedural(
        "synthetic-shapes",
        "filled, shaded and textured silhouettes: a built-in stand-in for Fashion-MNIST",
        GREY,
        Procedure::Shapes,
    ),
    procedural(
        "synthetic-strokes",
        "thin bright strokes on black: a built-in stand-in for MNIST",
        GREY,
        Procedure::Strokes,
    ),
    procedural("uniform-noise", "every pixel uniform and independent", GREY, Procedure::UniformNoise),
    procedural("constant", "one grey level for the whole image", GREY, Procedure::Constant),
    procedural(
        "synthetic-shapes-rgb",
        "silhouettes in colour: a built-in stand-in for colour pictures",
        COLOUR,
        Procedure::ColourShapes,
    ),
    procedural(
        "synthetic-strokes-rgb",
        "strokes in colour: a built-in stand-in for house numbers",
        COLOUR,
        Procedure::ColourStrokes,
    ),
    procedural(
        "synthetic-shapes-rgb64",
        "silhouettes in colour, 64×64: a built-in stand-in for colour pictures",
        COLOUR_64,
        Procedure::ColourShapes,
    ),
    procedural(
        "synthetic-strokes-rgb64",
        "strokes in colour, 64×64: a built-in stand-in for house numbers",
        COLOUR_64,
        Procedure::ColourStrokes,
    ),
    vectors(
        "synthetic-clusters-0",
        "a mixture of normal distributions with correlated features: a built-in stand-in for a table, class 0",
        15,
        VectorProcedure::Clusters { class: 0 },
    ),
    vectors(
        "synthetic-clusters-1",
        "a mixture of normal distributions with correlated features: a built-in stand-in for a table, class 1",
        15,
        VectorProcedure::Clusters { class: 1 },
    ),
    vectors(
        "synthetic-embeddings-0",
        "pooled random features of a mixture: a built-in stand-in for embeddings, class 0",
        64,
        VectorProcedure::Embeddings { class: 0 },
    ),
    vectors(
        "synthetic-embeddings-1",
        "pooled random features of a mixture: a built-in stand-in for embeddings, class 1",
        64,
        VectorProcedure::Embeddings { class: 1 },
    ),
    vectors(
        "synthetic-embeddings-2",
        "pooled random features of a mixture: a built-in stand-in for embeddings, class 2",
        64,
        VectorProcedure::Embeddings { class: 2 },
    ),
];

const GREY: Shape = Shape::Image([1, 28, 28]);
const COLOUR: Shape = Shape::Image([3, 32, 32]);
const COLOUR_64: Shape = Shape::Image([3, 64, 64]);

const BUILT_IN: &str = "part of Spillway (MIT OR Apache-2.0)";

/// Images that a person saves as arrays.
const fn images(
    name: &'static str,
    title: &'static str,
    licence: &'static str,
    shape: Shape,
    [train_size, test_size]: [SplitSize; 2],
    origin: &'static str,
) -> Entry {
    let source = Source::Arrays { array: "images", prefix: None, origin };
    Entry { name, title, licence, shape, train_size, test_size, source }
}

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

const fn procedural(name: &'static str, title: &'static str, shape: Shape, procedure: Procedure) -> Entry {
    Entry {
        name,
        title,
        licence: BUILT_IN,
        shape,
        train_size: SplitSize::Known(60_000),
        test_size: SplitSize::Known(10_000),
        source: Source::Procedural(procedure),
    }
}

const fn vectors(name: &'static str, title: &'static str, features: usize, procedure: VectorProcedure) -> Entry {
    Entry {
        name,
        title,
        licence: BUILT_IN,
        shape: Shape::Vector(features),
        train_size: SplitSize::Known(20_000),
        test_size: SplitSize::Known(5_000),
        source: Source::ProceduralVectors(procedure),
    }
}
