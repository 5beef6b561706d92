//! The bijections that flows are made of, one file each.

pub mod act_norm;
pub mod coupling;
pub mod haar;
pub mod logit;
pub mod multiscale;
pub mod pointwise;
pub mod split_prior;
pub mod squeeze;
pub mod tiled;

pub use act_norm::ActNorm;
pub use coupling::Coupling;
pub use haar::HaarSqueeze;
pub use logit::Logit;
pub use multiscale::{MultiScale, Stage};
pub use pointwise::PointwiseConvolution;
pub use split_prior::LearnedPrior;
pub use squeeze::Squeeze;
pub use tiled::Tiled;
