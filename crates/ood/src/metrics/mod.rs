//! Metrics: from scores to one published number with its interval. One file each.

pub mod auroc;
pub mod bits_per_dimension;
mod delong;
pub mod interval;
pub mod paired_t;
mod placement;
