//! The distribution of the latents: a standard normal, evaluated without its (identity) covariance matrix.

use std::f64::consts::TAU;

use tch::Tensor;

use crate::bijection::sum_per_sample;

/// `log N(z; 0, I)` of each row of `z` `[b, d]` in nats, `[b]`.
pub fn standard_normal_log_density(z: &Tensor) -> Tensor {
    let dimensions = z.size()[1] as f64;
    sum_per_sample(&z.square()) * -0.5 - 0.5 * dimensions * TAU.ln()
}
