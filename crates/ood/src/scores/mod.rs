//! Scores: from per-image statistics to one number per image, higher for more out-of-distribution. One file each.

pub mod complexity_gmm;
pub mod dose;
mod gaussian_mixture;
pub mod gradient_norm;
pub mod groups;
pub mod input_complexity;
mod kernel_density;
pub mod latent_density;
pub mod latent_ks;
pub mod latent_norm;
pub mod likelihood_ratio;
pub mod local_dimension;
pub mod log_likelihood;
pub mod per_scale;
pub mod reference;
pub mod score_test;
pub mod typicality;
pub mod waic;
