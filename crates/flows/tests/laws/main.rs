//! What must hold for every layer, mask, transform, st-network and recipe, in double precision with perturbed weights: one
//! file for each family of laws. `cargo test -p flows --test laws -- --nocapture` prints the worst errors.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests may")]

mod act_norm;
mod adam;
mod density;
mod exactness;
mod gradients;
mod matrices;
mod precision;
mod scales;
mod spline;
mod state;
mod subjects;
mod table;
mod trained;
