//! The fixed random directions on which latents are projected.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::statistics::PROJECTIONS;

/// Keys the directions: all flows of equal dimensions have the same ones, so that their projections compare.
const SEED: u64 = 0x5350_494c_4c57_4159;

/// [`PROJECTIONS`] directions of unit length, `[64, dimensions]` row by row: normal draws (Box and Muller 1958), normalised.
#[must_use]
pub fn directions(dimensions: usize) -> Vec<f64> {
    let mut generator = ChaCha8Rng::seed_from_u64(SEED);
    let mut all = Vec::with_capacity(PROJECTIONS * dimensions);
    for _ in 0..PROJECTIONS {
        let mut direction: Vec<f64> = (0..dimensions).map(|_| normal(&mut generator)).collect();
        let length = direction.iter().map(|value| value * value).sum::<f64>().sqrt();
        direction.iter_mut().for_each(|value| *value /= length);
        all.append(&mut direction);
    }
    all
}

fn normal(generator: &mut ChaCha8Rng) -> f64 {
    let mut unit = || (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    // In (0, 1]: its logarithm is finite.
    let radius = (-2.0 * (1.0 - unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_of_unit_length_and_almost_orthogonal() {
        let dimensions = 784;

        let all = directions(dimensions);

        let rows: Vec<&[f64]> = all.chunks(dimensions).collect();
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        assert_eq!(rows.len(), PROJECTIONS);
        for (index, row) in rows.iter().enumerate() {
            assert!((product(row, row) - 1.0).abs() < 1e-12);
            assert!(rows[..index].iter().all(|other| product(row, other).abs() < 0.2));
        }
        assert_eq!(all, directions(dimensions));
    }

    #[test]
    fn one_dimension_has_its_two_directions() {
        let all = directions(1);

        assert!(all.iter().all(|value| value.abs() == 1.0));
        assert!(all.contains(&1.0) && all.contains(&-1.0));
    }
}
