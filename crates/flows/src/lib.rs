//! Normalizing flows built from coupling layers: small bijections, the networks that condition them, and recipes that
//! only compose. Knows tensors and nothing of data sets, training loops or jobs.

pub mod base;
pub mod bijection;
pub mod conditioners;
pub mod flow;
pub mod flows_ood;
pub mod init;
pub mod layers;
pub mod masks;
pub mod parameters;
pub mod recipes;

pub use bijection::{Bijection, Mode, Transformed};
pub use flow::{Flow, LogLikelihood, bits_per_dimension};
