//! Monotone rational-quadratic splines with linear tails.

use tch::{Kind, Tensor};

use super::ElementWise;
use crate::bijection::{ScaleAndShift, Transformed, sum_per_sample};

/// The smallest width and height of a bin, as a share of the whole, and the smallest slope at a knot.
const MINIMUM: f64 = 1e-3;

/// Rational-quadratic splines of `bins` bins on [-bound, bound], the identity outside (Durkan, Bekasov, Murray and
/// Papamakarios 2019, section 3.1 and appendix A.1). Of each value's `3 bins - 1` numbers the first `bins` give widths, the
/// next `bins` heights and the others the slopes at inner knots; zeros give the identity.
#[derive(Debug)]
pub struct Spline {
    bins: i64,
    bound: f64,
}

/// The bin that each value falls into: everything `[b, c, ...]`.
struct Bin {
    /// Where it begins, and how wide and high it is.
    x: Tensor,
    width: Tensor,
    y: Tensor,
    height: Tensor,
    /// The slopes at its ends.
    left: Tensor,
    right: Tensor,
}

/// Knots along the last dimension, `[b, c, ..., bins + 1]`.
struct Knots {
    x: Tensor,
    y: Tensor,
    slope: Tensor,
}

impl Spline {
    /// A spline with at least 2 bins on an interval of positive length.
    pub fn new(bins: i64, bound: f64) -> Self {
        Self { bins, bound }
    }

    /// `raw` `[b, c (3 bins - 1), ...]` to knots; channel `k` of value channel `c` is `c (3 bins - 1) + k`.
    fn knots(&self, raw: &Tensor) -> Knots {
        let per_value = 3 * self.bins - 1;
        let mut size = raw.size();
        size[1] /= per_value;
        size.insert(2, per_value);
        let numbers = raw.reshape(size.as_slice()).movedim_int(2, -1); // [b, c, ..., 3 bins - 1]
        let part = |start, length| numbers.narrow(-1, start, length);
        // softplus(x + ln(e^(1 - m) - 1)) + m is 1 at 0, so that a network that says nothing gives the identity.
        let offset = ((1.0 - MINIMUM).exp() - 1.0).ln();
        let inner = (part(2 * self.bins, self.bins - 1) + offset).softplus() + MINIMUM;
        let one = part(0, 1).ones_like();
        Knots {
            x: self.positions(&part(0, self.bins)),
            y: self.positions(&part(self.bins, self.bins)),
            slope: Tensor::cat(&[&one, &inner, &one], -1),
        }
    }

    /// Knots from -bound to bound, their distances proportional to the softmax of `numbers`.
    fn positions(&self, numbers: &Tensor) -> Tensor {
        let kind = numbers.kind();
        let shares = numbers.softmax(-1, kind) * (1.0 - MINIMUM * self.bins as f64) + MINIMUM;
        // The last knot is set rather than summed: it lies on the bound exactly.
        let sums = shares.cumsum(-1, kind).narrow(-1, 0, self.bins - 1);
        let inner = sums * (2.0 * self.bound) - self.bound;
        let end = shares.narrow(-1, 0, 1).full_like(self.bound);
        Tensor::cat(&[&-&end, &inner, &end], -1)
    }

    /// The bin of each of `values` among `along` (the knots' x going forward, their y going back).
    fn bin(&self, knots: &Knots, along: &Tensor, values: &Tensor) -> Bin {
        let inner = along.narrow(-1, 1, self.bins - 1);
        let index = values.unsqueeze(-1).ge_tensor(&inner).sum_dim_intlist(-1, true, Kind::Int64);
        let next = &index + 1;
        let at = |knots: &Tensor, index: &Tensor| knots.gather(-1, index, false).squeeze_dim(-1);
        let (x, y) = (at(&knots.x, &index), at(&knots.y, &index));
        Bin {
            width: at(&knots.x, &next) - &x,
            height: at(&knots.y, &next) - &y,
            left: at(&knots.slope, &index),
            right: at(&knots.slope, &next),
            x,
            y,
        }
    }

    /// Where the spline acts: inside its interval and where the mask says so.
    fn acts(&self, values: &Tensor, changed: Option<&Tensor>) -> Tensor {
        let inside = values.abs().le(self.bound);
        match changed {
            Some(changed) => inside.logical_and(&changed.gt(0.5)),
            None => inside,
        }
    }
}

impl Bin {
    /// The logarithm of the slope at the share `xi` of the bin (equation 5).
    fn log_slope(&self, xi: &Tensor) -> Tensor {
        let slope = &self.height / &self.width;
        let rest: Tensor = 1.0 - xi;
        let between = xi * &rest;
        let numerator: Tensor = &self.right * xi.square() + 2.0 * &slope * &between + &self.left * rest.square();
        let denominator: Tensor = &slope + (&self.left + &self.right - 2.0 * &slope) * between;
        2.0 * slope.log() + numerator.log() - 2.0 * denominator.log()
    }
}

impl ElementWise for Spline {
    fn forward(&self, x: &Tensor, raw: &Tensor, changed: Option<&Tensor>) -> Transformed {
        let acts = self.acts(x, changed);
        let knots = self.knots(raw);
        let within = x.clamp(-self.bound, self.bound);
        let bin = self.bin(&knots, &knots.x, &within);
        let xi = (within - &bin.x) / &bin.width;
        let slope = &bin.height / &bin.width;
        let rest: Tensor = 1.0 - &xi;
        let between = &xi * rest;
        let numerator = &bin.height * (&slope * xi.square() + &bin.left * &between);
        let denominator = &slope + (&bin.left + &bin.right - 2.0 * &slope) * between; // equation 4
        let bent: Tensor = &bin.y + numerator / denominator;
        let output = bent.where_self(&acts, x);
        let log_slope = bin.log_slope(&xi);
        let log_det = sum_per_sample(&log_slope.where_self(&acts, &log_slope.zeros_like()));
        Transformed { output, log_det }
    }

    fn inverse(&self, y: &Tensor, raw: &Tensor, changed: Option<&Tensor>) -> Transformed {
        let acts = self.acts(y, changed);
        let knots = self.knots(raw);
        let within = y.clamp(-self.bound, self.bound);
        let bin = self.bin(&knots, &knots.y, &within);
        let slope = &bin.height / &bin.width;
        let rise = within - &bin.y;
        let curvature = &bin.left + &bin.right - 2.0 * &slope;
        // The root of a ξ² + b ξ + c in the form that does not cancel (equations 6 to 8).
        let a = &bin.height * (&slope - &bin.left) + &rise * &curvature;
        let b = &bin.height * &bin.left - &rise * curvature;
        let c = -(&slope * rise);
        let discriminant: Tensor = b.square() - 4.0 * a * &c;
        let root = discriminant.clamp_min(0.0).sqrt();
        let xi = 2.0 * c / (-b - root);
        let bent: Tensor = &xi * &bin.width + &bin.x;
        let output = bent.where_self(&acts, y);
        let log_slope = bin.log_slope(&xi);
        let log_det = -sum_per_sample(&log_slope.where_self(&acts, &log_slope.zeros_like()));
        Transformed { output, log_det }
    }

    fn scale_and_shift(&self, _raw: &Tensor, _changed: Option<&Tensor>) -> Option<ScaleAndShift> {
        None
    }
}
