//! What a measure asks of a peer.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use tokio::sync::mpsc;

/// What a job's handler does: it counts, and says when it started.
#[derive(Debug)]
pub struct Handler {
    started: AtomicU64,
    times: mpsc::UnboundedSender<Instant>,
}

impl Handler {
    /// A handler, and where it says when a job started.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Instant>) {
        let (times, received) = mpsc::unbounded_channel();
        (Self { started: AtomicU64::new(0), times }, received)
    }

    /// The whole of a job. Only the first start matters where jobs are counted, so that nothing piles up.
    pub fn handle(&self) {
        self.started.fetch_add(1, Ordering::Relaxed);
        // Nobody listens at the end of a measure.
        let _ = self.times.send(Instant::now());
    }

    /// Jobs handled so far.
    pub fn count(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }
}

/// A job queue with its settings.
pub trait Peer: Clone + Send + Sync + 'static {
    /// Adds jobs in the fastest way that the peer offers.
    fn add_many(&self, count: u64) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Adds one job.
    fn add_one(&self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Starts a worker.
    fn start(&self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Jobs whose end the database does not know yet, of `added`.
    fn unfinished(&self, added: u64) -> impl Future<Output = anyhow::Result<u64>> + Send;

    /// The handler of the jobs.
    fn handler(&self) -> &Handler;

    /// The next start of a job.
    fn next_start(&self) -> impl Future<Output = Option<Instant>> + Send;
}
