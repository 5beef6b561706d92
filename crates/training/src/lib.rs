//! One training run: from a specification to trained weights.

pub mod optimiser;
