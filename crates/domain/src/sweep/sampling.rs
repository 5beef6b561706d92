//! Seeded draws of distinct grid points.

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws `draws` distinct numbers below `points`, in drawing order; the same ones for the same seed, on every machine.
///
/// `draws` must not exceed `points`.
pub(super) fn distinct(points: u64, draws: u32, seed: u64) -> Vec<u64> {
    assert!(u64::from(draws) <= points, "more draws than points never end");
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = BTreeSet::new();
    let mut drawn = Vec::new();
    while drawn.len() < draws as usize {
        let candidate = below(points, &mut generator);
        if seen.insert(candidate) {
            drawn.push(candidate);
        }
    }
    drawn
}

/// A uniform number below `bound`, by rejection, so that no value is favoured.
fn below(bound: u64, generator: &mut ChaCha8Rng) -> u64 {
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let candidate = generator.next_u64();
        if candidate < limit {
            return candidate % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawing_every_point_gives_each_once() {
        let mut drawn = distinct(20, 20, 7);

        drawn.sort_unstable();
        assert_eq!(drawn, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn the_seed_alone_decides_the_draw() {
        assert_eq!(distinct(1000, 5, 1), distinct(1000, 5, 1));
        assert_ne!(distinct(1000, 5, 1), distinct(1000, 5, 2));
    }
}
