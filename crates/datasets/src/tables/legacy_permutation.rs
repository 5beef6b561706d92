//! The permutation of NumPy's legacy generator, which scikit-learn's `train_test_split` follows.

use rand_mt::Mt;

/// `numpy.random.RandomState(seed).permutation(len)`: MT19937 (Matsumoto and Nishimura 1998) seeded by one word, and a
/// Fisher-Yates shuffle from the end whose draws mask the word and reject what lies beyond.
///
/// # Panics
/// If `len` does not fit in 32 bits, where NumPy draws 64.
pub fn permutation(seed: u32, len: usize) -> Vec<u32> {
    let len = u32::try_from(len).expect("a table in memory has fewer than 2^32 rows");
    let mut generator = Mt::new(seed);
    let mut order: Vec<u32> = (0..len).collect();
    for last in (1..len).rev() {
        let mask = u32::MAX >> last.leading_zeros();
        let chosen = loop {
            let value = generator.next_u32() & mask;
            if value <= last {
                break value;
            }
        };
        order.swap(last as usize, chosen as usize);
    }
    order
}

/// The rows of both parts of `train_test_split(rows, test_size=0.1, random_state=0)`, in its order: train, then test.
pub fn tenth_for_test(len: usize) -> (Vec<u32>, Vec<u32>) {
    let test_len = (0.1 * len as f64).ceil() as usize;
    let mut test = permutation(0, len);
    let train = test.split_off(test_len.min(len));
    (train, test)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// Printed by `tests/numpy/permutations.py` with numpy 2.4.6: seed and permutation.
    const PERMUTATIONS: [(u32, &[u32]); 6] = [
        (0, &[0]),
        (0, &[1, 0]),
        (0, &[2, 8, 4, 9, 1, 6, 7, 3, 0, 5]),
        (1, &[3, 13, 7, 2, 6, 10, 4, 1, 14, 0, 16, 15, 9, 8, 12, 11, 5]),
        (123_456_789, &[11, 1, 5, 0, 6, 3, 4, 10, 7, 9, 2, 8]),
        (4_294_967_295, &[1, 7, 6, 0, 5, 4, 2, 3]),
    ];

    /// One split by scikit-learn 1.9.1: how many rows, and the first ones and the SHA-256 of each part.
    struct Expected {
        rows: usize,
        train: (usize, [u32; 2], &'static str),
        test: (usize, u32, &'static str),
    }

    /// Printed by `tests/numpy/permutations.py`; 36,499 rows are those of MINIBOONE.
    const SPLITS: [Expected; 4] = [
        Expected {
            rows: 10,
            train: (9, [8, 4], "2ac4e5bbe132b7289540f8810c8c32611b38e2a309ddbdc434c29c7b08e4feee"),
            test: (1, 2, "26b25d457597a7b0463f9620f666dd10aa2c4373a505967c7c8d70922a2d6ece"),
        },
        Expected {
            rows: 11,
            train: (9, [2, 10], "8231f04fe1c0778283946cc3fb4a3023d3d10d2a345b09ef919e09016dcf7e05"),
            test: (2, 4, "9b3b7f2f23ff411251677fe1bb831122960393c547457440cdfbc0a1cad31212"),
        },
        Expected {
            rows: 257,
            train: (231, [8, 55], "2c50d8389f2052ced5af3aad771d937aed3a3650b56f07495c4913df424096b2"),
            test: (26, 158, "1729f21c9eff54e3473b1fbd8896abc627dcfb4fba299e89a6afc4ee433c2966"),
        },
        Expected {
            rows: 36_499,
            train: (32_849, [30_394, 845], "10c73edfc81593a2cbac9aa6f90b7405c1e70bcfe0b38480a3e6d5eab139ea7b"),
            test: (3_650, 33_348, "a3f6e8613370342bf029483934c14319f074e6ab9212cf72c1e3a66a8f46fc1d"),
        },
    ];

    fn digest(rows: &[u32]) -> String {
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
        hex::encode(Sha256::digest(bytes))
    }

    #[test]
    fn permutations_are_those_of_numpy() {
        for (seed, expected) in PERMUTATIONS {
            assert_eq!(permutation(seed, expected.len()), expected, "seed {seed}");
        }
        assert!(permutation(0, 0).is_empty());
    }

    #[test]
    fn splits_are_those_of_scikit_learn() {
        for Expected { rows, train, test } in SPLITS {
            let (found_train, found_test) = tenth_for_test(rows);

            assert_eq!((found_train.len(), &found_train[..2]), (train.0, &train.1[..]), "{rows} rows");
            assert_eq!((found_test.len(), found_test[0]), (test.0, test.1), "{rows} rows");
            assert_eq!(digest(&found_train), train.2, "{rows} rows");
            assert_eq!(digest(&found_test), test.2, "{rows} rows");
        }
    }
}
