//! Whole models, described by plain data and composed from layers.

pub mod realnvp;

pub use realnvp::{MaskScheme, RealNvp, RecipeError, StNetwork};

pub use crate::flow::Preprocessing;
