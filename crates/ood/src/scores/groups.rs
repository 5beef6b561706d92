//! Groups of examples for scores that judge several at once.

use crate::randomness::{Purpose, Stream};

/// A random partition of examples into groups of one size. It depends on the number of examples, the size and the seed
/// alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    members: Vec<u32>,
    size: usize,
    examples: usize,
}

/// Partitions `count` examples into ⌊count/size⌋ groups of `size`; up to `size − 1` examples are in no group.
///
/// # Panics
/// With groups of nothing.
#[must_use]
pub fn groups(count: usize, size: usize, seed: u64) -> Groups {
    assert!(size > 0, "a group has members");
    // The size is the stream: groups of another size are not parts of these.
    let mut members = Stream::new(Purpose::Groups, seed, size as u64).permutation(count);
    members.truncate(count - count % size);
    Groups { members, size, examples: count }
}

impl Groups {
    /// The members of each group, as indices of examples.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.members.chunks_exact(self.size)
    }

    /// Number of groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len() / self.size
    }

    /// Whether there are fewer examples than a group has members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Number of examples that are in no group.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.examples - self.members.len()
    }

    /// Number of examples that were partitioned.
    pub(super) fn examples(&self) -> usize {
        self.examples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_a_partition_that_the_seed_fixes() {
        let partition = groups(103, 10, 4);

        let mut members: Vec<u32> = partition.iter().flatten().copied().collect();
        members.sort_unstable();
        members.dedup();
        assert_eq!((partition.len(), partition.left_out(), members.len()), (10, 3, 100));
        assert!(partition.iter().all(|group| group.len() == 10));
        assert_eq!(partition, groups(103, 10, 4));
        assert_ne!(partition, groups(103, 10, 5));
    }

    #[test]
    fn fewer_examples_than_a_group_has_make_none() {
        let none = groups(9, 10, 0);

        assert_eq!((none.len(), none.is_empty(), none.left_out()), (0, true, 9));
    }
}
