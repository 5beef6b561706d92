//! When and how fast the worker ends: first it drains, and when that takes too long or a person insists, at once.

use std::{future::Future, time::Duration};

use process::Shutdown;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The two stages of ending. Both are levels, not events: nobody misses them by looking late.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    draining: CancellationToken,
    at_once: CancellationToken,
}

impl From<Shutdown> for Stop {
    fn from(shutdown: Shutdown) -> Self {
        Self { draining: shutdown.requested, at_once: shutdown.forced }
    }
}

impl Stop {
    /// Begins to drain: no more claims; what runs leaves a checkpoint and is released.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    /// Whether the drain has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Waits until the drain begins.
    pub fn draining(&self) -> impl Future<Output = ()> + '_ {
        self.draining.cancelled()
    }

    /// Waits until there is no time left: what runs is killed and released as it is.
    pub fn out_of_time(&self) -> impl Future<Output = ()> + '_ {
        self.at_once.cancelled()
    }

    /// Ends a drain that takes longer than `grace`.
    pub async fn bound_drain(self, grace: Duration) {
        self.draining.cancelled().await;
        sleep(grace).await;
        self.at_once.cancel();
    }
}
