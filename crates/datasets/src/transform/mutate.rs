//! Replaces pixel values at random, the same ones in every pass (Ren et al. 2019, section 3: backgrounds without their meaning).

use crate::examples::Split;
use crate::randomness::Key;

/// Shares are given in so many parts.
const PER_MILLE: u32 = 1000;

/// Replaces values of the images of one dataset and split.
#[derive(Debug, Clone, Copy)]
pub struct Mutation {
    key: Key,
    per_mille: u32,
}

impl Mutation {
    /// The mutation of a share of the values of a dataset, by its name up to and with this step.
    pub fn new(dataset: &str, split: Split, per_mille: u32) -> Self {
        Self { key: Key::new("mutate", &[dataset.as_bytes(), split.as_str().as_bytes()]), per_mille }
    }

    /// Replaces each value with the share's probability by a uniform level, which may be the one that it has.
    pub fn apply(self, index: u64, pixels: &mut [u8]) {
        let mut stream = self.key.stream(index);
        for pixel in pixels {
            if stream.below(PER_MILLE) < self.per_mille {
                *pixel = stream.byte();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_the_given_share_changes_to_uniform_levels() {
        for per_mille in [1, 100, 200, 900, 1000] {
            let mutation = Mutation::new("a|mutate", Split::Train, per_mille);
            let (mut counts, mut changed) = ([0_u32; 256], 0_u32);
            for index in 0..200 {
                let mut pixels = [7; 1000];
                mutation.apply(index, &mut pixels);
                pixels.iter().filter(|&&pixel| pixel != 7).for_each(|&pixel| {
                    counts[usize::from(pixel)] += 1;
                    changed += 1;
                });
            }

            // One level in 256 stays what it is. Six standard deviations of the binomial counts.
            let expected = 200_000.0 * f64::from(per_mille) / 1000.0 * 255.0 / 256.0;
            assert!((f64::from(changed) - expected).abs() < 6.0 * expected.sqrt(), "{per_mille}: {changed}");
            let of_each = f64::from(changed) / 255.0;
            let near = |&count: &u32| (f64::from(count) - of_each).abs() < 6.0 * of_each.sqrt().max(1.0);
            assert!(counts.iter().enumerate().all(|(level, count)| level == 7 || near(count)), "{per_mille}");
        }
    }

    #[test]
    fn same_dataset_split_and_index_change_in_the_same_way() {
        let mutated = |dataset, split, index| {
            let mut pixels = [0; 64];
            Mutation::new(dataset, split, 500).apply(index, &mut pixels);
            pixels
        };

        let one = mutated("a", Split::Train, 3);
        assert_eq!(one, mutated("a", Split::Train, 3));
        assert_ne!(one, mutated("b", Split::Train, 3));
        assert_ne!(one, mutated("a", Split::Test, 3));
        assert_ne!(one, mutated("a", Split::Train, 4));
    }
}
