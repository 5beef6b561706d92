//! One metric over several training seeds.

use super::interval::{self, Interval, LEVEL};

/// The mean of a metric over seeds and how far the seeds are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OverSeeds {
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation (divided by one less than the number of seeds); none for a single seed.
    pub standard_deviation: Option<f64>,
    /// Student's t interval of the mean (Student 1908), not cut to the metric's range; none for a single seed. It covers the
    /// mean over all seeds, on the images at hand, if the seeds' values are near normal.
    pub interval: Option<Interval>,
    /// Number of seeds.
    pub count: usize,
}

/// Summarises one value for each seed; none without values. A value that is not finite makes the mean so.
#[must_use]
pub fn over_seeds(values: &[f64]) -> Option<OverSeeds> {
    let count = values.len();
    if count == 0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let standard_deviation = (count > 1).then(|| {
        let scatter: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (scatter / (count - 1) as f64).sqrt()
    });
    let interval = standard_deviation.map(|deviation| interval::student_t(mean, deviation, count, LEVEL));
    Some(OverSeeds { mean, standard_deviation, interval, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_seeds_by_hand() {
        let found = over_seeds(&[0.90, 0.92, 0.97]).unwrap();

        assert!((found.mean - 0.93).abs() < 1e-12);
        // √((0.03² + 0.01² + 0.04²)/2)
        let deviation = 0.0013_f64.sqrt();
        assert!((found.standard_deviation.unwrap() - deviation).abs() < 1e-12);
        let margin = 4.302_652_729_911_275 * deviation / 3_f64.sqrt();
        assert!((found.interval.unwrap().high - 0.93 - margin).abs() < 1e-9, "{found:?}");
        assert_eq!(found.count, 3);
    }

    #[test]
    fn one_seed_has_no_spread_and_none_has_nothing() {
        let one = over_seeds(&[0.5]).unwrap();

        assert_eq!((one.mean, one.standard_deviation, one.interval, one.count), (0.5, None, None, 1));
        assert_eq!(over_seeds(&[]), None);
    }
}
