//! Metrics: from scores to one published number with its interval. One file each.

pub mod auroc;
pub mod bits_per_dimension;
pub mod bootstrap;
mod delong;
pub mod interval;
pub mod operating_point;
pub mod paired;
pub mod paired_t;
mod placement;
mod precision_recall;
pub mod roc;
pub mod seeds;
pub mod separation;
mod ties;
