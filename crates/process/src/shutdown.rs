//! Signals: the first SIGTERM or SIGINT asks for a graceful end, the second one for an end at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

/// Two tokens that are cancelled as signals come.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Cancelled by the first signal: finish what cannot be interrupted, and end.
    pub requested: CancellationToken,
    /// Cancelled by the second signal: end at once.
    pub forced: CancellationToken,
}

impl Shutdown {
    /// Listens for SIGTERM and SIGINT from now on; needs a runtime.
    ///
    /// # Errors
    /// The system refuses a signal handler.
    pub fn on_signals() -> io::Result<Self> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let shutdown = Self::default();
        let tokens = shutdown.clone();
        // Owned by the runtime: it waits for signals as long as the program lives and holds nothing that needs an end.
        tokio::spawn(async move {
            let signal = next(&mut terminate, &mut interrupt).await;
            info!(signal, "shutdown was requested");
            tokens.requested.cancel();
            let signal = next(&mut terminate, &mut interrupt).await;
            info!(signal, "shutdown was forced");
            tokens.forced.cancel();
        });
        Ok(shutdown)
    }
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
