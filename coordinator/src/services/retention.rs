//! Makes the months of the history ahead of time, and drops old ones when it is told to.

use std::time::Duration;

use store::{Maintenance, Store, StoreError};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// Time between two looks: months are made a month ahead, so that hundreds of looks may fail.
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Keeps the partitions of the history. Any number of coordinators may do so at once.
#[derive(Debug)]
pub struct Retention {
    store: Store,
    days: u32,
}

impl Retention {
    /// Keeps the history of `days` days, in whole months; 0 keeps all of it.
    #[must_use]
    pub fn new(store: Store, days: u32) -> Self {
        Self { store, days }
    }

    /// Makes this month and the next, and drops what is old enough. `None` when another coordinator is at it.
    ///
    /// # Errors
    /// The database failed, or a reader of the history held a lock for too long.
    pub async fn run_once(&self) -> Result<Option<Maintenance>, StoreError> {
        let done = self.store.maintain_history(self.days).await?;
        if let Some(Maintenance { made, dropped }) = done.as_ref().filter(|done| **done != Maintenance::default()) {
            info!(made, dropped = dropped.join(", "), "months of the history were made and dropped");
        }
        Ok(done)
    }

    /// Looks at once and then every hour until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match self.run_once().await {
                Ok(_) => {}
                Err(error @ StoreError::Conflict(_)) => {
                    debug!(%error, "history was in use; the next look comes in an hour")
                }
                Err(error) => warn!(%error, "looking after the history failed; the next look comes in an hour"),
            }
        }
    }
}
