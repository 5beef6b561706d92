//! Confidence intervals of a probability.

use std::fmt;

use statrs::distribution::{ContinuousCDF, Normal};

/// How an interval was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalMethod {
    /// Normal interval with DeLong's variance (DeLong et al. 1988; computed as in Sun & Xu 2014), cut to `[0, 1]`.
    DeLong,
    /// Wilson's score interval (Wilson 1927) with the smaller sample's size as the number of trials: a cautious
    /// stand-in where DeLong's variance is 0 (perfect separation, all scores tied) or undefined (a sample of one).
    WilsonSmallerSample,
}

impl fmt::Display for IntervalMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::DeLong => "delong",
            Self::WilsonSmallerSample => "wilson-smaller-sample",
        })
    }
}

/// A two-sided confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Probability with which intervals made this way cover the true value, such as 0.95.
    pub level: f64,
    /// How it was computed.
    pub method: IntervalMethod,
}

/// The normal interval `estimate ± z·√variance`, cut to `[0, 1]`.
pub fn normal(estimate: f64, variance: f64, level: f64) -> Interval {
    let margin = two_sided_quantile(level) * variance.sqrt();
    Interval {
        low: (estimate - margin).max(0.0),
        high: (estimate + margin).min(1.0),
        level,
        method: IntervalMethod::DeLong,
    }
}

/// Wilson's score interval for a proportion estimated from `trials` trials (Wilson 1927).
pub fn wilson(estimate: f64, trials: usize, level: f64) -> Interval {
    let z = two_sided_quantile(level);
    let n = trials as f64;
    let denominator = 1.0 + z * z / n;
    let centre = (estimate + z * z / (2.0 * n)) / denominator;
    let margin = z / denominator * (estimate * (1.0 - estimate) / n + z * z / (4.0 * n * n)).sqrt();
    Interval {
        // At an estimate of 0 or 1 the formula's end is that value itself; rounding must not push it past.
        low: (centre - margin).clamp(0.0, estimate),
        high: (centre + margin).clamp(estimate, 1.0),
        level,
        method: IntervalMethod::WilsonSmallerSample,
    }
}

fn two_sided_quantile(level: f64) -> f64 {
    Normal::standard().inverse_cdf(0.5 + level / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_of_95_percent_is_the_tables() {
        assert!((two_sided_quantile(0.95) - 1.959_963_984_540_054).abs() < 1e-9);
    }

    #[test]
    fn wilson_interval_of_ten_out_of_ten() {
        let interval = wilson(1.0, 10, 0.95);

        // 1 / (1 + z²/n), by hand.
        assert!((interval.low - 0.722_467).abs() < 1e-6, "{interval:?}");
        assert!((interval.high - 1.0).abs() < 1e-12);
    }

    #[test]
    fn normal_interval_stays_inside_the_unit_interval() {
        let interval = normal(0.99, 0.01, 0.95);

        assert_eq!(interval.high, 1.0);
        assert!((interval.low - (0.99 - 0.195_996)).abs() < 1e-6);
    }
}
