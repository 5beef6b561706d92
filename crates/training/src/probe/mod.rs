//! Scores for which a trained flow must run again over some of the examples: how its parameters would have to change for an example
//! (gradients), and how it stretches space around one (Jacobians). `docs/scores-opt-in.md` has formulas, costs and caveats.

mod gradients;
mod jacobian;
mod run;
mod sample;
#[cfg(test)]
mod tests;

pub use run::{ProbeOutcome, ProbeRequest, ProbedScore, probe};
