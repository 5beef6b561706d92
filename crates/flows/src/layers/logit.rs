//! The logit layer: from pixels in [0, 1] to the real line, kept off the ends of the interval.

use tch::Tensor;

use crate::bijection::{Bijection, Mode, Transformed, sum_per_sample};

/// How much of the unit interval is used: `p` lies in [0.05, 0.95].
const CONTRAST: f64 = 0.9;
/// The smallest `p`.
const MARGIN: f64 = 0.5 * (1.0 - CONTRAST);

/// `y -> log p - log (1 - p)` with `p = 0.05 + 0.9 y` (reference section 2.2, without its quirks).
///
/// `log |det| = sum (-log p - log (1 - p) + log 0.9)`.
#[derive(Debug)]
pub struct Logit;

impl Bijection for Logit {
    fn forward(&self, x: &Tensor, _mode: Mode) -> Transformed {
        // The reference's order of operations: its single-precision values to the bit, and so on the same side of the
        // kinks of every ReLU behind.
        let p: Tensor = ((x * 2.0 - 1.0) * CONTRAST + 1.0) / 2.0;
        let q: Tensor = 1.0 - &p;
        let (log_p, log_q) = (p.log(), q.log());
        let log_det = dimensions_of(x) * CONTRAST.ln() - sum_per_sample(&(&log_p + &log_q));
        Transformed { output: log_p - log_q, log_det }
    }

    fn inverse(&self, z: &Tensor, _mode: Mode) -> Transformed {
        // log sigmoid keeps its precision in both tails, where p (1 - p) would round to zero.
        let log_density = z.log_sigmoid() + (-z).log_sigmoid();
        let log_det = sum_per_sample(&log_density) - dimensions_of(z) * CONTRAST.ln();
        Transformed { output: (z.sigmoid() - MARGIN) / CONTRAST, log_det }
    }
}

fn dimensions_of(x: &Tensor) -> f64 {
    x.size()[1..].iter().product::<i64>() as f64
}
