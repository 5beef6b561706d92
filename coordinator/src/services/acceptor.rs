//! Saves completions: all that have arrived while others were being saved, in one transaction.

use std::sync::Arc;

use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::lifecycle::{Arrived, Lifecycle};

/// Most completions in one transaction.
const MAX_BATCH: usize = 256;
/// Transactions at once: while one waits for its commit, the next one works.
const IN_FLIGHT: usize = 2;

/// Takes completions from their queue and has them saved.
#[derive(Debug)]
pub struct Acceptor {
    lifecycle: Arc<Lifecycle>,
    arrived: mpsc::Receiver<Arrived>,
    in_flight: Arc<Semaphore>,
    batches: JoinSet<()>,
}

impl Acceptor {
    /// Saves what comes out of `arrived` through `lifecycle`.
    #[must_use]
    pub(crate) fn new(lifecycle: Arc<Lifecycle>, arrived: mpsc::Receiver<Arrived>) -> Self {
        Self { lifecycle, arrived, in_flight: Arc::new(Semaphore::new(IN_FLIGHT)), batches: JoinSet::new() }
    }

    /// Waits for completions and starts to save all that are there; `false` when none can come any more.
    pub async fn run_once(&mut self) -> bool {
        let Ok(permit) = Arc::clone(&self.in_flight).acquire_owned().await else { return false };
        let mut batch = Vec::new();
        if self.arrived.recv_many(&mut batch, MAX_BATCH).await == 0 {
            return false;
        }
        let lifecycle = Arc::clone(&self.lifecycle);
        self.batches.spawn(async move {
            lifecycle.accept(batch).await;
            drop(permit);
        });
        while self.batches.try_join_next().is_some() {}
        true
    }

    /// Saves until `shutdown`; what is being saved then is finished.
    pub async fn run(mut self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                goes_on = self.run_once() => if !goes_on { break },
            }
        }
        while self.batches.join_next().await.is_some() {}
    }
}
