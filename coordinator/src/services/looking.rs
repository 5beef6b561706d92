//! What services that look for work again and again have in common.

use std::{fmt::Display, time::Duration};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Looks at once and then once in each `pause` until `shutdown`. What one look misses, the next one finds; of failures in a row
/// the first one is told as `complaint`.
pub(super) async fn look_every<T, E: Display, F: Future<Output = Result<T, E>>>(
    pause: Duration,
    shutdown: CancellationToken,
    complaint: &'static str,
    look: impl Fn() -> F,
) {
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match look().await {
            Ok(_) => failing = false,
            Err(error) if !failing => {
                warn!(%error, "{complaint}");
                failing = true;
            }
            Err(_) => {}
        }
    }
}
