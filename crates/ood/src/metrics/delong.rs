//! DeLong's variance of the AUROC (DeLong, DeLong & Clarke-Pearson 1988, equations 5 and 6), from placements found by
//! sorting (Sun & Xu 2014). The sums are exact integers, so that equal components give a variance of exactly 0.

use super::placement::Placements;
use super::ties::Ties;

/// The estimated variance S₁₀/m + S₀₁/n, with S the sample variance of the structural components (the placements as
/// fractions); none when a sample has a single score.
pub fn variance(ties: &Ties) -> Option<f64> {
    let (mut out_part, mut in_part) = (Sums::default(), Sums::default());
    let (mut in_below, mut out_above) = (0, ties.out_count);
    for tie in &ties.ties {
        out_above -= tie.outside;
        out_part.add((2 * in_below + tie.inside).into(), tie.outside);
        in_part.add((2 * out_above + tie.outside).into(), tie.inside);
        in_below += tie.inside;
    }
    Some(out_part.variance_of_mean(ties.in_count)? + in_part.variance_of_mean(ties.out_count)?)
}

/// The estimated variance of the difference of two AUROCs of the same examples (DeLong et al., with the
/// contrast (1, −1)): that of the differences of the components; none when a sample has a single score.
pub fn variance_of_difference(first: &Placements, second: &Placements) -> Option<f64> {
    let (m, n) = (first.out_twice.len() as u64, first.in_twice.len() as u64);
    let out_part = differences(&first.out_twice, &second.out_twice).variance_of_mean(n)?;
    let in_part = differences(&first.in_twice, &second.in_twice).variance_of_mean(m)?;
    Some(out_part + in_part)
}

fn differences(first: &[u64], second: &[u64]) -> Sums {
    let mut sums = Sums::default();
    for (&first, &second) in first.iter().zip(second) {
        sums.add(i128::from(first) - i128::from(second), 1);
    }
    sums
}

/// Count, sum and sum of squares of integers.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    count: i128,
    sum: i128,
    of_squares: i128,
}

impl Sums {
    fn add(&mut self, value: i128, times: u64) {
        let times = i128::from(times);
        self.count += times;
        self.sum += times * value;
        self.of_squares += times * value * value;
    }

    /// The variance of the mean of components that are these integers divided by `2 * others`.
    fn variance_of_mean(self, others: u64) -> Option<f64> {
        if self.count < 2 {
            return None;
        }
        let scatter = self.count * self.of_squares - self.sum * self.sum;
        let unit = 2.0 * others as f64;
        Some(scatter as f64 / ((self.count * self.count * (self.count - 1)) as f64 * unit * unit))
    }
}
