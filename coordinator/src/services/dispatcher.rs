//! Serves the claims that wait: at once when a job becomes ready or a claim comes, and once a second whatever hints were lost.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::lifecycle::{Lifecycle, LifecycleError, Rounds, Served};

/// Longest time between two rounds while a claim waits: backoffs end, hints get lost, other coordinators' jobs come. One look
/// serves every claim that waits here, so that an idle cluster costs one query a second.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// Brings claims and ready jobs together.
#[derive(Debug)]
pub struct Dispatcher {
    lifecycle: Arc<Lifecycle>,
    rounds: Rounds,
}

impl Dispatcher {
    /// Serves the claims of `lifecycle`; there is one for each.
    #[must_use]
    pub fn new(lifecycle: Arc<Lifecycle>) -> Self {
        Self { lifecycle, rounds: Rounds::default() }
    }

    /// Serves as many claims as there are jobs for; says how many jobs were handed out in the last round.
    ///
    /// # Errors
    /// The database failed.
    pub async fn run_once(&mut self) -> Result<Served, LifecycleError> {
        loop {
            let served = self.lifecycle.serve_claims(&mut self.rounds).await?;
            if !served.more {
                return Ok(served);
            }
        }
    }

    /// Serves until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            let lifecycle = Arc::clone(&self.lifecycle);
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = lifecycle.claims_to_serve(), if !failing => {}
                _ = ticks.tick() => {}
            }
            match self.run_once().await {
                Ok(_) => failing = false,
                Err(error) if !failing => {
                    warn!(%error, "claims could not be served; it is tried again every second");
                    failing = true;
                }
                Err(_) => {}
            }
        }
    }
}
