//! Placements: how many scores of the other set each score exceeds, ties counted half, in exact integers.

use crate::randomness::size;

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
        let (inside, outside) = (ordered(in_distribution), ordered(out_of_distribution));
        let mut placements = Self { out_twice: vec![0; outside.len()], in_twice: vec![0; inside.len()] };
        let (mut in_rest, mut out_rest) = (&inside[..], &outside[..]);
        let mut in_below = 0;
        while let Some(first) = least(in_rest, out_rest) {
            let (in_tied, in_above) = split(in_rest, first);
            let (out_tied, out_above) = split(out_rest, first);
            for &(_, example) in out_tied {
                placements.out_twice[example as usize] = (2 * in_below + in_tied.len()) as u64;
            }
            for &(_, example) in in_tied {
                placements.in_twice[example as usize] = (2 * out_above.len() + out_tied.len()) as u64;
            }
            in_below += in_tied.len();
            (in_rest, out_rest) = (in_above, out_above);
        }
        placements
    }

    /// Twice the number of pairs in order, ties counted half.
    pub fn twice_wins(&self) -> u128 {
        self.out_twice.iter().map(|&twice| u128::from(twice)).sum()
    }
}

/// A score and the index of its example.
type Ordered = (f64, u32);

/// The scores in ascending order. The total order puts −0 before +0; they compare equal below, so that they tie.
fn ordered(scores: &[f64]) -> Vec<Ordered> {
    let mut ordered: Vec<Ordered> = scores.iter().copied().zip(0..size(scores.len())).collect();
    ordered.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    ordered
}

/// The least score of both.
fn least(inside: &[Ordered], outside: &[Ordered]) -> Option<f64> {
    let firsts = inside.first().into_iter().chain(outside.first());
    firsts.map(|&(score, _)| score).reduce(f64::min)
}

/// The scores that are equal to the least, and the others.
fn split(ordered: &[Ordered], least: f64) -> (&[Ordered], &[Ordered]) {
    let tied = ordered.iter().take_while(|(score, _)| *score == least).count();
    ordered.split_at(tied)
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
