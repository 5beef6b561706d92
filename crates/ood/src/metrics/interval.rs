//! Confidence intervals.

use std::fmt;

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Level of the published intervals.
pub const LEVEL: f64 = 0.95;

/// How an interval was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalMethod {
    /// Normal interval with DeLong's variance (DeLong et al. 1988; computed as in Sun & Xu 2014), cut to `[0, 1]`, or to
    /// `[-1, 1]` for a difference.
    DeLong,
    /// Wilson's score interval (Wilson 1927) with the smaller sample's size as the number of trials: a cautious
    /// stand-in where DeLong's variance is 0 (perfect separation, all scores tied) or undefined (a sample of one).
    ///
    /// No pair of distributions with the AUROC A gives its estimate a variance above A(1 − A)/min(m, n) (Van Dantzig
    /// 1951; Birnbaum & Klose 1957), which is that of a proportion of min(m, n) trials.
    WilsonSmallerSample,
    /// Wilson's score interval (Wilson 1927) of a fraction of one set, its threshold taken as given.
    Wilson,
    /// Percentiles of stratified resamples: each set is drawn from with replacement, in its size (Efron & Tibshirani
    /// 1993, chapter 13).
    StratifiedBootstrap {
        /// Number of resamples.
        resamples: u32,
        /// The seed they are drawn with.
        seed: u64,
    },
    /// Percentiles of the difference in stratified resamples of the examples, both scores of an example drawn together.
    PairedBootstrap {
        /// Number of resamples.
        resamples: u32,
        /// The seed they are drawn with.
        seed: u64,
    },
    /// The difference of two Wilson intervals with the smaller sample's size as the number of trials (Newcombe 1998,
    /// method 10).
    NewcombeSmallerSample,
    /// Student's t interval of a mean.
    StudentT,
}

impl fmt::Display for IntervalMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeLong => formatter.write_str("delong"),
            Self::WilsonSmallerSample => formatter.write_str("wilson-smaller-sample"),
            Self::Wilson => formatter.write_str("wilson"),
            Self::StratifiedBootstrap { resamples, seed } => {
                write!(formatter, "stratified-bootstrap-{resamples}-seed-{seed}")
            }
            Self::PairedBootstrap { resamples, seed } => write!(formatter, "paired-bootstrap-{resamples}-seed-{seed}"),
            Self::NewcombeSmallerSample => formatter.write_str("newcombe-smaller-sample"),
            Self::StudentT => formatter.write_str("student-t"),
        }
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

/// DeLong's interval `estimate ± z·√variance`, cut to `low..=high`.
pub fn normal(estimate: f64, variance: f64, [low, high]: [f64; 2], level: f64) -> Interval {
    let margin = two_sided_quantile(level) * variance.sqrt();
    Interval {
        low: (estimate - margin).max(low),
        high: (estimate + margin).min(high),
        level,
        method: IntervalMethod::DeLong,
    }
}

/// Wilson's score interval for a proportion estimated from `trials` trials (Wilson 1927), under the name of the caller's
/// reason for it.
pub fn wilson(estimate: f64, trials: u64, level: f64, method: IntervalMethod) -> Interval {
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
        method,
    }
}

/// The interval of the difference `first - second` of two proportions with intervals of their own, taken as independent
/// (Newcombe 1998, method 10): too wide where they go together.
pub fn newcombe(first: (f64, Interval), second: (f64, Interval)) -> Interval {
    let ((p1, first), (p2, second)) = (first, second);
    let difference = p1 - p2;
    Interval {
        low: difference - (p1 - first.low).hypot(second.high - p2),
        high: difference + (first.high - p1).hypot(p2 - second.low),
        level: first.level,
        method: IntervalMethod::NewcombeSmallerSample,
    }
}

/// The central interval of sampled values, which are sorted; none where they are all the same and say nothing about their
/// spread.
pub fn percentile(sorted: &[f64], level: f64, method: IntervalMethod) -> Option<Interval> {
    if sorted.first()? == sorted.last()? {
        return None;
    }
    let tail = (1.0 - level) / 2.0;
    Some(Interval { low: quantile(sorted, tail), high: quantile(sorted, 1.0 - tail), level, method })
}

/// A quantile of sorted values, linear between order statistics (Hyndman & Fan 1996, definition 7).
pub fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let position = probability * (sorted.len() - 1) as f64;
    let below = position.floor();
    let (low, high) = (sorted[below as usize], sorted[position.ceil() as usize]);
    low + (position - below) * (high - low)
}

/// The interval of a mean of `count` values, at least 2, with sample standard deviation `deviation`.
pub fn student_t(mean: f64, deviation: f64, count: usize, level: f64) -> Interval {
    let freedom = (count - 1) as f64;
    let distribution = StudentsT::new(0.0, 1.0, freedom).expect("there is at least one degree of freedom");
    let margin = distribution.inverse_cdf(0.5 + level / 2.0) * deviation / (count as f64).sqrt();
    Interval { low: mean - margin, high: mean + margin, level, method: IntervalMethod::StudentT }
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
        let interval = wilson(1.0, 10, 0.95, IntervalMethod::WilsonSmallerSample);

        // 1 / (1 + z²/n), by hand.
        assert!((interval.low - 0.722_467).abs() < 1e-6, "{interval:?}");
        assert!((interval.high - 1.0).abs() < 1e-12);
    }

    #[test]
    fn normal_interval_stays_inside_its_bounds() {
        let interval = normal(0.99, 0.01, [0.0, 1.0], 0.95);

        assert_eq!(interval.high, 1.0);
        assert!((interval.low - (0.99 - 0.195_996)).abs() < 1e-6);
        assert_eq!(normal(0.0, 4.0, [-1.0, 1.0], 0.95).low, -1.0);
    }

    #[test]
    fn newcombe_interval_is_the_papers() {
        // Newcombe 1998, table II, method 10: 56/70 − 48/80 = 0.2, from 0.0524 to 0.3339.
        let wilson = |events: f64, trials: u64| {
            let share = events / trials as f64;
            (share, wilson(share, trials, 0.95, IntervalMethod::Wilson))
        };

        let interval = newcombe(wilson(56.0, 70), wilson(48.0, 80));

        assert!((interval.low - 0.0524).abs() < 5e-5 && (interval.high - 0.3339).abs() < 5e-5, "{interval:?}");
    }

    #[test]
    fn quantiles_lie_between_order_statistics() {
        let values = [1.0, 2.0, 4.0, 8.0];

        assert_eq!(quantile(&values, 0.0), 1.0);
        assert_eq!(quantile(&values, 0.5), 3.0);
        assert_eq!(quantile(&values, 1.0), 8.0);
        assert_eq!(percentile(&[3.0, 3.0], 0.95, IntervalMethod::Wilson), None);
    }

    #[test]
    fn student_t_interval_uses_the_tables_quantile() {
        // t with 2 degrees of freedom at 0.975 is 4.302652729911275; with 9, 2.262157162740992.
        for (count, quantile) in [(3_usize, 4.302_652_729_911_275), (10, 2.262_157_162_740_992)] {
            let interval = student_t(5.0, 2.0, count, 0.95);

            let margin = quantile * 2.0 / (count as f64).sqrt();
            assert!((interval.high - 5.0 - margin).abs() < 1e-8, "{interval:?}");
            assert!((5.0 - interval.low - margin).abs() < 1e-8, "{interval:?}");
        }
    }
}
