//! Two sets of scores as one sorted list of ties: the one sort from which every metric is computed.

use super::auroc::AurocError;

/// Equal scores, counted on each side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tie {
    /// The score; −0 and +0 are one.
    pub score: f64,
    /// In-distribution examples that have it.
    pub inside: u64,
    /// Out-of-distribution examples that have it.
    pub outside: u64,
}

/// Every distinct score with its counts, in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub struct Ties {
    /// In ascending order of their scores.
    pub ties: Vec<Tie>,
    /// Number of in-distribution scores, at least 1.
    pub in_count: u64,
    /// Number of out-of-distribution scores, at least 1.
    pub out_count: u64,
}

impl Ties {
    /// Sorts both sets and counts, in O(n log n); infinities are the extremes.
    ///
    /// # Errors
    /// [`AurocError`] when a set is empty or has scores that are not numbers.
    pub fn count(in_distribution: &[f64], out_of_distribution: &[f64]) -> Result<Self, AurocError> {
        check(in_distribution, out_of_distribution)?;
        let (inside, outside) = (sorted(in_distribution), sorted(out_of_distribution));
        let mut ties = Vec::new();
        let (mut next_in, mut next_out) = (0, 0);
        loop {
            let score = match (inside.get(next_in), outside.get(next_out)) {
                (Some(&within), Some(&out)) => within.min(out),
                (Some(&score), None) | (None, Some(&score)) => score,
                (None, None) => break,
            };
            let (first_in, first_out) = (next_in, next_out);
            while inside.get(next_in).is_some_and(|&other| other == score) {
                next_in += 1;
            }
            while outside.get(next_out).is_some_and(|&other| other == score) {
                next_out += 1;
            }
            ties.push(Tie { score, inside: (next_in - first_in) as u64, outside: (next_out - first_out) as u64 });
        }
        Ok(Self { ties, in_count: inside.len() as u64, out_count: outside.len() as u64 })
    }

    /// Twice the number of pairs that are in order, ties counted half: 2·Σ ([s_out > s_in] + ½ [s_out = s_in]).
    pub fn twice_wins(&self) -> u128 {
        let mut below = 0;
        let mut twice = 0_u128;
        for tie in &self.ties {
            twice += u128::from(tie.outside) * u128::from(2 * below + tie.inside);
            below += tie.inside;
        }
        twice
    }

    /// P(s_out > s_in) + ½ P(s_out = s_in).
    pub fn auroc(&self) -> f64 {
        self.twice_wins() as f64 / (2 * u128::from(self.in_count) * u128::from(self.out_count)) as f64
    }
}

/// Refuses what has no rank.
///
/// # Errors
/// [`AurocError`] when a set is empty or has scores that are not numbers.
pub fn check(in_distribution: &[f64], out_of_distribution: &[f64]) -> Result<(), AurocError> {
    let (in_count, out_count) = (in_distribution.len(), out_of_distribution.len());
    if in_count == 0 || out_count == 0 {
        return Err(AurocError::Empty { in_count, out_count });
    }
    let not_numbers = |scores: &[f64]| scores.iter().filter(|score| score.is_nan()).count();
    let (in_broken, out_broken) = (not_numbers(in_distribution), not_numbers(out_of_distribution));
    if in_broken + out_broken > 0 {
        return Err(AurocError::NotNumbers { in_count: in_broken, out_count: out_broken });
    }
    Ok(())
}

/// A sorted copy. The total order puts −0 before +0; they compare equal, so that they tie.
fn sorted(scores: &[f64]) -> Vec<f64> {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_are_one_tie_with_both_counts() {
        let infinity = f64::INFINITY;

        let ties = Ties::count(&[2.0, 0.0, 2.0, infinity], &[-0.0, 3.0, infinity, -infinity]).unwrap();

        let tie = |score, inside, outside| Tie { score, inside, outside };
        let expected = [tie(-infinity, 0, 1), tie(0.0, 1, 1), tie(2.0, 2, 0), tie(3.0, 0, 1), tie(infinity, 1, 1)];
        assert_eq!(ties.ties, expected);
        assert_eq!((ties.in_count, ties.out_count), (4, 4));
        // Pairs won: −∞ none; 0 ties one; 3 beats three; ∞ beats three and ties one.
        assert_eq!(ties.twice_wins(), 1 + 6 + 7);
    }
}
