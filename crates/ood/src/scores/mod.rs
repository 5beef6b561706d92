//! Scores: from per-image statistics to one number per image, higher for more out-of-distribution. One file each.

pub mod log_likelihood;
