//! The poll floor: once a second, claims that wait here are woken if any job is ready, whatever hints were lost.

use std::time::Duration;

use store::{Channel, Store, StoreError};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::Wakeups;

/// Time between two looks. One look serves every claim that waits here, so that an idle cluster costs one query a second.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// Looks for ready jobs that nobody was woken for: backoffs that ended, hints that were lost.
#[derive(Debug)]
pub struct Dispatcher {
    store: Store,
    wakeups: Wakeups,
}

impl Dispatcher {
    /// Wakes the claims that wait in `wakeups`.
    #[must_use]
    pub fn new(store: Store, wakeups: Wakeups) -> Self {
        Self { store, wakeups }
    }

    /// Wakes the claims if any job is ready; says whether one was.
    ///
    /// # Errors
    /// The database failed.
    pub async fn run_once(&self) -> Result<bool, StoreError> {
        let ready = self.store.any_ready().await?;
        if ready {
            self.wakeups.hear(Channel::Ready);
        }
        Ok(ready)
    }

    /// Looks every second until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match self.run_once().await {
                Ok(_) => failing = false,
                Err(error) if !failing => {
                    warn!(%error, "looking for ready jobs failed; it is tried again every second");
                    failing = true;
                }
                Err(_) => {}
            }
        }
    }
}
