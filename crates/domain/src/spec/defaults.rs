//! What an absent field means, in one place for sweep files, stored documents and the wire.

use super::{Codec, PartName, ScoreChoice, ScoreName};

/// Examples of each side over which an opt-in score runs the flow again.
pub const SUBSAMPLE: u32 = 1000;
/// The same of the local dimension, for which each example costs as many passes as it has dimensions.
pub const LOCAL_DIMENSION_SUBSAMPLE: u32 = 100;
/// Most dimensions of examples whose local dimension is measured: 28 × 28 pixels fit, 32 × 32 × 3 would take hours.
pub const MAX_LOCAL_DIMENSIONS: u32 = 1024;

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

/// Coupling layers of a single-scale stack (Kirichenko et al. 2020, section 7) and of a tabular model.
#[must_use]
pub const fn couplings() -> u32 {
    8
}

/// Scales of a Glow: the reference's constructor.
#[must_use]
pub const fn glow_scales() -> u32 {
    2
}

/// Steps of each scale of a Glow: the reference's constructor.
#[must_use]
pub const fn glow_steps() -> u32 {
    8
}

/// Half of the channels leave after each scale.
#[must_use]
pub const fn multi_scale() -> bool {
    true
}

/// The frame of a centre mask, in pixels: the reference's 4.
#[must_use]
pub const fn centre_margin() -> u32 {
    4
}

/// Bins of a spline (Durkan, Bekasov, Murray and Papamakarios 2019, section 5.1).
#[must_use]
pub const fn spline_bins() -> u32 {
    8
}

/// Half the interval on which splines act: dequantised pixels end at 2.94 after the logit layer.
#[must_use]
pub const fn spline_bound() -> f64 {
    3.0
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

/// What every optimiser adds to its denominator.
#[must_use]
pub const fn epsilon() -> f64 {
    1e-8
}

/// The factor of the learning rate at the end of a cosine.
#[must_use]
pub const fn final_fraction() -> f64 {
    0.0
}

/// A batch is computed in one part.
#[must_use]
pub const fn accumulate() -> u32 {
    1
}

/// Most restarts of a diverging run.
#[must_use]
pub const fn restarts_at_most() -> u32 {
    3
}

/// What a restart multiplies the learning rate by.
#[must_use]
pub const fn restart_learning_rate_factor() -> f64 {
    0.5
}

/// Steps between two states that a diverging run may go back to.
#[must_use]
pub const fn restart_checkpoint_steps() -> u32 {
    500
}

/// Whether a document may leave a choice out.
pub(super) fn is_default<T: Default + PartialEq>(choice: &T) -> bool {
    *choice == T::default()
}

/// Whether a document may leave a number of parts or draws out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
pub(super) fn is_one(number: &u32) -> bool {
    *number == 1
}

/// Dequantisation draws per image: the reference's 1.
#[must_use]
pub const fn noise_draws() -> u32 {
    1
}

/// Every score that follows from one forward pass, in table order; what does not fit an experiment is left out there.
#[must_use]
pub fn scores() -> Vec<ScoreChoice> {
    let one = |name: ScoreName| ScoreChoice::One(name);
    let simple = [ScoreName::LogLikelihood, ScoreName::LatentDensity, ScoreName::LogDeterminant, ScoreName::LatentNorm];
    let typicality = [1, 2, 5, 10, 25].map(|group| ScoreName::Typicality { group });
    let complexity = Codec::ALL.map(ScoreName::Complexity);
    let latent_ks = [5, 10, 25].map(|group| ScoreName::LatentKs { group });
    let before = simple.into_iter().chain(typicality).chain(complexity).map(one);
    let after = [ScoreName::Dose].into_iter().chain(latent_ks).chain([ScoreName::ComplexityGmm]).map(one);
    before.chain([ScoreChoice::PerScale]).chain(after).collect()
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
