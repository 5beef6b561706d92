//! Whether one score, or one model, separates the same examples better than another.

use std::fmt;

use statrs::function::erf::erfc;
use thiserror::Error;

use super::auroc::{AurocError, wilson_smaller_sample};
use super::delong;
use super::interval::{self, Interval, IntervalMethod, LEVEL};
use super::placement::Placements;
use super::ties::{Ties, check};
use crate::randomness::{Purpose, Stream, size};

/// Resamples of the fallback, and the seed they are drawn with.
const RESAMPLES: u32 = 2000;
const SEED: u64 = 0;

/// The scores of one model or of one way to score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores<'a> {
    /// Of the in-distribution examples.
    pub inside: &'a [f64],
    /// Of the out-of-distribution examples.
    pub outside: &'a [f64],
}

/// Why two scores cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PairedError {
    /// They are not of the same examples: a paired test needs both scores of each.
    #[error(
        "a paired test needs both scores of the same examples: there are {} and {} in-distribution, {} and {} out-of-distribution",
        first[0], second[0], first[1], second[1]
    )]
    Unpaired {
        /// Numbers of in-distribution and of out-of-distribution scores of the first.
        first: [usize; 2],
        /// The same of the second.
        second: [usize; 2],
    },
    /// The first has no AUROC.
    #[error("the first scores: {0}")]
    First(AurocError),
    /// The second has no AUROC.
    #[error("the second scores: {0}")]
    Second(AurocError),
}

/// How a paired test was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairedMethod {
    /// The normal test with DeLong's covariance of both AUROCs (DeLong et al. 1988; computed as in Sun & Xu 2014).
    DeLong,
    /// Stratified resampling of examples with both their scores, where DeLong's variance of the difference is 0 or undefined
    /// and the AUROCs differ.
    Bootstrap {
        /// Number of resamples.
        resamples: u32,
        /// The seed they are drawn with.
        seed: u64,
    },
    /// The test of two proportions with the smaller sample's size as the number of trials, where the examples say nothing
    /// about the variance: two AUROCs of 1, say. The largest variance that distributions with these AUROCs can have stands
    /// in for the unknown one, and the two are taken as independent: cautious.
    BoundedVariance,
}

impl fmt::Display for PairedMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeLong => formatter.write_str("paired-delong"),
            Self::Bootstrap { resamples, seed } => write!(formatter, "paired-bootstrap-{resamples}-seed-{seed}"),
            Self::BoundedVariance => formatter.write_str("bounded-variance"),
        }
    }
}

/// The difference of two AUROCs of the same examples.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedTest {
    /// The AUROC of the first scores.
    pub first: f64,
    /// The AUROC of the second.
    pub second: f64,
    /// First minus second.
    pub difference: f64,
    /// Its 95 % interval, over images.
    pub interval: Interval,
    /// The difference in standard errors; none where the method has none.
    pub z: Option<f64>,
    /// Two-sided: how probable a difference at least this large is between scores that separate equally well.
    pub p: f64,
    /// How `p` was computed.
    pub method: PairedMethod,
    /// Number of in-distribution examples.
    pub in_count: usize,
    /// Number of out-of-distribution examples.
    pub out_count: usize,
}

/// Tests whether two scores of the same examples, given in the same order, have the same AUROC, in O(n log n).
///
/// # Errors
/// [`PairedError`] when they have other numbers of examples, or one of them has no AUROC.
pub fn delong_test(first: Scores<'_>, second: Scores<'_>) -> Result<PairedTest, PairedError> {
    let lengths = |scores: Scores<'_>| [scores.inside.len(), scores.outside.len()];
    if lengths(first) != lengths(second) {
        return Err(PairedError::Unpaired { first: lengths(first), second: lengths(second) });
    }
    check(first.inside, first.outside).map_err(PairedError::First)?;
    check(second.inside, second.outside).map_err(PairedError::Second)?;

    let placements = [first, second].map(|scores| Placements::count(scores.inside, scores.outside));
    let [in_count, out_count] = lengths(first);
    let variance = delong::variance_of_difference(&placements[0], &placements[1]);
    let twice = placements.each_ref().map(Placements::twice_wins);
    let pairs = 2 * in_count as u128 * out_count as u128;
    let aurocs = twice.map(|twice| twice as f64 / pairs as f64);
    // From the integers, so that equal AUROCs differ by exactly 0.
    let difference = (twice[0] as i128 - twice[1] as i128) as f64 / pairs as f64;
    let (interval, z, p, method) = match variance {
        Some(variance) if variance > 0.0 => {
            let z = difference / variance.sqrt();
            let interval = interval::normal(difference, variance, [-1.0, 1.0], LEVEL);
            (interval, Some(z), two_sided(z), PairedMethod::DeLong)
        }
        _ => match (difference != 0.0).then(|| resampled(first, second)).flatten() {
            Some((interval, p)) => (interval, None, p, PairedMethod::Bootstrap { resamples: RESAMPLES, seed: SEED }),
            None => {
                let (interval, z) = bounded(aurocs, in_count as u64, out_count as u64);
                (interval, Some(z), two_sided(z), PairedMethod::BoundedVariance)
            }
        },
    };
    Ok(PairedTest { first: aurocs[0], second: aurocs[1], difference, interval, z, p, method, in_count, out_count })
}

/// The probability of a standard normal value at least as far from 0.
fn two_sided(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The percentile interval of the difference, and twice the smaller share of resamples on either side of 0; none where all
/// resamples agree.
fn resampled(first: Scores<'_>, second: Scores<'_>) -> Option<(Interval, f64)> {
    let (in_count, out_count) = (size(first.inside.len()), size(first.outside.len()));
    let mut differences: Vec<f64> = (0..RESAMPLES)
        .map(|index| {
            let mut stream = Stream::new(Purpose::PairedBootstrap, SEED, index.into());
            let mut draw = |count| -> Vec<u32> { (0..count).map(|_| stream.below(count)).collect() };
            let (inside, outside) = (draw(in_count), draw(out_count));
            let auroc = |scores: Scores<'_>| {
                let pick = |scores: &[f64], drawn: &[u32]| -> Vec<f64> {
                    drawn.iter().map(|&index| scores[index as usize]).collect()
                };
                let ties = Ties::count(&pick(scores.inside, &inside), &pick(scores.outside, &outside));
                ties.expect("the scores were checked").auroc()
            };
            auroc(first) - auroc(second)
        })
        .collect();
    differences.sort_unstable_by(f64::total_cmp);
    let method = IntervalMethod::PairedBootstrap { resamples: RESAMPLES, seed: SEED };
    let interval = interval::percentile(&differences, LEVEL, method)?;
    let not_above = differences.iter().filter(|&&difference| difference <= 0.0).count();
    let not_below = differences.iter().filter(|&&difference| difference >= 0.0).count();
    // One more on either side: a finite number of resamples never proves that something is impossible.
    let p = 2.0 * (1 + not_above.min(not_below)) as f64 / f64::from(RESAMPLES + 1);
    Some((interval, p.min(1.0)))
}

/// Newcombe's interval and the score test of two proportions.
fn bounded(aurocs: [f64; 2], in_count: u64, out_count: u64) -> (Interval, f64) {
    let [first, second] = aurocs.map(|auroc| (auroc, wilson_smaller_sample(auroc, in_count, out_count)));
    let pooled = f64::midpoint(aurocs[0], aurocs[1]);
    let variance = 2.0 * pooled * (1.0 - pooled) / in_count.min(out_count) as f64;
    let z = if variance > 0.0 { (aurocs[0] - aurocs[1]) / variance.sqrt() } else { 0.0 };
    (interval::newcombe(first, second), z)
}
