//! Saves completions: all that have arrived while others were being saved, in one transaction.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::lifecycle::{Arrived, Lifecycle};

/// Most completions in one transaction.
const MAX_BATCH: usize = 256;

/// Takes completions from their queue and has them saved, one transaction after another: two at once were measured to cost more
/// and bring nothing, since each then holds half as many.
#[derive(Debug)]
pub struct Acceptor {
    lifecycle: Arc<Lifecycle>,
    arrived: mpsc::Receiver<Arrived>,
}

impl Acceptor {
    /// Saves what comes out of `arrived` through `lifecycle`.
    #[must_use]
    pub(crate) fn new(lifecycle: Arc<Lifecycle>, arrived: mpsc::Receiver<Arrived>) -> Self {
        Self { lifecycle, arrived }
    }

    /// Waits for completions, until `shutdown`, and saves all that are there; `false` when none can come any more.
    pub async fn run_once(&mut self, shutdown: &CancellationToken) -> bool {
        let mut batch = Vec::new();
        let arrived = tokio::select! {
            () = shutdown.cancelled() => 0,
            arrived = self.arrived.recv_many(&mut batch, MAX_BATCH) => arrived,
        };
        // Not interrupted: whoever sent them waits for an answer.
        self.lifecycle.accept(batch).await;
        arrived > 0
    }

    /// Saves until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        while self.run_once(&shutdown).await {}
    }
}
