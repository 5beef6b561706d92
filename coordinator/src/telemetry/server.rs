//! The HTTP side: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever restarts and routes.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Telemetry;

/// Longest wait for the database: probes give up after a second.
const READY_LIMIT: Duration = Duration::from_millis(900);

/// Serves what `telemetry` counts.
#[derive(Debug)]
pub(crate) struct TelemetryServer {
    telemetry: Telemetry,
    /// Cancelled when the coordinator takes no more calls.
    draining: CancellationToken,
}

impl TelemetryServer {
    pub(crate) fn new(telemetry: Telemetry, draining: CancellationToken) -> Self {
        Self { telemetry, draining }
    }

    /// Answers on `listener` until `shutdown`; scrapes in flight are cut off.
    pub(crate) async fn run(self, listener: TcpListener, shutdown: CancellationToken) {
        match listener.local_addr() {
            Ok(address) => info!(%address, "metrics are served"),
            Err(error) => warn!(%error, "metrics are served at an address that the system does not tell"),
        }
        let routes = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(async || "alive\n"))
            .route("/readyz", get(ready))
            .with_state(std::sync::Arc::new(self));
        tokio::select! {
            () = shutdown.cancelled() => {}
            served = axum::serve(listener, routes) => if let Err(error) = served {
                warn!(%error, "metrics are served no more");
            }
        }
    }
}

type Shared = State<std::sync::Arc<TelemetryServer>>;

async fn metrics(State(server): Shared) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], server.telemetry.scrape().await)
}

async fn ready(State(server): Shared) -> impl IntoResponse {
    if server.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n".to_owned());
    }
    match server.telemetry.ready(READY_LIMIT).await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}
