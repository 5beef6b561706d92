//! Waiting for what must happen, with a deadline instead of a hope.

use std::{future::Future, time::Duration};

use anyhow::bail;

/// How long a test waits for what must happen: generous, since a loaded machine is slow, and never reached when all is well.
pub const DEADLINE: Duration = Duration::from_secs(300);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until `look` finds something, asking again on nothing and on errors, which a killed process causes on purpose.
///
/// # Errors
/// When the deadline passes, with the last error.
pub async fn eventually<T, F, Fut>(what: &str, mut look: F) -> anyhow::Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = anyhow::Result<Option<T>>>,
{
    let deadline = tokio::time::Instant::now() + DEADLINE;
    let mut ticks = tokio::time::interval(LOOK);
    let mut last_error = None;
    while tokio::time::Instant::now() < deadline {
        ticks.tick().await;
        match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => last_error = Some(error),
        }
    }
    match last_error {
        Some(error) => Err(error.context(format!("{what} did not happen within {DEADLINE:?}"))),
        None => bail!("{what} did not happen within {DEADLINE:?}"),
    }
}
