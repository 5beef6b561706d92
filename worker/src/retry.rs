//! Asking again while the coordinator cannot answer, with growing pauses.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tracing::warn;

use crate::uplink::UplinkError;

/// Jitter adds up to as much again.
pub const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Jitter adds up to as much again: a coordinator that comes back is noticed within five seconds.
const LONGEST_PAUSE: Duration = Duration::from_millis(2500);
/// Longest pause that a coordinator is obeyed in, beside our own.
const LONGEST_TOLD_PAUSE: Duration = Duration::from_secs(30);
/// How often a call that makes the coordinator fail is repeated: for some 20 seconds.
const MAX_FAULTS: u32 = 10;

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

/// Repeats a call until it is answered, however long that takes; the caller bounds the wait with `select!`. A coordinator
/// that fails at this very call is asked a bounded number of times: its database may restart, or it has a fault.
///
/// # Errors
/// An answer other than the wish: every [`UplinkError`] but an outage.
pub async fn until_answered<T>(
    what: &'static str,
    mut call: impl AsyncFnMut() -> Result<T, UplinkError>,
) -> Result<T, UplinkError> {
    let mut pauses = pauses();
    let mut faults = 0;
    loop {
        let problem = match call().await {
            Err(outage @ (UplinkError::Outage { .. } | UplinkError::NoRoom { .. })) => outage,
            Err(fault @ UplinkError::Fault { .. }) if faults < MAX_FAULTS => {
                faults += 1;
                fault
            }
            answered => return answered,
        };
        let mut pause = pauses.next().unwrap_or(LONGEST_PAUSE);
        if let UplinkError::NoRoom { retry_after, .. } = &problem {
            pause += (*retry_after).min(LONGEST_TOLD_PAUSE);
        }
        warn!(what, %problem, pause_millis = pause.as_millis(), "call is repeated");
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outage() -> UplinkError {
        UplinkError::Outage { coordinator: "http://one".to_owned(), reason: "refused".to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn outages_are_waited_out_however_many() {
        let mut calls = 0;

        let answer = until_answered("test", async || {
            calls += 1;
            if calls < 1000 { Err(outage()) } else { Ok(calls) }
        });

        assert_eq!(answer.await.unwrap(), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_coordinator_without_room_is_asked_again_when_it_says_and_no_sooner() {
        let began = tokio::time::Instant::now();
        let mut calls = 0;

        let answer = until_answered("test", async || {
            calls += 1;
            let (coordinator, reason) = ("http://one".to_owned(), "the artifact store is full".to_owned());
            let retry_after = Duration::from_secs(10);
            if calls < 100 { Err(UplinkError::NoRoom { coordinator, reason, retry_after }) } else { Ok(calls) }
        });

        assert_eq!(answer.await.unwrap(), 100);
        assert!(began.elapsed() > Duration::from_secs(990), "{:?}", began.elapsed());
        assert!(began.elapsed() < Duration::from_secs(1500), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn faults_are_tried_a_bounded_number_of_times() {
        let mut calls = 0;

        let answer: Result<(), _> = until_answered("test", async || {
            calls += 1;
            Err(UplinkError::Fault { reason: "a bug".to_owned() })
        })
        .await;

        assert!(matches!(answer, Err(UplinkError::Fault { .. })), "{answer:?}");
        assert_eq!(calls, MAX_FAULTS + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_not_repeated() {
        let mut calls = 0;

        let answer: Result<(), _> = until_answered("test", async || {
            calls += 1;
            Err(UplinkError::Stale("epoch 1".to_owned()))
        })
        .await;

        assert!(matches!(answer, Err(UplinkError::Stale(_))), "{answer:?}");
        assert_eq!(calls, 1);
    }

    #[test]
    fn pauses_stay_within_their_bound() {
        // Jitter adds up to the pause itself.
        assert!(pauses().take(100).all(|pause| pause >= FIRST_PAUSE && pause <= 2 * LONGEST_PAUSE));
    }
}
