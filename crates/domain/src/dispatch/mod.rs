//! The choice of what goes next: a board of lanes with ready jobs, and the order in which they are served. The claim itself
//! is one SQL statement in `store`; a board may be wrong about what is ready, never about what runs where.

mod board;
mod order;

pub use board::{Board, LaneReady, MANY};
pub use order::{Policy, SweepTerms};

use crate::{SweepId, job::JobKind};

/// One queue: the jobs of one kind of one sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// The sweep.
    pub sweep: SweepId,
    /// The kind of the jobs.
    pub kind: JobKind,
}
