//! What reports and pictures are made of: read from the coordinator in bounded pieces, and drawn.

mod choice;
mod drawing;
mod examples;
mod sweep;

pub use self::{
    choice::{MAX_SEEDS, MAX_VARIANTS, choose},
    drawing::{Measure, auroc_by_variant, likelihoods, roc_by_score, roc_by_variant, training},
    examples::Examples,
    sweep::{Aurocs, Evidence, Numbers},
};
