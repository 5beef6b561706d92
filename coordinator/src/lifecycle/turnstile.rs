//! How many submits are worked on at once, and how many may wait: a storm of them is refused at the door instead of taking the
//! processors and the database connections of everybody else.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::LifecycleError;
use crate::telemetry::Edge;

/// Longest wait for a turn: whoever waits longer is better told to come again.
const PATIENCE: Duration = Duration::from_secs(10);
/// When to come again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How much may be submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubmitLimits {
    /// Submits that are worked on at once.
    pub at_once: usize,
    /// Submits that may wait for their turn.
    pub waiting: usize,
    /// Jobs that one user may have before they end; `None` for any number.
    pub open_jobs_per_user: Option<u64>,
}

/// Lets a bounded number through, in the order of their coming.
#[derive(Debug)]
pub(super) struct Turnstile {
    limits: SubmitLimits,
    /// At work and waiting.
    places: Semaphore,
    /// At work.
    turns: Semaphore,
}

/// The right to work on a submit; given back when dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    _turn: SemaphorePermit<'a>,
    _place: SemaphorePermit<'a>,
}

impl Turnstile {
    pub(super) fn new(limits: SubmitLimits) -> Self {
        Self { limits, places: Semaphore::new(limits.at_once + limits.waiting), turns: Semaphore::new(limits.at_once) }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`LifecycleError::Crowded`] at once when too many wait already, and after ten seconds.
    pub(super) async fn enter(&self, counts: &Edge) -> Result<Turn<'_>, LifecycleError> {
        let Ok(place) = self.places.try_acquire() else { return Err(self.crowded()) };
        let waiting = counts.submit_waits();
        let Ok(turn) = timeout(PATIENCE, self.turns.acquire()).await else { return Err(self.crowded()) };
        drop(waiting);
        Ok(Turn { _turn: turn.expect("the turnstile is never closed"), _place: place })
    }

    fn crowded(&self) -> LifecycleError {
        let SubmitLimits { at_once, waiting, .. } = self.limits;
        LifecycleError::Crowded { at_once, waiting, retry_after: RETRY_AFTER }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turnstile(at_once: usize, waiting: usize) -> Turnstile {
        Turnstile::new(SubmitLimits { at_once, waiting, open_jobs_per_user: None })
    }

    #[tokio::test]
    async fn a_third_is_refused_where_one_works_and_one_waits() {
        let (turnstile, counts) = (turnstile(1, 1), Edge::default());
        let first = turnstile.enter(&counts).await.unwrap();
        let mut second = Box::pin(turnstile.enter(&counts));
        assert!(futures::poll!(&mut second).is_pending());

        let refusal = turnstile.enter(&counts).await.unwrap_err().to_string();

        assert!(refusal.contains("1 submits are worked on and 1 wait"), "{refusal}");
        drop(first);
        drop(second.await.unwrap());
        turnstile.enter(&counts).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_told_to_come_again() {
        let (turnstile, counts) = (turnstile(1, 1), Edge::default());
        let _first = turnstile.enter(&counts).await.unwrap();

        let refusal = turnstile.enter(&counts).await.unwrap_err();

        assert!(matches!(refusal, LifecycleError::Crowded { retry_after: RETRY_AFTER, .. }), "{refusal}");
    }
}
