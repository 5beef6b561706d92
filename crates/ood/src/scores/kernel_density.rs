//! One-dimensional kernel density estimates that are fast and hold far from the data.

use super::reference::moments;
use crate::metrics::interval::quantile;

/// Bins for each bandwidth. A bin stands for its values at their mean, which changes a kernel's sum by a relative
/// ½·(1/12)·(1/BINS)²·|(d/h)² − 1| at the distance d: 10⁻⁵ near the data.
const BINS: f64 = 64.0;

/// Values at either end that are bins of their own: far outside, the outermost decide, and a bin's mean is not where they
/// are.
const OUTERMOST: usize = 16;

/// Kernels smaller than the nearest by this exponent are left out: e⁻⁴⁵ is 10⁻²⁰.
const NEGLIGIBLE: f64 = 45.0;

/// Nodes of the table for each bandwidth. Four of them interpolate with an error of 3/128·(1/NODES)⁴ times the fourth
/// derivative of the log-density, some 10⁻⁵ where `NEAR` holds.
const NODES: f64 = 16.0;

/// Most nodes of a table; data that need more are summed over for each query.
const MOST_NODES: f64 = 65_536.0;

/// The share of the data beyond either end of the table, so that outliers do not stretch it.
const BEYOND: f64 = 1e-3;

/// The table is used within so many bandwidths of a value: in wider gaps the log-density has kinks.
const NEAR: f64 = 3.0;

/// A spread below this part of the median's size is rounding in single precision rather than a spread.
const ROUNDING: f64 = 1e-6;

/// A density with Gaussian kernels of Silverman's bandwidth 0.9·min(s, IQR/1.34)·n^(−1/5) (Silverman 1986, equation 3.31).
#[derive(Debug, Clone, PartialEq)]
pub struct KernelDensity {
    /// In ascending order of their means.
    bins: Vec<Bin>,
    bandwidth: f64,
    /// log(n·h·√(2π)).
    log_normaliser: f64,
    table: Option<Table>,
}

/// Log-densities at equal steps.
#[derive(Debug, Clone, PartialEq)]
struct Table {
    start: f64,
    step: f64,
    /// NaN where no value is near.
    log_densities: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Bin {
    mean: f64,
    count: f64,
}

impl KernelDensity {
    /// Fits finite values, at least two; none where they do not spread.
    pub fn fit(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let bandwidth = bandwidth(&sorted)?;
        let count = sorted.len() as f64;
        let log_normaliser = (count * bandwidth * (2.0 * std::f64::consts::PI).sqrt()).ln();
        let bins = bins(&sorted, bandwidth / BINS);
        let mut density = Self { bins, bandwidth, log_normaliser, table: None };
        density.table = density.tabulated(&sorted);
        Some(density)
    }

    /// log q̂(x); −∞ at infinity, and what is not a number stays so. Far from all data it is the nearest kernel's.
    pub fn log_density(&self, x: f64) -> f64 {
        if x.is_nan() {
            return x;
        }
        self.table.as_ref().and_then(|table| table.log_density(x)).unwrap_or_else(|| self.summed(x))
    }

    /// Log-densities around the bulk of the data; none where they would be too many.
    fn tabulated(&self, sorted: &[f64]) -> Option<Table> {
        let step = self.bandwidth / NODES;
        let margin = NEAR * self.bandwidth;
        let start = quantile(sorted, BEYOND) - margin;
        let nodes = ((quantile(sorted, 1.0 - BEYOND) + margin - start) / step).ceil();
        if nodes > MOST_NODES {
            return None;
        }
        let log_density = |node| {
            let x = start + f64::from(node) * step;
            if self.nearest(x) <= 0.5 * NEAR * NEAR { self.summed(x) } else { f64::NAN }
        };
        Some(Table { start, step, log_densities: (0..=nodes as u32).map(log_density).collect() })
    }

    /// The kernel's exponent at the nearest bin, without its sign.
    fn nearest(&self, x: f64) -> f64 {
        let next = self.bins.partition_point(|bin| bin.mean < x);
        let neighbours = next.saturating_sub(1)..=next;
        let exponents = neighbours.filter_map(|index| self.bins.get(index)).map(|bin| self.exponent(bin, x));
        exponents.fold(f64::INFINITY, f64::min)
    }

    fn exponent(&self, bin: &Bin, x: f64) -> f64 {
        0.5 * ((x - bin.mean) / self.bandwidth).powi(2)
    }

    /// log q̂(x), summed over the kernels that count.
    fn summed(&self, x: f64) -> f64 {
        let (left, right) = self.bins.split_at(self.bins.partition_point(|bin| bin.mean < x));
        let nearest = self.nearest(x);
        if nearest == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        let kernel = |bin: &Bin| {
            let behind = self.exponent(bin, x) - nearest;
            (behind < NEGLIGIBLE).then(|| bin.count * (-behind).exp())
        };
        let sum: f64 = left.iter().rev().map_while(kernel).sum::<f64>() + right.iter().map_while(kernel).sum::<f64>();
        sum.ln() - nearest - self.log_normaliser
    }
}

impl Table {
    /// The cubic through the four nodes around x; none outside the table or far from the data.
    fn log_density(&self, x: f64) -> Option<f64> {
        let position = (x - self.start) / self.step;
        if !(position >= 1.0 && position < u32::MAX.into()) {
            return None;
        }
        let node = position as usize;
        let &[before, left, right, after] = self.log_densities.get(node - 1..node + 3)? else { return None };
        let t = position - node as f64;
        let (u, v, w) = (t + 1.0, t - 1.0, t - 2.0);
        let cubic = (u * t * v * after - before * t * v * w) / 6.0 + (left * u * v * w - right * u * t * w) / 2.0;
        (!cubic.is_nan()).then_some(cubic)
    }
}

/// Silverman's bandwidth of sorted values; none where they do not spread. Where half of the values are one, their quartiles
/// say nothing, and the standard deviation alone decides.
fn bandwidth(sorted: &[f64]) -> Option<f64> {
    let (_, deviation) = moments(sorted);
    let quartiles = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 1.34;
    let noise = ROUNDING * quantile(sorted, 0.5).abs();
    let spread = if quartiles > noise { deviation.min(quartiles) } else { deviation };
    (spread > noise && spread.is_finite()).then(|| 0.9 * spread * (sorted.len() as f64).powf(-0.2))
}

/// Joins sorted values that are at most `width` apart from the first of their bin, but for the outermost.
fn bins(sorted: &[f64], width: f64) -> Vec<Bin> {
    let edge = OUTERMOST.min(sorted.len() / 2);
    let (low, rest) = sorted.split_at(edge);
    let (inner, high) = rest.split_at(rest.len() - edge);
    let mut first = inner.first().copied().unwrap_or_default();
    let joined = inner.chunk_by(move |_, &next| {
        let same = next - first <= width;
        if !same {
            first = next;
        }
        same
    });
    let bin = |values: &[f64]| {
        let count = values.len() as f64;
        // Relative to the first, so that the mean of equal values is that value.
        let mean = values[0] + values.iter().map(|value| value - values[0]).sum::<f64>() / count;
        Bin { mean, count }
    };
    low.chunks(1).chain(joined).chain(high.chunks(1)).map(bin).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::randomness::{Purpose, Stream};

    /// Sums of three uniform values: a bell with a standard deviation of ½.
    fn bell(count: usize) -> Vec<f64> {
        let mut stream = Stream::new(Purpose::Bootstrap, 77, 0);
        (0..count).map(|_| stream.unit() + stream.unit() + stream.unit()).collect()
    }

    /// The sum over every value, by logarithms.
    fn exact(values: &[f64], bandwidth: f64, x: f64) -> f64 {
        let exponents: Vec<f64> = values.iter().map(|value| -0.5 * ((x - value) / bandwidth).powi(2)).collect();
        let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = exponents.iter().map(|exponent| (exponent - largest).exp()).sum();
        largest + sum.ln() - (values.len() as f64 * bandwidth * (2.0 * std::f64::consts::PI).sqrt()).ln()
    }

    #[test]
    fn bins_change_the_density_by_less_than_a_ten_thousandth() {
        let values = bell(5000);
        let density = KernelDensity::fit(&values).unwrap();

        assert!(density.bins.len() < 2500, "{}", density.bins.len());
        for step in -10..40 {
            let x = f64::from(step) * 0.1;
            let (found, expected) = (density.log_density(x), exact(&values, density.bandwidth, x));
            assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{x}: {found} {expected}");
        }
    }

    #[test]
    fn table_changes_the_density_by_less_than_a_ten_thousandth_also_between_clusters() {
        let mut values = bell(3000);
        values.extend(bell(500).iter().map(|value| value + 4.0));
        let density = KernelDensity::fit(&values).unwrap();

        assert!(density.table.is_some());
        for step in -200..1000 {
            let x = f64::from(step) * 0.01 + 0.003;
            let (found, expected) = (density.log_density(x), density.summed(x));
            assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{x}: {found} {expected}");
        }
    }

    #[test]
    fn far_from_the_data_the_density_falls_as_the_nearest_kernel_does() {
        let values = bell(1000);
        let density = KernelDensity::fit(&values).unwrap();

        for x in [-50.0, 1e3, 1e6] {
            let (found, expected) = (density.log_density(x), exact(&values, density.bandwidth, x));
            assert!(found.is_finite() && (found - expected).abs() < 1e-5 * expected.abs(), "{x}: {found} {expected}");
        }
        assert_eq!(density.log_density(f64::INFINITY), f64::NEG_INFINITY);
        assert!(density.log_density(f64::NAN).is_nan());
    }

    #[test]
    fn density_integrates_to_one() {
        let density = KernelDensity::fit(&bell(300)).unwrap();

        let step = 1e-3;
        let integral: f64 = (-3000..6000).map(|index| density.log_density(f64::from(index) * step).exp() * step).sum();

        assert!((integral - 1.0).abs() < 1e-6, "{integral}");
    }

    #[test]
    fn what_does_not_spread_has_no_density() {
        assert_eq!(KernelDensity::fit(&[3.0; 20]), None);
        // Rounding in single precision around ten.
        assert_eq!(KernelDensity::fit(&[10.0, 10.000_001, 10.0, 9.999_999]), None);
    }

    #[test]
    fn outliers_do_not_widen_the_kernels_and_many_equal_values_do_not_narrow_them_to_nothing() {
        let mut values = bell(1000);
        let bandwidth = KernelDensity::fit(&values).unwrap().bandwidth;
        values[0] = 1e9;
        let with_outlier = KernelDensity::fit(&values).unwrap();
        assert!(with_outlier.bandwidth < 1.2 * bandwidth, "{} {bandwidth}", with_outlier.bandwidth);

        let mut tied = vec![0.0; 80];
        tied.extend((0..20).map(f64::from));
        assert!(KernelDensity::fit(&tied).unwrap().bandwidth > 0.5);
    }

    proptest! {
        #[test]
        fn moving_and_stretching_the_axis_moves_and_stretches_the_density(
            values in proptest::collection::vec(-1.0..1.0, 20..60), scale in 0.1..10.0, shift in -5.0..5.0,
        ) {
            let map = |x: f64| scale * x + shift;
            let before = KernelDensity::fit(&values).unwrap();
            let after = KernelDensity::fit(&values.iter().map(|&x| map(x)).collect::<Vec<_>>()).unwrap();
            for x in [-2.0, -0.3, 0.4, 1.5] {
                let expected = before.log_density(x) - f64::ln(scale);
                prop_assert!((after.log_density(map(x)) - expected).abs() < 1e-3 * expected.abs().max(1.0));
            }
        }
    }
}
