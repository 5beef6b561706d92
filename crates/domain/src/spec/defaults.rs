//! What an absent field means, in one place for sweep files, stored documents and the wire.

use super::{PartName, ScoreName};

/// Batch normalisation is on.
#[must_use]
pub const fn batch_norm() -> bool {
    true
}

/// Skip connections are on.
#[must_use]
pub const fn skip() -> bool {
    true
}

/// L2 decay of the weight-normalisation gains: the reference's 5e-5.
#[must_use]
pub const fn weight_decay() -> f64 {
    5e-5
}

/// Largest global gradient norm: the reference's 100.
#[must_use]
pub const fn gradient_clip_norm() -> Option<f64> {
    Some(100.0)
}

/// Adam's decay of the first moment.
#[must_use]
pub const fn beta1() -> f64 {
    0.9
}

/// Adam's decay of the second moment.
#[must_use]
pub const fn beta2() -> f64 {
    0.999
}

/// RMSprop's decay of the squared gradient's mean.
#[must_use]
pub const fn alpha() -> f64 {
    0.99
}

/// What both optimisers add to their denominator.
#[must_use]
pub const fn epsilon() -> f64 {
    1e-8
}

/// Every score.
#[must_use]
pub fn scores() -> Vec<ScoreName> {
    ScoreName::ALL.to_vec()
}

/// The first images of each test split.
#[must_use]
pub fn inspected_images() -> Vec<u32> {
    (0..8).collect()
}

/// Dequantisation draws of an averaged latent: the reference's 40.
#[must_use]
pub const fn inspection_draws() -> u32 {
    40
}

/// Sampled images: the reference's grid of 3 by 3.
#[must_use]
pub const fn inspection_samples() -> u32 {
    9
}

/// Every kind of picture.
#[must_use]
pub fn inspection_parts() -> Vec<PartName> {
    PartName::ALL.to_vec()
}
