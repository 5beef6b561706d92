//! From what a flow makes of each example to scores and to the numbers that are published: no tensors, so that new scores of
//! old results need neither a GPU nor libtorch.

pub mod column;
mod error;
mod file;
mod statistics;

pub use error::StatisticsError;
pub use file::{SavedFile, WrongDigest};
pub use statistics::{Columns, FORMAT, Header, PROJECTIONS, Statistics};
