//! Batches in a deterministic order, made ahead of time by one thread.

pub mod evaluation;
pub mod order;
pub mod plan;
mod prefetch;
pub mod training;
