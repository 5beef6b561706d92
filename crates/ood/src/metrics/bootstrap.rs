//! Intervals of every metric by stratified resampling: each set is drawn from with replacement, in its own size.

use super::auroc::{AurocError, wilson_smaller_sample};
use super::interval::{self, Interval, IntervalMethod, LEVEL};
use super::separation::{SeparationMetric, values};
use super::ties::Ties;
use crate::randomness::{Purpose, Stream, size};

/// The number of resamples where nobody asks for another: the ends of a 95 % interval are then the 25th value from either
/// end, which itself has a standard error of a seventh of the interval's half width.
pub const DEFAULT_RESAMPLES: u32 = 1000;

/// The metrics of resampled scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    estimates: [f64; 9],
    /// The sorted values of each metric.
    samples: [Vec<f64>; 9],
    in_count: u64,
    out_count: u64,
    method: IntervalMethod,
}

/// Resamples both sets `resamples` times, at least once; the same seed gives the same intervals. It takes
/// O(resamples · n).
///
/// # Errors
/// [`AurocError`] when a set is empty or has scores that are not numbers.
pub fn bootstrap(
    in_distribution: &[f64],
    out_of_distribution: &[f64],
    resamples: u32,
    seed: u64,
) -> Result<Bootstrap, AurocError> {
    let ties = Ties::count(in_distribution, out_of_distribution)?;
    let resamples = resamples.max(1);
    let mut samples: [Vec<f64>; 9] = std::array::from_fn(|_| Vec::with_capacity(resamples as usize));
    let mut resampling = Resampling::of(&ties, seed);
    for index in 0..resamples {
        let sampled = values(resampling.draw(index));
        for (samples, value) in samples.iter_mut().zip(sampled) {
            samples.push(value);
        }
    }
    for samples in &mut samples {
        samples.sort_unstable_by(f64::total_cmp);
    }
    let method = IntervalMethod::StratifiedBootstrap { resamples, seed };
    Ok(Bootstrap { estimates: values(&ties), samples, in_count: ties.in_count, out_count: ties.out_count, method })
}

/// The percentile interval of the AUROC over stratified resamples.
///
/// Where all resamples have one AUROC (perfect separation, all scores tied) they say nothing about its spread: every
/// resample of perfectly separated scores is perfectly separated. The interval is then Wilson's with the smaller sample's
/// size, as [`IntervalMethod::WilsonSmallerSample`] explains, and says so.
///
/// # Errors
/// [`AurocError`] when a set is empty or has scores that are not numbers.
pub fn bootstrap_auroc(
    in_distribution: &[f64],
    out_of_distribution: &[f64],
    resamples: u32,
    seed: u64,
) -> Result<Interval, AurocError> {
    let ties = Ties::count(in_distribution, out_of_distribution)?;
    let resamples = resamples.max(1);
    let mut resampling = Resampling::of(&ties, seed);
    let mut samples: Vec<f64> = (0..resamples).map(|index| resampling.draw(index).auroc()).collect();
    samples.sort_unstable_by(f64::total_cmp);
    let method = IntervalMethod::StratifiedBootstrap { resamples, seed };
    let fallback = || wilson_smaller_sample(ties.auroc(), ties.in_count, ties.out_count);
    Ok(interval::percentile(&samples, LEVEL, method).unwrap_or_else(fallback))
}

impl Bootstrap {
    /// The interval of a metric.
    ///
    /// Where all resamples agree: Wilson's, of the fraction (error rates of one class, whose threshold is then taken as
    /// given) or with the smaller sample's size (AUROC, detection errors); none for areas under the precision-recall curve,
    /// for which nothing as plain is known.
    #[must_use]
    pub fn interval(&self, metric: SeparationMetric) -> Option<Interval> {
        let position = SeparationMetric::ALL.iter().position(|&other| other == metric)?;
        let estimate = self.estimates[position];
        let wilson = |trials| interval::wilson(estimate, trials, LEVEL, IntervalMethod::Wilson);
        interval::percentile(&self.samples[position], LEVEL, self.method).or_else(|| match metric {
            SeparationMetric::FprInAt95Out => Some(wilson(self.in_count)),
            SeparationMetric::FprOutAt95In => Some(wilson(self.out_count)),
            SeparationMetric::Auroc | SeparationMetric::DetectionError | SeparationMetric::DetectionErrorAt95In => {
                Some(wilson_smaller_sample(estimate, self.in_count, self.out_count))
            }
            SeparationMetric::AuprOut | SeparationMetric::AuprIn | SeparationMetric::ApOut | SeparationMetric::ApIn => {
                None
            }
        })
    }
}

/// Draws resamples of sorted scores: only their counts change.
pub struct Resampling {
    resample: Ties,
    /// For each in-distribution score, in sorted order, the index of its tie.
    inside: Vec<u32>,
    /// The same for the out-of-distribution scores.
    outside: Vec<u32>,
    seed: u64,
}

impl Resampling {
    /// Draws from the scores of `ties`.
    pub fn of(ties: &Ties, seed: u64) -> Self {
        let positions = |count: fn(&super::ties::Tie) -> u64| -> Vec<u32> {
            let repeated = |(index, tie)| std::iter::repeat_n(size(index), count(tie) as usize);
            ties.ties.iter().enumerate().flat_map(repeated).collect()
        };
        Self {
            resample: ties.clone(),
            inside: positions(|tie| tie.inside),
            outside: positions(|tie| tie.outside),
            seed,
        }
    }

    /// The resample with this number; some of its ties may be empty.
    pub fn draw(&mut self, index: u32) -> &Ties {
        for tie in &mut self.resample.ties {
            (tie.inside, tie.outside) = (0, 0);
        }
        let mut stream = Stream::new(Purpose::Bootstrap, self.seed, index.into());
        let in_count = size(self.inside.len());
        for _ in 0..in_count {
            self.resample.ties[self.inside[stream.below(in_count) as usize] as usize].inside += 1;
        }
        let out_count = size(self.outside.len());
        for _ in 0..out_count {
            self.resample.ties[self.outside[stream.below(out_count) as usize] as usize].outside += 1;
        }
        &self.resample
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auroc, separation};

    /// Two overlapping uniform samples.
    fn overlapping() -> (Vec<f64>, Vec<f64>) {
        let inside = (0..400).map(|index| f64::from(index) / 400.0).collect();
        let outside = (0..300).map(|index| f64::from(index) / 300.0 + 0.3).collect();
        (inside, outside)
    }

    #[test]
    fn interval_of_the_auroc_agrees_with_delongs() {
        let (inside, outside) = overlapping();

        let resampled = bootstrap_auroc(&inside, &outside, 2000, 7).unwrap();

        let delong = auroc(&inside, &outside).unwrap().interval;
        assert!((resampled.low - delong.low).abs() < 0.006, "{resampled:?} {delong:?}");
        assert!((resampled.high - delong.high).abs() < 0.006, "{resampled:?} {delong:?}");
        assert_eq!(resampled.method.to_string(), "stratified-bootstrap-2000-seed-7");
    }

    #[test]
    fn every_interval_holds_its_estimate_and_the_seed_fixes_it() {
        let (inside, outside) = overlapping();
        let found = separation(&inside, &outside).unwrap();

        let first = bootstrap(&inside, &outside, 1000, 1).unwrap();

        for metric in SeparationMetric::ALL {
            let interval = first.interval(metric).unwrap();
            let value = found.value(metric);
            assert!(interval.low < value && value < interval.high, "{metric}: {value} {interval:?}");
        }
        assert_eq!(first, bootstrap(&inside, &outside, 1000, 1).unwrap());
        assert_ne!(first, bootstrap(&inside, &outside, 1000, 2).unwrap());
        let alone = bootstrap_auroc(&inside, &outside, 1000, 1).unwrap();
        assert_eq!(first.interval(SeparationMetric::Auroc), Some(alone));
    }

    #[test]
    fn resamples_of_perfect_separation_say_nothing_and_are_not_believed() {
        let (inside, outside) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0]);

        let alone = bootstrap_auroc(&inside, &outside, 1000, 1).unwrap();
        let all = bootstrap(&inside, &outside, 1000, 1).unwrap();

        assert_eq!(alone.method, IntervalMethod::WilsonSmallerSample);
        assert!(alone.low < 0.5 && alone.high == 1.0, "{alone:?}");
        assert_eq!(all.interval(SeparationMetric::Auroc), Some(alone));
        let accepted = all.interval(SeparationMetric::FprOutAt95In).unwrap();
        assert!(
            accepted.low == 0.0 && accepted.high > 0.5 && accepted.method == IntervalMethod::Wilson,
            "{accepted:?}"
        );
        assert_eq!(all.interval(SeparationMetric::AuprOut), None);
    }
}
