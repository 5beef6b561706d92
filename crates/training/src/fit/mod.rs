//! Training of one experiment, from its start or from a checkpoint.
//!
//! `run` goes through the steps and reports; `batches` says what each step sees, `objective` what it minimises,
//! `accumulation` how a batch becomes gradients in parts, `guard` what happens when training diverges, `validation` how the
//! flow is judged on the way.

mod accumulation;
mod batches;
mod ends;
mod guard;
mod likelihood;
mod objective;
mod optimiser;
mod request;
mod run;
mod validation;

pub use guard::Restart;
pub use request::{FitEnd, FitOutcome, FitRequest};
pub use run::fit;
