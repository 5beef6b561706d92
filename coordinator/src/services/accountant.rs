//! Looks after the device hours of sweeps, on Postgres's clock.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::looking::look_every;
use crate::lifecycle::{Lifecycle, LifecycleError};

/// Time between two looks: by so much, and a heartbeat, a budget may be overdrawn.
const INTERVAL: Duration = Duration::from_secs(5);

/// Stops sweeps whose budget is spent.
#[derive(Debug)]
pub struct Accountant {
    lifecycle: Arc<Lifecycle>,
}

impl Accountant {
    /// Stops sweeps through `lifecycle`.
    #[must_use]
    pub fn new(lifecycle: Arc<Lifecycle>) -> Self {
        Self { lifecycle }
    }

    /// Stops every sweep that is due; says how many jobs ended.
    ///
    /// # Errors
    /// The database failed.
    pub async fn run_once(&self) -> Result<usize, LifecycleError> {
        self.lifecycle.stop_spent_sweeps().await
    }

    /// Looks again and again until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let complaint = "looking for spent budgets failed; it is tried again every few seconds";
        look_every(INTERVAL, shutdown, complaint, || self.run_once()).await;
    }
}
