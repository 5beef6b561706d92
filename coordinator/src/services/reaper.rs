//! Takes back the jobs of sessions whose lease ran out.

use std::sync::Arc;

use domain::lease::LeaseTerms;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::lifecycle::{Lifecycle, LifecycleError};

/// Loses sessions.
#[derive(Debug)]
pub struct Reaper {
    lifecycle: Arc<Lifecycle>,
    lease: LeaseTerms,
}

impl Reaper {
    /// Loses sessions through `lifecycle`.
    #[must_use]
    pub fn new(lifecycle: Arc<Lifecycle>, lease: LeaseTerms) -> Self {
        Self { lifecycle, lease }
    }

    /// Loses every session that is due.
    ///
    /// # Errors
    /// The database failed.
    pub async fn run_once(&self) -> Result<usize, LifecycleError> {
        self.lifecycle.lose_expired_sessions().await
    }

    /// Looks again and again until `shutdown`.
    ///
    /// After a start, an outage of the database or a standstill of this process, leases have run out because nobody could renew them:
    /// workers get one time to live and the grace to come back before any session is lost.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut ticks = interval(self.lease.look());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let amnesty = self.lease.ttl + self.lease.grace;
        let mut quiet_until = Instant::now() + amnesty;
        let mut looked = Instant::now();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if looked.elapsed() > self.lease.ttl / 2 + ticks.period() {
                info!("this coordinator stood still: workers get time to come back");
                quiet_until = Instant::now() + amnesty;
            }
            // Also while nothing is looked for: the time to come back counts from the outage's end. An answer that came late came
            // from a database that had been away, and the leases in it ran out meanwhile.
            let asked = Instant::now();
            let answered = self.lifecycle.ask_database().await;
            if answered.is_err() || asked.elapsed() > ticks.period() / 2 {
                info!("the database was away: workers get time to come back");
                quiet_until = Instant::now() + amnesty;
            }
            looked = Instant::now();
            if looked < quiet_until {
                continue;
            }
            if let Err(error) = self.run_once().await {
                warn!(%error, "looking for lost sessions failed: workers get time to come back");
                quiet_until = Instant::now() + amnesty;
            }
            looked = Instant::now();
        }
    }
}
