//! What a coordinator counts and where it shows it. Call sites say in one line what happened; names, labels and the way out live here.
//!
//! Counting adds to an atomic number and never waits. What only the database knows is read when somebody looks, once for several seconds.

mod edge;
mod fields;
mod process;
mod queue;
mod rpc;
mod sampled;
mod server;

use std::{sync::Arc, time::Duration};

use prometheus_client::{encoding::prometheus_text::encode, metrics::info::Info, registry::Registry};
use store::Store;

pub use edge::{ArtifactRefusal, Edge, SubmitRefusal, WaitingSubmit};
pub use fields::{DETAILS, FIELDS, Field};
pub use queue::{Queue, ReportCall, SessionEnd, WaitingClaim};
pub use rpc::{CountedBody, CountedService, RpcLayer};
pub(crate) use server::TelemetryServer;

/// What every name begins with, apart from those of the process itself.
const PREFIX: &str = "spillway";

/// The counters of one coordinator. Cheap to clone; clones are the same.
#[derive(Debug, Clone)]
pub struct Telemetry {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    registry: Registry,
    queue: Queue,
    edge: Edge,
    rpcs: Arc<rpc::Rpcs>,
    sampled: sampled::Sampled,
}

impl Telemetry {
    /// Counters at zero, and `store` to look at, whose leases live for `ttl`.
    #[must_use]
    pub fn new(store: Store, ttl: Duration) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::Process::new()));
        let ours = registry.sub_registry_with_prefix(PREFIX);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        ours.register("build", "The version of this coordinator", build);
        let (queue, edge) = (Queue::register(ours), Edge::register(ours));
        let rpcs = Arc::new(rpc::Rpcs::register(ours));
        let sampled = sampled::Sampled::new(store, ttl);
        ours.register_collector(Box::new(sampled.clone()));
        Self { inner: Arc::new(Inner { registry, queue, edge, rpcs, sampled }) }
    }

    /// Counters of the queue.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.inner.queue
    }

    /// Counters of submits and artifacts.
    #[must_use]
    pub fn edge(&self) -> &Edge {
        &self.inner.edge
    }

    /// Counts the calls of a gRPC server.
    #[must_use]
    pub fn rpc_layer(&self) -> RpcLayer {
        RpcLayer { rpcs: Arc::clone(&self.inner.rpcs) }
    }

    /// The span of an RPC.
    #[must_use]
    pub fn rpc_span(&self, path: &str) -> tracing::Span {
        tracing::info_span!("rpc", method = self.inner.rpcs.name_of(path))
    }

    /// Everything, as Prometheus reads it.
    pub async fn scrape(&self) -> String {
        self.inner.sampled.refresh().await;
        let mut text = String::new();
        encode(&mut text, &self.inner.registry).expect("a string takes whatever is written");
        text
    }

    /// Whether this coordinator can do its work: whether the database answers within `limit`.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self, limit: Duration) -> Result<(), String> {
        self.inner.sampled.ping(limit).await
    }
}
