//! The rules of Spillway: what a sweep is, how it expands, how a job moves from claim to result.
//!
//! Pure code only: no async, no clock, no I/O, no ambient randomness. Time comes in as a value, and the outside world is
//! told what to do through returned effects.

pub mod digest;
pub mod dispatch;
pub mod explanation;
pub mod figure;
pub mod fleet;
pub mod ids;
pub mod job;
pub mod lease;
pub mod preemption;
pub mod report;
pub mod score_jobs;
pub mod spec;
pub mod stopping;
pub mod sweep;
pub mod timestamp;

pub use digest::Digest;
pub use ids::{Epoch, ExperimentId, JobId, SessionId, SweepId};
pub use timestamp::Timestamp;
