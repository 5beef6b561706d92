//! Asking again while the coordinator cannot answer, with growing pauses.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tracing::warn;

use crate::uplink::UplinkError;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A coordinator that comes back is noticed within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Growing pauses with jitter, without an end.
pub fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}

/// Repeats a call until it is answered, however long that takes; the caller bounds the wait with `select!`.
///
/// # Errors
/// An answer other than the wish: every [`UplinkError`] but an outage.
pub async fn until_answered<T>(
    what: &'static str,
    mut call: impl AsyncFnMut() -> Result<T, UplinkError>,
) -> Result<T, UplinkError> {
    let mut pauses = pauses();
    loop {
        let outage = match call().await {
            Err(outage @ UplinkError::Outage { .. }) => outage,
            answered => return answered,
        };
        let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
        warn!(what, %outage, pause_millis = pause.as_millis(), "coordinator did not answer");
        tokio::time::sleep(pause).await;
    }
}
