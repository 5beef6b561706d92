//! Counter-based randomness: a key names the purpose, a stream the position, so nothing depends on what was drawn
//! before.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// Changes whenever the same key would give other values: then results of older versions cannot be continued.
const DOMAIN: &str = "spillway datasets 1";

/// The key of a family of streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// Derives a key from what the numbers are for and the parts that they depend on. Parts are length-prefixed, so
    /// that no two lists of parts give one key.
    pub fn new(purpose: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in [DOMAIN.as_bytes(), purpose.as_bytes()].iter().chain(parts) {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The generator of one stream, at its beginning.
    pub fn stream(self, stream: u64) -> Stream {
        let mut generator = ChaCha8Rng::from_seed(self.0);
        generator.set_stream(stream);
        Stream { generator }
    }
}

/// A generator at some position of its stream.
pub struct Stream {
    generator: ChaCha8Rng,
}

impl Stream {
    /// Uniform in `[0, 1)`, on the grid of multiples of 2⁻²⁴ (all of which are exact in `f32`).
    pub fn unit(&mut self) -> f32 {
        const STEP: f32 = 1.0 / (1 << 24) as f32;
        (self.generator.next_u32() >> 8) as f32 * STEP
    }

    /// Appends `count` values uniform in `[0, 1)`.
    pub fn append_units(&mut self, values: &mut Vec<f32>, count: usize) {
        values.extend((0..count).map(|_| self.unit()));
    }

    /// Uniform in `low..high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Uniform in `0..bound`, without bias (Lemire 2019, algorithm 5).
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "an empty range has no element to draw");
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.generator.next_u32()) * u64::from(bound);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    /// A uniform byte.
    pub fn byte(&mut self) -> u8 {
        (self.generator.next_u32() >> 24) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_key_and_stream_give_the_same_values() {
        let draw = || {
            let mut values = Vec::new();
            Key::new("test", &[b"a"]).stream(7).append_units(&mut values, 100);
            values
        };

        assert_eq!(draw(), draw());
        assert!(draw().iter().all(|&value| (0.0..1.0).contains(&value)));
    }

    #[test]
    fn purposes_parts_and_streams_are_independent() {
        let first = |key: Key, stream| key.stream(stream).unit();

        let base = first(Key::new("test", &[b"ab", b"c"]), 0);
        assert_ne!(base, first(Key::new("test", &[b"a", b"bc"]), 0));
        assert_ne!(base, first(Key::new("other", &[b"ab", b"c"]), 0));
        assert_ne!(base, first(Key::new("test", &[b"ab", b"c"]), 1));
    }

    #[test]
    fn bounded_draws_are_uniform() {
        let mut stream = Key::new("test", &[]).stream(0);
        let mut counts = [0_u32; 6];

        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }

        // Six standard deviations of a binomial count with mean 10,000.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 550), "{counts:?}");
    }
}
