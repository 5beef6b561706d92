//! Normalizing flows built from coupling layers: small bijections, the networks that condition them, and flows composed of
//! them as [`architecture`] describes. Knows tensors and nothing of data sets, training loops or jobs.

pub mod arithmetic;
pub mod base;
pub mod bijection;
pub mod conditioners;
pub mod flow;
pub mod init;
pub mod layers;
pub mod masks;
pub mod memory_order;
pub mod parameters;

pub use architecture;
pub use arithmetic::Arithmetic;
pub use bijection::{Bijection, Mode, ScaleAndShift, Transformed};
pub use flow::{BuildError, Flow, LogLikelihood, bits_per_dimension};
pub use memory_order::MemoryOrder;
