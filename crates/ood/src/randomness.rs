//! Counter-based randomness: a purpose and a seed name a generator, an index names its stream, so that nothing depends on
//! what was drawn before and the same call gives the same numbers on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What numbers are drawn for. The numbers behind the names are part of every published result: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Which examples form a group.
    Groups = 1,
    /// Stratified resampling of both sets of scores.
    Bootstrap = 2,
    /// Resampling of the same examples under two scores.
    PairedBootstrap = 3,
    /// First centres of a mixture, and which examples it is fitted to.
    Mixture = 4,
    /// Resampling of groups for an acceptance region.
    Typicality = 5,
}

/// A generator at some position of its stream.
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream `index` of the generator for `purpose` and `seed`, at its beginning.
    pub fn new(purpose: Purpose, seed: u64, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&(purpose as u64).to_le_bytes());
        key[8..16].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(index);
        Self(generator)
    }

    /// Uniform in `0..bound`, without bias (Lemire 2019, algorithm 5).
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "an empty range has no element to draw");
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.0.next_u32()) * u64::from(bound);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    /// Uniform in `[0, 1)`, on the grid of multiples of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.0.next_u64() >> 11) as f64 * STEP
    }

    /// The numbers below `count` in random order (Fisher and Yates).
    pub fn permutation(&mut self, count: usize) -> Vec<u32> {
        let length = size(count);
        let mut order: Vec<u32> = (0..length).collect();
        for last in (1..length).rev() {
            order.swap(last as usize, self.below(last + 1) as usize);
        }
        order
    }
}

/// A number of examples, as drawn from.
///
/// # Panics
/// With more than 2³² − 1 examples, which no caller has the memory for.
pub fn size(count: usize) -> u32 {
    u32::try_from(count).expect("a set of scores has less than 2^32 of them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_name_gives_the_same_numbers_and_another_gives_others() {
        let numbers = |purpose, seed, index| {
            let mut stream = Stream::new(purpose, seed, index);
            [stream.below(1 << 30), stream.below(1 << 30)]
        };

        assert_eq!(numbers(Purpose::Groups, 1, 0), numbers(Purpose::Groups, 1, 0));
        assert_ne!(numbers(Purpose::Groups, 1, 0), numbers(Purpose::Groups, 2, 0));
        assert_ne!(numbers(Purpose::Groups, 1, 0), numbers(Purpose::Groups, 1, 1));
        assert_ne!(numbers(Purpose::Groups, 1, 0), numbers(Purpose::Bootstrap, 1, 0));
    }

    #[test]
    fn every_number_below_the_bound_is_drawn_about_equally_often() {
        let mut stream = Stream::new(Purpose::Bootstrap, 3, 0);
        let mut counts = [0_i32; 7];
        for _ in 0..70_000 {
            counts[stream.below(7) as usize] += 1;
        }

        assert!(counts.iter().all(|count| (count - 10_000).abs() < 500), "{counts:?}");
    }

    #[test]
    fn permutation_holds_every_number_once() {
        let mut order = Stream::new(Purpose::Groups, 9, 0).permutation(1000);
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();

        assert_eq!(order, (0..1000).collect::<Vec<_>>());
        assert_eq!(Stream::new(Purpose::Groups, 9, 0).permutation(0), [0_u32; 0]);
    }
}
