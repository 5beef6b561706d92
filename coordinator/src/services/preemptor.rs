//! Has trainings make room for jobs of much more important sweeps that have waited too long.

use std::{sync::Arc, time::Duration};

use domain::preemption::Terms;
use tokio_util::sync::CancellationToken;

use super::looking::look_every;
use crate::lifecycle::{Lifecycle, LifecycleError};

/// Longest time between two looks.
const LONGEST_INTERVAL: Duration = Duration::from_secs(5);
/// Looks within the time that a job must have waited: one that waits has room made for it soon after.
const LOOKS_PER_WAIT: u32 = 4;

/// Makes room.
#[derive(Debug)]
pub struct Preemptor {
    lifecycle: Arc<Lifecycle>,
    terms: Terms,
}

impl Preemptor {
    /// Makes room through `lifecycle`.
    #[must_use]
    pub fn new(lifecycle: Arc<Lifecycle>, terms: Terms) -> Self {
        Self { lifecycle, terms }
    }

    /// Tells the trainings that are to make room now; says how many they were.
    ///
    /// # Errors
    /// The database failed.
    pub async fn run_once(&self) -> Result<usize, LifecycleError> {
        self.lifecycle.preempt(&self.terms).await
    }

    /// Looks again and again until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let pause = (self.terms.after / LOOKS_PER_WAIT).min(LONGEST_INTERVAL);
        let complaint = "making room for waiting jobs failed; it is tried again";
        look_every(pause, shutdown, complaint, || self.run_once()).await;
    }
}
