//! Placements: how many scores of the other set each score exceeds, ties counted half, in exact integers.

use super::ties::sorted;

/// Twice the placement of every score, in the order of the examples: for the out-of-distribution scores, twice the number
/// of in-distribution scores below plus the number tied; for the in-distribution ones, the same with out-of-distribution
/// scores above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placements {
    /// One per out-of-distribution score; each at most twice the number of in-distribution scores.
    pub out_twice: Vec<u64>,
    /// One per in-distribution score; each at most twice the number of out-of-distribution scores.
    pub in_twice: Vec<u64>,
}

impl Placements {
    /// Counts in O(n log n); the scores must be numbers, infinities included.
    pub fn count(in_distribution: &[f64], out_of_distribution: &[f64]) -> Self {
        let inside = sorted(in_distribution);
        let outside = sorted(out_of_distribution);
        let out_twice = out_of_distribution.iter().map(|&score| twice_below_plus_tied(score, &inside)).collect();
        let above = |&score: &f64| 2 * outside.len() as u64 - twice_below_plus_tied(score, &outside);
        Self { out_twice, in_twice: in_distribution.iter().map(above).collect() }
    }

    /// Twice the number of pairs in order, ties counted half.
    pub fn twice_wins(&self) -> u128 {
        self.out_twice.iter().map(|&twice| u128::from(twice)).sum()
    }
}

/// Twice the number of sorted `others` below `score` plus the number equal to it.
fn twice_below_plus_tied(score: f64, others: &[f64]) -> u64 {
    let below = others.partition_point(|&other| other < score);
    let not_above = below + others[below..].partition_point(|&other| other <= score);
    (below + not_above) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placements_stay_with_their_examples() {
        let placements = Placements::count(&[3.0, 1.0, 2.0], &[2.0, 9.0]);

        assert_eq!(placements.out_twice, [3, 6]);
        assert_eq!(placements.in_twice, [2, 4, 3]);
    }
}
