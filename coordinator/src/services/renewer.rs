//! Renews leases: one statement for all heartbeats that arrive within a fifth of the time between two beats of a worker.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{SessionId, lease::LeaseTerms};
use store::{RenewedSession, Store, StoreError};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::lifecycle::LifecycleError;

/// How long the first heartbeat of a batch waits for others, as a part of the time between two beats of one worker: five hundred
/// workers whose beats are spread evenly cost one statement a second. Their trust in the lease counts from when they asked.
const GATHERING_SHARE: u32 = 5;
/// Longest such wait: directives come back no later than that.
const LONGEST_GATHERING: Duration = Duration::from_secs(1);
/// Most heartbeats in one statement.
const MAX_BATCH: usize = 1000;
/// Heartbeats that may wait for a batch; more wait for room.
const QUEUE: usize = 4096;

type Answer = Result<Option<RenewedSession>, Arc<StoreError>>;

/// Where heartbeats ask for a renewal.
#[derive(Debug, Clone)]
pub struct Renewals {
    queue: mpsc::Sender<Asked>,
}

#[derive(Debug)]
struct Asked {
    session: SessionId,
    answer: oneshot::Sender<Answer>,
}

/// Writes renewals.
#[derive(Debug)]
pub struct Renewer {
    store: Store,
    ttl: Duration,
    gathering: Duration,
    queue: mpsc::Receiver<Asked>,
}

impl Renewals {
    /// Renews the lease of `session`; `None` when it is closed or unknown.
    ///
    /// # Errors
    /// [`LifecycleError::Batch`] when the database failed, [`LifecycleError::Ending`] at a shutdown.
    pub async fn renew(&self, session: SessionId) -> Result<Option<RenewedSession>, LifecycleError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Asked { session, answer }).await.map_err(|_| LifecycleError::Ending)?;
        Ok(answered.await.map_err(|_| LifecycleError::Ending)??)
    }
}

impl Renewer {
    /// A renewer for leases on these terms, and where to ask it.
    #[must_use]
    pub fn new(store: Store, terms: LeaseTerms) -> (Self, Renewals) {
        let (sender, queue) = mpsc::channel(QUEUE);
        let gathering = (terms.beat / GATHERING_SHARE).min(LONGEST_GATHERING);
        (Self { store, ttl: terms.ttl, gathering, queue }, Renewals { queue: sender })
    }

    /// Waits for a heartbeat, gathers others, renews them all; `false` when nobody can ask any more.
    pub async fn run_once(&mut self) -> bool {
        let Some(first) = self.queue.recv().await else { return false };
        let deadline = Instant::now() + self.gathering;
        let mut batch = vec![first];
        while batch.len() < MAX_BATCH {
            match timeout_at(deadline, self.queue.recv()).await {
                Ok(Some(asked)) => batch.push(asked),
                Ok(None) | Err(_) => break,
            }
        }
        self.renew(batch).await;
        true
    }

    /// Renews until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                goes_on = self.run_once() => if !goes_on { return },
            }
        }
    }

    async fn renew(&self, batch: Vec<Asked>) {
        let mut sessions: Vec<SessionId> = batch.iter().map(|asked| asked.session).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let renewed = self.store.renew_sessions(&sessions, self.ttl).await;
        let answers: Result<HashMap<SessionId, RenewedSession>, Arc<StoreError>> = renewed
            .map(|sessions| sessions.into_iter().map(|session| (session.id, session)).collect())
            .map_err(Arc::new);
        for Asked { session, answer } in batch {
            let result = answers.as_ref().map(|sessions| sessions.get(&session).copied()).map_err(Arc::clone);
            // Whoever asked may have hung up; its lease is renewed all the same.
            let _ = answer.send(result);
        }
    }
}
