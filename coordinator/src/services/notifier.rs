//! Tells the other coordinators what happened here: one NOTIFY for whatever happened within 20 ms.

use std::time::Duration;

use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::Wakeups;

/// Shortest time between two announcements.
const INTERVAL: Duration = Duration::from_millis(20);

/// Sends hints.
#[derive(Debug)]
pub struct Notifier {
    store: Store,
    wakeups: Wakeups,
}

impl Notifier {
    /// Sends what `wakeups` gathers.
    #[must_use]
    pub fn new(store: Store, wakeups: Wakeups) -> Self {
        Self { store, wakeups }
    }

    /// Sends what has gathered.
    ///
    /// # Errors
    /// The database failed; the hint is lost, and polling makes up for it.
    pub async fn run_once(&self) -> Result<(), StoreError> {
        for hint in self.wakeups.take_pending() {
            self.store.notify(&hint).await?;
        }
        Ok(())
    }

    /// Sends until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.wakeups.pending() => {}
            }
            if let Err(error) = self.run_once().await {
                debug!(%error, "hint was not sent");
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}
