//! What the heartbeat thread and the rest of the worker share: the lease, and the attempt that runs under it.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use domain::report::{Attempt, Progress};
use thiserror::Error;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

/// The session ended at the coordinator; nothing that ran under it counts any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the session is lost: its jobs belong to others now")]
pub struct Lost;

/// A session's lease as the worker sees it. Cheap to clone; clones are the same lease.
#[derive(Debug, Clone)]
pub struct Lease {
    lost: CancellationToken,
    trusted_until: Arc<watch::Sender<Instant>>,
    held: Arc<Mutex<Option<Held>>>,
}

#[derive(Debug)]
struct Held {
    progress: Progress,
    abandoned: CancellationToken,
    preempted: CancellationToken,
}

impl Lease {
    /// A lease that may be trusted for `trusted_for` after `sent`, when the session was asked for.
    pub fn new(sent: Instant, trusted_for: Duration) -> Self {
        let (trusted_until, _) = watch::channel(sent + trusted_for);
        Self { lost: CancellationToken::new(), trusted_until: Arc::new(trusted_until), held: Arc::default() }
    }

    /// Extends the trust; `until` counts from when the heartbeat was sent, not from its answer.
    pub fn trust(&self, until: Instant) {
        self.trusted_until.send_replace(until);
    }

    /// Waits until the lease may be trusted, so that nothing is reported by a worker whose jobs may have been given to
    /// another one.
    ///
    /// # Errors
    /// The session is lost.
    pub async fn trusted(&self) -> Result<(), Lost> {
        let mut trusted_until = self.trusted_until.subscribe();
        let alive = trusted_until.wait_for(|&until| Instant::now() < until);
        tokio::select! {
            biased;
            () = self.lost.cancelled() => Err(Lost),
            seen = alive => {
                seen.expect("the lease holds the sender");
                Ok(())
            }
        }
    }

    /// Declares the session lost, and with it the attempt that runs.
    pub fn lose(&self) {
        self.lost.cancel();
    }

    /// Whether the session is lost.
    pub fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Waits until the session is lost.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Puts an attempt into the heartbeats until the returned value is dropped.
    pub fn hold(&self, attempt: Attempt) -> Hold {
        let abandoned = self.lost.child_token();
        let progress = Progress { attempt, done: 0, total: 0, images_per_second: 0.0, bits_per_dim: None };
        let preempted = CancellationToken::new();
        *self.held() = Some(Held { progress, abandoned: abandoned.clone(), preempted: preempted.clone() });
        Hold { lease: self.clone(), attempt, abandoned, preempted }
    }

    /// What the next heartbeat says.
    pub fn progress(&self) -> Option<Progress> {
        self.held().as_ref().map(|held| held.progress)
    }

    /// Marks the attempt as no longer this worker's. Directives about another one come late and mean nothing.
    pub fn abandon(&self, attempt: Attempt) {
        if let Some(held) = self.held().as_ref().filter(|held| held.progress.attempt == attempt) {
            held.abandoned.cancel();
        }
    }

    /// Has the attempt make room for another job; about another attempt it means nothing, as in [`Lease::abandon`].
    pub fn preempt(&self, attempt: Attempt) {
        if let Some(held) = self.held().as_ref().filter(|held| held.progress.attempt == attempt) {
            held.preempted.cancel();
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().expect("no holder of this lock panics")
    }
}

/// An attempt in the heartbeats.
#[derive(Debug)]
pub struct Hold {
    lease: Lease,
    attempt: Attempt,
    abandoned: CancellationToken,
    preempted: CancellationToken,
}

impl Hold {
    /// The attempt.
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// The lease under which it runs.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Says how far the attempt is.
    pub fn advance(&self, done: u64, total: u64, images_per_second: f64, bits_per_dim: Option<f64>) {
        if let Some(held) = self.lease.held().as_mut() {
            held.progress = Progress { attempt: self.attempt, done, total, images_per_second, bits_per_dim };
        }
    }

    /// Cancelled when the attempt is no longer this worker's, or its session is lost.
    pub fn abandoned(&self) -> &CancellationToken {
        &self.abandoned
    }

    /// Cancelled when the attempt is to leave a checkpoint and make room for another job.
    pub fn preempted(&self) -> &CancellationToken {
        &self.preempted
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        *self.lease.held() = None;
    }
}

#[cfg(test)]
mod tests {
    use domain::{Epoch, JobId};

    use super::*;

    const TRUST: Duration = Duration::from_secs(27);

    fn attempt(epoch: i32) -> Attempt {
        Attempt { job: JobId(7), epoch: Epoch(epoch) }
    }

    #[tokio::test(start_paused = true)]
    async fn lease_is_not_trusted_past_its_time_until_a_heartbeat_succeeds() {
        let lease = Lease::new(Instant::now(), TRUST);
        assert_eq!(lease.trusted().await, Ok(()));

        tokio::time::advance(TRUST).await;
        let fenced = tokio::time::timeout(Duration::from_secs(3600), lease.trusted()).await;
        assert!(fenced.is_err(), "{fenced:?}");

        lease.trust(Instant::now() + TRUST);
        assert_eq!(lease.trusted().await, Ok(()));
    }

    #[tokio::test]
    async fn lost_session_is_told_and_abandons_what_runs() {
        let lease = Lease::new(Instant::now(), TRUST);
        let hold = lease.hold(attempt(1));

        lease.lose();

        assert_eq!(lease.trusted().await, Err(Lost));
        assert!(hold.abandoned().is_cancelled());
    }

    #[tokio::test]
    async fn directive_about_another_epoch_means_nothing() {
        let lease = Lease::new(Instant::now(), TRUST);
        let hold = lease.hold(attempt(2));

        lease.abandon(attempt(1));
        assert!(!hold.abandoned().is_cancelled());

        lease.abandon(attempt(2));
        assert!(hold.abandoned().is_cancelled());
    }

    #[tokio::test]
    async fn preemption_reaches_the_attempt_that_it_names_and_ends_no_other() {
        let lease = Lease::new(Instant::now(), TRUST);
        let hold = lease.hold(attempt(2));

        lease.preempt(attempt(1));
        assert!(!hold.preempted().is_cancelled());

        lease.preempt(attempt(2));
        assert!(hold.preempted().is_cancelled() && !hold.abandoned().is_cancelled());
        drop(hold);
        assert!(!lease.hold(attempt(2)).preempted().is_cancelled());
    }

    #[tokio::test]
    async fn heartbeats_carry_the_attempt_while_it_is_held() {
        let lease = Lease::new(Instant::now(), TRUST);
        assert_eq!(lease.progress(), None);

        let hold = lease.hold(attempt(1));
        hold.advance(3, 10, 5.5, Some(4.0));
        let progress = lease.progress().unwrap();
        assert_eq!((progress.attempt, progress.done, progress.total), (attempt(1), 3, 10));

        drop(hold);
        assert_eq!(lease.progress(), None);
    }
}
