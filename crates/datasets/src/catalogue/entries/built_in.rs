//! Datasets that need no file.

use super::{COLOUR, COLOUR_64, GREY};
use crate::catalogue::entry::Entry;
use crate::catalogue::source::{Source, SplitSize};
use crate::examples::Shape;
use crate::synthetic::{Procedure, VectorProcedure};

const BUILT_IN: &str = "part of Spillway (MIT OR Apache-2.0)";

pub const SYNTHETIC_SHAPES: Entry = procedural(
    "synthetic-shapes",
    "filled, shaded and textured silhouettes: a built-in stand-in for Fashion-MNIST",
    GREY,
    Procedure::Shapes,
);

pub const SYNTHETIC_STROKES: Entry = procedural(
    "synthetic-strokes",
    "thin bright strokes on black: a built-in stand-in for MNIST",
    GREY,
    Procedure::Strokes,
);

pub const UNIFORM_NOISE: Entry =
    procedural("uniform-noise", "every pixel uniform and independent", GREY, Procedure::UniformNoise);

pub const CONSTANT: Entry = procedural("constant", "one grey level for the whole image", GREY, Procedure::Constant);

pub const SYNTHETIC_SHAPES_RGB: Entry = procedural(
    "synthetic-shapes-rgb",
    "silhouettes in colour: a built-in stand-in for colour pictures",
    COLOUR,
    Procedure::ColourShapes,
);

pub const SYNTHETIC_STROKES_RGB: Entry = procedural(
    "synthetic-strokes-rgb",
    "strokes in colour: a built-in stand-in for house numbers",
    COLOUR,
    Procedure::ColourStrokes,
);

pub const SYNTHETIC_SHAPES_RGB64: Entry = procedural(
    "synthetic-shapes-rgb64",
    "silhouettes in colour, 64×64: a built-in stand-in for colour pictures",
    COLOUR_64,
    Procedure::ColourShapes,
);

pub const SYNTHETIC_STROKES_RGB64: Entry = procedural(
    "synthetic-strokes-rgb64",
    "strokes in colour, 64×64: a built-in stand-in for house numbers",
    COLOUR_64,
    Procedure::ColourStrokes,
);

pub const SYNTHETIC_CLUSTERS_0: Entry = vectors(
    "synthetic-clusters-0",
    "a mixture of normal distributions with correlated features: a built-in stand-in for a table, class 0",
    15,
    VectorProcedure::Clusters { class: 0 },
);

pub const SYNTHETIC_CLUSTERS_1: Entry = vectors(
    "synthetic-clusters-1",
    "a mixture of normal distributions with correlated features: a built-in stand-in for a table, class 1",
    15,
    VectorProcedure::Clusters { class: 1 },
);

pub const SYNTHETIC_EMBEDDINGS_0: Entry = vectors(
    "synthetic-embeddings-0",
    "pooled random features of a mixture: a built-in stand-in for embeddings, class 0",
    64,
    VectorProcedure::Embeddings { class: 0 },
);

pub const SYNTHETIC_EMBEDDINGS_1: Entry = vectors(
    "synthetic-embeddings-1",
    "pooled random features of a mixture: a built-in stand-in for embeddings, class 1",
    64,
    VectorProcedure::Embeddings { class: 1 },
);

pub const SYNTHETIC_EMBEDDINGS_2: Entry = vectors(
    "synthetic-embeddings-2",
    "pooled random features of a mixture: a built-in stand-in for embeddings, class 2",
    64,
    VectorProcedure::Embeddings { class: 2 },
);

pub const GAUSSIAN_NOISE: Entry = procedural(
    "gaussian-noise",
    "every pixel normal about 127.5 with deviation 63.75, rounded and cut to 0..=255",
    GREY,
    Procedure::GaussianNoise,
);

pub const UNIFORM_NOISE_RGB: Entry =
    procedural("uniform-noise-rgb", "every value uniform and independent", COLOUR, Procedure::UniformNoise);

pub const GAUSSIAN_NOISE_RGB: Entry = procedural(
    "gaussian-noise-rgb",
    "every value normal about 127.5 with deviation 63.75, rounded and cut to 0..=255",
    COLOUR,
    Procedure::GaussianNoise,
);

pub const CONSTANT_RGB: Entry =
    procedural("constant-rgb", "one colour for the whole image", COLOUR, Procedure::Constant);

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
