//! The order in which an epoch visits the examples.

use crate::randomness::Key;

/// The permutation of `0..len` that an epoch follows: a Fisher-Yates shuffle keyed by (seed, epoch).
///
/// # Panics
/// If `len` does not fit in 32 bits.
#[must_use]
pub fn epoch_order(seed: u64, epoch: u64, len: usize) -> Vec<u32> {
    let len = u32::try_from(len).expect("a dataset in memory has fewer than 2^32 examples");
    let mut stream = Key::new("epoch order", &[&seed.to_le_bytes()]).stream(epoch);
    let mut order: Vec<u32> = (0..len).collect();
    for last in (1..len).rev() {
        order.swap(last as usize, stream.below(last + 1) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_appears_once() {
        let mut order = epoch_order(3, 5, 1000);

        order.sort_unstable();
        assert!(order.into_iter().eq(0..1000));
    }

    #[test]
    fn seeds_and_epochs_give_other_orders() {
        let base = epoch_order(0, 0, 100);

        assert_eq!(base, epoch_order(0, 0, 100));
        assert_ne!(base, epoch_order(1, 0, 100));
        assert_ne!(base, epoch_order(0, 1, 100));
    }

    #[test]
    fn order_is_pinned_so_that_old_checkpoints_resume() {
        assert_eq!(epoch_order(42, 1, 8), [7, 0, 3, 4, 6, 5, 1, 2]);
    }
}
