//! The ROC curve and a band around it.

use super::auroc::AurocError;
use super::bootstrap::Resampling;
use super::interval::{self, Interval, IntervalMethod, LEVEL};
use super::ties::Ties;

/// One threshold: scores from it on are flagged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// The threshold; infinite at the curve's beginning, where nothing is flagged.
    pub threshold: f64,
    /// False positive rate: the fraction of in-distribution examples flagged.
    pub fpr: f64,
    /// True positive rate: the fraction of out-of-distribution examples flagged.
    pub tpr: f64,
}

/// The curve: a point for each distinct score, from (0, 0) to (1, 1), as scikit-learn's `roc_curve` without dropping any.
/// Straight lines join them: a tie of both classes is a slope, which chance within the tie would reach.
#[derive(Debug, Clone, PartialEq)]
pub struct RocCurve {
    /// In descending order of thresholds.
    pub points: Vec<RocPoint>,
}

/// Computes the ROC curve, out-of-distribution positive.
///
/// # Errors
/// [`AurocError`] when a set is empty or has scores that are not numbers.
pub fn roc_curve(in_distribution: &[f64], out_of_distribution: &[f64]) -> Result<RocCurve, AurocError> {
    let ties = Ties::count(in_distribution, out_of_distribution)?;
    let (mut inside, mut outside) = (0, 0);
    let mut points = vec![RocPoint { threshold: f64::INFINITY, fpr: 0.0, tpr: 0.0 }];
    points.extend(ties.ties.iter().rev().map(|tie| {
        inside += tie.inside;
        outside += tie.outside;
        RocPoint {
            threshold: tie.score,
            fpr: inside as f64 / ties.in_count as f64,
            tpr: outside as f64 / ties.out_count as f64,
        }
    }));
    Ok(RocCurve { points })
}

impl RocCurve {
    /// The points where the curve turns: the same line with fewer points, for drawing. A point goes only when its
    /// neighbours are straight above, below or beside it.
    #[must_use]
    pub fn corners(&self) -> Vec<RocPoint> {
        let straight = |before: &RocPoint, point: &RocPoint, after: &RocPoint| {
            (before.fpr == point.fpr && point.fpr == after.fpr) || (before.tpr == point.tpr && point.tpr == after.tpr)
        };
        let inner = self.points.windows(3).filter(|three| !straight(&three[0], &three[1], &three[2]));
        let ends = [self.points.first(), self.points.last()];
        let mut corners: Vec<RocPoint> = ends[0].into_iter().copied().collect();
        corners.extend(inner.map(|three| three[1]));
        corners.extend(ends[1].copied());
        corners
    }
}

/// The curve's height over one false positive rate, with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BandPoint {
    /// The false positive rate.
    pub fpr: f64,
    /// The true positive rate: the highest at this false positive rate.
    pub tpr: f64,
    /// Its interval, for this false positive rate alone: the band is pointwise, not simultaneous.
    pub interval: Interval,
}

/// A pointwise 95 % band by vertical averaging (Macskassy & Provost 2004): percentiles of the heights of
/// stratified resamples' curves over a fixed grid of false positive rates.
///
/// Where all resamples have one height (perfect separation) it is Wilson's interval of that fraction of the
/// out-of-distribution set. The grid has `steps` equal steps, at least one, from 0 to 1; at 1 the height is 1.
///
/// # Errors
/// [`AurocError`] when a set is empty or has scores that are not numbers.
pub fn roc_band(
    in_distribution: &[f64],
    out_of_distribution: &[f64],
    steps: u32,
    resamples: u32,
    seed: u64,
) -> Result<Vec<BandPoint>, AurocError> {
    let ties = Ties::count(in_distribution, out_of_distribution)?;
    let (steps, resamples) = (steps.max(1), resamples.max(1));
    let mut resampling = Resampling::of(&ties, seed);
    let mut sampled = vec![Vec::with_capacity(resamples as usize); steps as usize + 1];
    for index in 0..resamples {
        for (sampled, height) in sampled.iter_mut().zip(heights(resampling.draw(index), steps)) {
            sampled.push(height);
        }
    }
    let method = IntervalMethod::StratifiedBootstrap { resamples, seed };
    let band = heights(&ties, steps).into_iter().zip(sampled).enumerate().map(|(step, (tpr, mut sampled))| {
        sampled.sort_unstable_by(f64::total_cmp);
        let fallback = || match step == steps as usize {
            true => Interval { low: 1.0, high: 1.0, level: LEVEL, method },
            false => interval::wilson(tpr, ties.out_count, LEVEL, IntervalMethod::Wilson),
        };
        let interval = interval::percentile(&sampled, LEVEL, method).unwrap_or_else(fallback);
        BandPoint { fpr: step as f64 / f64::from(steps), tpr, interval }
    });
    Ok(band.collect())
}

/// The heights of the curve over the rates 0, 1/steps, …, 1: the highest where it is vertical.
fn heights(ties: &Ties, steps: u32) -> Vec<f64> {
    let mut heights = Vec::with_capacity(steps as usize + 1);
    let (mut inside, mut outside) = (0_u64, 0_u64);
    for tie in ties.ties.iter().rev() {
        let (next_inside, next_outside) = (inside + tie.inside, outside + tie.outside);
        // A rate is passed when the curve goes on to the right of it.
        while position(heights.len(), ties.in_count) < u128::from(next_inside) * u128::from(steps) {
            let ahead = heights.len() as f64 / f64::from(steps) * ties.in_count as f64 - inside as f64;
            let share = ahead / tie.inside as f64;
            heights.push((outside as f64 + share * tie.outside as f64) / ties.out_count as f64);
        }
        (inside, outside) = (next_inside, next_outside);
    }
    heights.resize(steps as usize + 1, 1.0);
    heights
}

/// A rate's place among the in-distribution examples, times the number of steps.
fn position(step: usize, in_count: u64) -> u128 {
    step as u128 * u128::from(in_count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auroc;

    #[test]
    fn curve_has_a_point_for_each_distinct_score() {
        let curve = roc_curve(&[1.0, 2.0], &[2.0, 3.0]).unwrap();

        let point = |threshold, fpr, tpr| RocPoint { threshold, fpr, tpr };
        let expected =
            [point(f64::INFINITY, 0.0, 0.0), point(3.0, 0.0, 0.5), point(2.0, 0.5, 1.0), point(1.0, 1.0, 1.0)];
        assert_eq!(curve.points, expected);
    }

    #[test]
    fn corners_keep_the_line() {
        let curve = roc_curve(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]).unwrap();

        let corners: Vec<[f64; 2]> = curve.corners().iter().map(|point| [point.fpr, point.tpr]).collect();

        assert_eq!(corners, [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]);
    }

    #[test]
    fn heights_are_the_highest_of_a_vertical_and_on_the_line_of_a_slope() {
        // Up to (0, ½), then a slope to (½, 1), then right.
        let ties = Ties::count(&[1.0, 2.0], &[2.0, 3.0]).unwrap();

        assert_eq!(heights(&ties, 4), [0.5, 0.75, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn band_holds_the_curve_and_the_seed_fixes_it() {
        let inside: Vec<f64> = (0..200).map(|index| f64::from(index) / 200.0).collect();
        let outside: Vec<f64> = (0..100).map(|index| f64::from(index) / 100.0 + 0.4).collect();

        let band = roc_band(&inside, &outside, 20, 1000, 5).unwrap();

        assert_eq!(band.len(), 21);
        for point in &band {
            assert!(point.interval.low <= point.tpr && point.tpr <= point.interval.high, "{point:?}");
        }
        // At a rate of 0.2 about 60 % are caught; the interval is at least as wide as that of a fraction of 100.
        let width = band[4].interval.high - band[4].interval.low;
        assert!(width > 0.15 && width < 0.45, "{width}");
        assert_eq!(band, roc_band(&inside, &outside, 20, 1000, 5).unwrap());
    }

    #[test]
    fn band_of_perfect_separation_has_a_width() {
        let band = roc_band(&[1.0, 2.0], &[3.0, 4.0, 5.0], 2, 1000, 5).unwrap();

        assert!(band[0].tpr == 1.0 && band[0].interval.low < 0.5, "{band:?}");
        assert_eq!(band[2].interval.low, 1.0);
    }

    proptest! {
        #[test]
        fn area_under_the_curve_is_the_auroc(
            inside in proptest::collection::vec(-5_i32..5, 1..40),
            outside in proptest::collection::vec(-5_i32..5, 1..40),
        ) {
            let [inside, outside] = [inside, outside].map(|scores| scores.into_iter().map(f64::from).collect::<Vec<_>>());
            let curve = roc_curve(&inside, &outside).unwrap();
            let area = |points: &[RocPoint]| -> f64 {
                points.windows(2).map(|two| (two[1].fpr - two[0].fpr) * f64::midpoint(two[0].tpr, two[1].tpr)).sum()
            };
            let expected = auroc(&inside, &outside).unwrap().value;
            prop_assert!((area(&curve.points) - expected).abs() < 1e-12);
            prop_assert!((area(&curve.corners()) - expected).abs() < 1e-12);
        }
    }
}
