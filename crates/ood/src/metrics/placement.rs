//! Placements: how many scores of the other set each score exceeds, ties counted half, in exact integers.

/// Twice the placement of every score: for the out-of-distribution scores, twice the number of in-distribution scores
/// below plus the number tied; for the in-distribution ones, the same with out-of-distribution scores above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placements {
    /// One per out-of-distribution score, in sorted order; each at most twice the number of in-distribution scores.
    pub out_twice: Vec<u64>,
    /// One per in-distribution score, in sorted order; each at most twice the number of out-of-distribution scores.
    pub in_twice: Vec<u64>,
}

impl Placements {
    /// Counts in O(n log n); the scores must be numbers, infinities included.
    pub fn count(in_distribution: &[f64], out_of_distribution: &[f64]) -> Self {
        let inside = sorted(in_distribution);
        let outside = sorted(out_of_distribution);
        let out_twice = twice_below_plus_tied(&outside, &inside);
        let in_twice = twice_below_plus_tied(&inside, &outside)
            .into_iter()
            .map(|twice| 2 * outside.len() as u64 - twice)
            .collect();
        Self { out_twice, in_twice }
    }
}

fn sorted(scores: &[f64]) -> Vec<f64> {
    let mut sorted = scores.to_vec();
    // The total order puts −0 before +0; they compare equal below, so that they tie.
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// For each of `scores`, twice the number of `others` below it plus the number equal to it; both are sorted.
fn twice_below_plus_tied(scores: &[f64], others: &[f64]) -> Vec<u64> {
    let (mut below, mut not_above) = (0, 0);
    let count = |score: &f64| {
        while others.get(below).is_some_and(|other| other < score) {
            below += 1;
        }
        while others.get(not_above).is_some_and(|other| other <= score) {
            not_above += 1;
        }
        (below + not_above) as u64
    };
    scores.iter().map(count).collect()
}
