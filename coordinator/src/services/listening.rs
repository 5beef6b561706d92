//! Hears what happened at other coordinators.

use std::time::Duration;

use store::{Listener, Store, StoreError};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::Wakeups;

/// Pause before the listening connection is made again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Turns hints into wake-ups.
#[derive(Debug)]
pub struct Listening {
    store: Store,
    wakeups: Wakeups,
}

impl Listening {
    /// Wakes who waits in `wakeups`.
    #[must_use]
    pub fn new(store: Store, wakeups: Wakeups) -> Self {
        Self { store, wakeups }
    }

    /// Waits for one hint and passes it on. After a lost connection everybody is woken: hints may have been missed.
    ///
    /// # Errors
    /// The connection was lost and could not be made again.
    pub async fn run_once(&self, listener: &mut Listener) -> Result<(), StoreError> {
        match listener.next().await? {
            Some(hint) => self.wakeups.hear(hint),
            None => self.wakeups.hear_anything(),
        }
        Ok(())
    }

    /// Listens until `shutdown`, connecting again as often as it takes.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            let listened = tokio::select! {
                () = shutdown.cancelled() => return,
                Err(error) = self.listen() => error,
            };
            warn!(error = %listened, "hints are not heard; waiting falls back to polling");
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(RETRY_PAUSE) => {}
            }
        }
    }

    async fn listen(&self) -> Result<std::convert::Infallible, StoreError> {
        let mut listener = self.store.listen().await?;
        info!("listening for hints");
        self.wakeups.hear_anything();
        loop {
            self.run_once(&mut listener).await?;
        }
    }
}
