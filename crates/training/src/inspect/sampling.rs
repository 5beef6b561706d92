//! Latents drawn from the base density by the counter-based generator, so that a sample depends on the seed and its number alone.

use std::f64::consts::TAU;

use domain::Digest;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Changes whenever the same seed would give other samples.
const PURPOSE: &str = "spillway inspection samples 1";

/// `count` latents of `dimensions` values each, z ~ N(0, I), one after another.
pub fn standard_normal(seed: u64, count: u32, dimensions: usize) -> Vec<f32> {
    let key = Digest::of(format!("{PURPOSE} {seed}").as_bytes());
    let mut values = Vec::with_capacity(count as usize * dimensions);
    for sample in 0..count {
        let mut generator = ChaCha8Rng::from_seed(*key.as_bytes());
        generator.set_stream(u64::from(sample));
        let pairs = std::iter::repeat_with(|| pair(&mut generator)).flatten();
        values.extend(pairs.take(dimensions));
    }
    values
}

/// Two independent normal numbers (Box and Muller 1958).
fn pair(generator: &mut ChaCha8Rng) -> [f32; 2] {
    const STEPS: f64 = (1_u64 << 53) as f64;
    let mut unit = || (generator.next_u64() >> 11) as f64 / STEPS;
    // 1 - u lies in (0, 1]: the logarithm of 0 is none.
    let radius = (-2.0 * (1.0 - unit()).ln()).sqrt();
    let (sine, cosine) = (TAU * unit()).sin_cos();
    [(radius * cosine) as f32, (radius * sine) as f32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_depend_on_seed_and_number_alone() {
        let nine = standard_normal(7, 9, 5);

        assert_eq!(standard_normal(7, 3, 5), nine[..15]);
        assert_ne!(standard_normal(8, 3, 5), nine[..15]);
        assert_ne!(nine[..5], nine[5..10]);
    }

    #[test]
    fn values_are_standard_normal() {
        let values = standard_normal(1, 20, 5000);

        let mean = |power: i32| values.iter().map(|&value| f64::from(value).powi(power)).sum::<f64>() / 1e5;
        // Six standard errors of each moment.
        assert!(mean(1).abs() < 0.019 && (mean(2) - 1.0).abs() < 0.027 && (mean(4) - 3.0).abs() < 0.19);
    }
}
