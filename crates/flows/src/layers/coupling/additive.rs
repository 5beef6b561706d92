//! The additive map of NICE.

use tch::Tensor;

use super::ElementWise;
use crate::bijection::{ScaleAndShift, Transformed, zero_log_det};

/// `y = x + t`, `log |det| = 0` (Dinh, Krueger and Bengio 2015, equation 8).
#[derive(Debug)]
pub struct Additive;

fn masked(raw: &Tensor, changed: Option<&Tensor>) -> Tensor {
    changed.map_or_else(|| raw.shallow_clone(), |changed| raw * changed)
}

impl ElementWise for Additive {
    fn forward(&self, x: &Tensor, raw: &Tensor, changed: Option<&Tensor>) -> Transformed {
        Transformed { output: x + masked(raw, changed), log_det: zero_log_det(x) }
    }

    fn inverse(&self, y: &Tensor, raw: &Tensor, changed: Option<&Tensor>) -> Transformed {
        Transformed { output: y - masked(raw, changed), log_det: zero_log_det(y) }
    }

    fn scale_and_shift(&self, raw: &Tensor, changed: Option<&Tensor>) -> Option<ScaleAndShift> {
        let shift = masked(raw, changed);
        Some(ScaleAndShift { log_scale: shift.zeros_like(), shift })
    }
}
