//! The only place where the parts meet.

use std::{sync::Arc, time::Duration};

use artifacts::{ArtifactError, ArtifactStore};
use domain::{dispatch::Policy, lease::LeaseTerms, preemption};
use proto::v1::{
    artifact_service_server::ArtifactServiceServer, fleet_service_server::FleetServiceServer,
    result_service_server::ResultServiceServer, sweep_service_server::SweepServiceServer,
    worker_service_server::WorkerServiceServer,
};
use store::{Store, StoreError, without_password};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::TcpIncoming};
use tracing::{info, warn};

use crate::{
    Config, Wakeups, grpc,
    lifecycle::{Lifecycle, Terms},
    services::{Acceptor, Accountant, Dispatcher, Listening, Notifier, Preemptor, Reaper, Renewer, Retention},
};

/// Silence after which a connection is asked whether it lives.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How long the answer may take.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long calls in flight may take to end at a shutdown.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(10);
/// Largest message that is taken in: a sweep of ten thousand hand-picked points fits.
const MAX_REQUEST_BYTES: usize = 16 << 20;
/// Largest message that is sent: a table of ten thousand rows fits.
const MAX_RESPONSE_BYTES: usize = 64 << 20;

/// A coordinator that is ready to serve.
#[derive(Debug)]
pub struct App {
    store: Store,
    artifacts: ArtifactStore,
    lease: LeaseTerms,
    retention_days: u32,
    preemption: Option<preemption::Terms>,
    policy: Policy,
}

/// The coordinator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error("{variable}: {reason}")]
    Configuration {
        /// The environment variable; the flag has the same name.
        variable: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The database cannot be used.
    #[error("{source} (at {address}): start PostgreSQL there, or set SPILLWAY_DATABASE_URL")]
    Database {
        /// Its address, without the password.
        address: String,
        /// Why not.
        source: StoreError,
    },
}

/// The coordinator cannot go on serving.
#[derive(Debug, thiserror::Error)]
#[error("the gRPC server failed: {0}")]
pub struct ServeError(#[from] tonic::transport::Error);

impl App {
    /// Connects to the database, brings its schema up to date and opens the artifact store.
    ///
    /// # Errors
    /// [`StartError`] with the setting to change.
    pub async fn build(config: &Config) -> Result<Self, StartError> {
        let lease = config.lease_terms()?;
        let artifacts = ArtifactStore::open(&config.artifacts, config.max_artifact_bytes).map_err(wrong_artifacts)?;
        let address = without_password(&config.database_url);
        let refuse = |source| match source {
            StoreError::Address { .. } => {
                StartError::Configuration { variable: "SPILLWAY_DATABASE_URL", reason: source.to_string() }
            }
            other => StartError::Database { address: address.clone(), source: other },
        };
        let store = Store::connect(&config.connection()).await.map_err(refuse)?;
        store.migrate().await.map_err(refuse)?;
        Ok(Self {
            store,
            artifacts,
            lease,
            retention_days: config.retention_days,
            preemption: config.preemption_terms(),
            policy: config.policy(),
        })
    }

    /// Serves on `listener` until `shutdown`; then long polls and watches end at once, and other calls in flight are finished.
    ///
    /// # Errors
    /// [`ServeError`] when the listener fails.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> Result<(), ServeError> {
        let Self { store, artifacts, lease, retention_days, preemption, policy } = self;
        let wakeups = Wakeups::default();
        let (renewer, renewals) = Renewer::new(store.clone(), lease);
        let terms = Terms { lease, policy };
        let (lifecycle, arrived) = Lifecycle::new(store.clone(), terms, wakeups.clone(), renewals, shutdown.clone());
        let lifecycle = Arc::new(lifecycle);

        // The services outlive the server: calls in flight still need the renewer.
        let background = CancellationToken::new();
        let mut services = JoinSet::new();
        services.spawn(renewer.run(background.clone()));
        services.spawn(Notifier::new(store.clone(), wakeups.clone()).run(background.clone()));
        services.spawn(Listening::new(store.clone(), wakeups.clone()).run(background.clone()));
        services.spawn(Dispatcher::new(Arc::clone(&lifecycle)).run(background.clone()));
        services.spawn(Acceptor::new(Arc::clone(&lifecycle), arrived).run(background.clone()));
        services.spawn(Accountant::new(Arc::clone(&lifecycle)).run(background.clone()));
        services.spawn(Reaper::new(Arc::clone(&lifecycle), lease).run(background.clone()));
        services.spawn(Retention::new(store.clone(), retention_days).run(background.clone()));
        if let Some(terms) = preemption {
            services.spawn(Preemptor::new(Arc::clone(&lifecycle), terms).run(background.clone()));
        }

        let served = serve_grpc(listener, lifecycle, &store, artifacts, terms, wakeups, shutdown).await;
        background.cancel();
        while let Some(ended) = services.join_next().await {
            if let Err(error) = ended {
                warn!(%error, "background service died");
            }
        }
        if tokio::time::timeout(SHUTDOWN_PATIENCE, store.close()).await.is_err() {
            warn!("database connections were cut off");
        }
        info!("coordinator ended");
        served
    }
}

async fn serve_grpc(
    listener: TcpListener,
    lifecycle: Arc<Lifecycle>,
    store: &Store,
    artifacts: ArtifactStore,
    terms: Terms,
    wakeups: Wakeups,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    macro_rules! limited {
        ($server:expr) => {
            $server.max_decoding_message_size(MAX_REQUEST_BYTES).max_encoding_message_size(MAX_RESPONSE_BYTES)
        };
    }
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<SweepServiceServer<grpc::SweepApi>>().await;
    health.set_serving::<WorkerServiceServer<grpc::WorkerApi>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .expect("the descriptors were generated by this build");
    let sweeps = grpc::SweepApi::new(Arc::clone(&lifecycle), store.clone(), wakeups, shutdown.clone());
    let results = grpc::ResultApi::new(store.clone(), shutdown.clone());
    let fleet = grpc::FleetApi::new(Arc::clone(&lifecycle), store.clone(), terms);
    let server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .trace_fn(|request| tracing::info_span!("rpc", path = request.uri().path()))
        .add_service(health_service)
        .add_service(reflection)
        .add_service(limited!(SweepServiceServer::new(sweeps)))
        .add_service(limited!(ResultServiceServer::new(results)))
        .add_service(limited!(FleetServiceServer::new(fleet)))
        .add_service(limited!(WorkerServiceServer::new(grpc::WorkerApi::new(lifecycle))))
        .add_service(limited!(ArtifactServiceServer::new(grpc::ArtifactApi::new(artifacts, store.clone()))))
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            shutdown.clone().cancelled_owned(),
        );
    let patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(SHUTDOWN_PATIENCE).await;
    };
    tokio::select! {
        served = server => Ok(served?),
        () = patience => {
            warn!("calls in flight were cut off");
            Ok(())
        }
    }
}

fn wrong_artifacts(error: ArtifactError) -> StartError {
    StartError::Configuration { variable: "SPILLWAY_ARTIFACTS", reason: error.to_string() }
}
