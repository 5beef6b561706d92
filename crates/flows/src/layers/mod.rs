//! The bijections that flows are made of, one file each.

pub mod coupling;
pub mod logit;
pub mod multiscale;
pub mod squeeze;

pub use coupling::Coupling;
pub use logit::Logit;
pub use multiscale::{MultiScale, Stage};
pub use squeeze::Squeeze;
