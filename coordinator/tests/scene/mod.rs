//! Coordinators in this process on a fresh database, their clients, and a scripted worker.

#![allow(dead_code, reason = "each test file uses a part of this")]

mod scrape;

use std::{net::SocketAddr, time::Duration};

use clap::Parser;
use coordinator::{App, Config};
use domain::{Digest, spec::parse_document, sweep::SweepSpec};
use proto::{
    convert::ToWire,
    v1::{
        self, artifact_service_client::ArtifactServiceClient, fleet_service_client::FleetServiceClient,
        result_service_client::ResultServiceClient, sweep_service_client::SweepServiceClient,
        worker_service_client::WorkerServiceClient,
    },
};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, transport::Channel};
use uuid::Uuid;

#[allow(unused_imports, reason = "not every test file scrapes")]
pub use scrape::metric_in;

/// Longest that anything in a test may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits, but not for ever.
pub async fn soon<T>(what: &str, waiting: impl Future<Output = T>) -> T {
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what} took longer than {PATIENCE:?}"))
}

/// A database and a folder of artifacts that coordinators share.
pub struct Scene {
    pub database: String,
    pub folder: TempDir,
    pub lease: [u64; 3],
    /// What else the coordinators are told.
    pub flags: Vec<&'static str>,
}

/// A coordinator that serves.
pub struct Running {
    pub channel: Channel,
    address: SocketAddr,
    /// Where it serves metrics.
    pub metrics: SocketAddr,
    shutdown: CancellationToken,
    served: JoinHandle<()>,
}

impl Scene {
    pub fn new() -> Self {
        Self::with_lease([30_000, 5_000, 5_000])
    }

    /// Time to live, beat and grace in milliseconds.
    pub fn with_lease(lease: [u64; 3]) -> Self {
        let database = localdb::shared_for_tests().unwrap().fresh_database().unwrap();
        Self { lease, ..Self::on(database) }
    }

    /// On a database of the test's own.
    pub fn on(database: String) -> Self {
        Self { database, folder: tempfile::tempdir().unwrap(), lease: [30_000, 5_000, 5_000], flags: Vec::new() }
    }

    /// Runs a statement behind the coordinators' backs.
    pub fn sql(&self, statement: &str) {
        self.rows(statement);
    }

    /// The rows that a query yields, their columns parted by `|`.
    pub fn rows(&self, query: &str) -> Vec<String> {
        let psql = localdb::ServerBinaries::find().unwrap().directory().join("psql");
        let ran = std::process::Command::new(psql)
            .args(["--quiet", "--no-psqlrc", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1"])
            .args(["--command", query, &self.database])
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).lines().map(str::to_owned).collect()
    }

    pub async fn start(&self) -> Running {
        let [ttl, beat, grace] = self.lease.map(|millis| millis.to_string());
        let arguments = [
            "spillway-coordinator",
            "--database-url",
            &self.database,
            "--artifacts",
            self.folder.path().to_str().unwrap(),
            "--lease-ttl-millis",
            &ttl,
            "--beat-millis",
            &beat,
            "--grace-millis",
            &grace,
        ];
        let config = Config::parse_from(arguments.into_iter().chain(self.flags.iter().copied()));
        let metrics = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let metrics_address = metrics.local_addr().unwrap();
        let app = App::build(&config).await.unwrap().with_metrics(metrics);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        let served = tokio::spawn(async move { app.serve(listener, token).await.unwrap() });
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Running { channel, address, metrics: metrics_address, shutdown, served }
    }
}

impl Running {
    /// A coordinator that runs elsewhere.
    pub async fn at(address: SocketAddr) -> Self {
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        let (shutdown, served) = (CancellationToken::new(), tokio::spawn(async {}));
        Self { channel, address, metrics: address, shutdown, served }
    }

    pub fn sweeps(&self) -> SweepServiceClient<Channel> {
        SweepServiceClient::new(self.channel.clone())
    }

    pub fn results(&self) -> ResultServiceClient<Channel> {
        ResultServiceClient::new(self.channel.clone())
    }

    pub fn fleet(&self) -> FleetServiceClient<Channel> {
        FleetServiceClient::new(self.channel.clone())
    }

    pub fn artifacts(&self) -> ArtifactServiceClient<Channel> {
        ArtifactServiceClient::new(self.channel.clone())
    }

    /// One more connection.
    pub async fn connect(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    pub fn worker(&self) -> Worker {
        self.worker_on(self.channel.clone())
    }

    pub fn worker_on(&self, channel: Channel) -> Worker {
        Worker { client: WorkerServiceClient::new(channel), session: Uuid::new_v4().to_string() }
    }

    /// A worker whose session is open.
    pub async fn open_worker(&self) -> Worker {
        let mut worker = self.worker();
        worker.open().await.unwrap();
        worker
    }

    pub async fn submit(&self, spec: &SweepSpec) -> Result<v1::SubmitResponse, Status> {
        let request = v1::SubmitRequest { sweep: Some(spec.to_wire()), ..v1::SubmitRequest::default() };
        Ok(self.sweeps().submit(request).await?.into_inner())
    }

    pub async fn put(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.put_as(digest, bytes.len() as u64, bytes).await.unwrap();
        digest
    }

    pub async fn put_as(&self, digest: Digest, size: u64, bytes: &[u8]) -> Result<bool, Status> {
        let header = v1::put_request::Part::Header(v1::PutHeader { digest: digest.to_wire(), size });
        let chunks = bytes.chunks(5).map(|chunk| v1::put_request::Part::Chunk(chunk.to_vec()));
        let parts: Vec<_> =
            std::iter::once(header).chain(chunks).map(|part| v1::PutRequest { part: Some(part) }).collect();
        Ok(self.artifacts().put(futures::stream::iter(parts)).await?.into_inner().created)
    }

    pub async fn jobs(&self, sweep: &str) -> Vec<v1::JobRow> {
        let request = v1::ListJobsRequest { sweep: sweep.to_owned(), state: String::new(), limit: 0 };
        self.results().list_jobs(request).await.unwrap().into_inner().jobs
    }

    pub async fn states(&self, sweep: &str) -> Vec<String> {
        self.jobs(sweep).await.into_iter().map(|job| job.state).collect()
    }

    pub fn request_shutdown(&self) {
        self.shutdown.cancel();
    }

    pub async fn ended(self) {
        self.shutdown.cancel();
        // An open connection would hold the server up until it is told to go.
        drop(self.channel);
        soon("the shutdown", self.served).await.unwrap();
    }
}

/// The other side of `WorkerService`.
pub struct Worker {
    pub client: WorkerServiceClient<Channel>,
    pub session: String,
}

impl Worker {
    pub async fn open(&mut self) -> Result<v1::LeaseTerms, Status> {
        let request = v1::OpenSessionRequest {
            session_id: self.session.clone(),
            worker_name: "scripted".to_owned(),
            offer: Some(offer()),
            worker_version: "test".to_owned(),
        };
        Ok(self.client.open_session(request).await?.into_inner().lease.unwrap())
    }

    pub async fn claim(&mut self, wait_millis: u64) -> Result<Option<v1::Assignment>, Status> {
        let request =
            v1::ClaimRequest { session_id: self.session.clone(), offer: Some(offer()), wait_millis, max_jobs: 1 };
        Ok(self.client.claim(request).await?.into_inner().assignments.into_iter().next())
    }

    /// Claims and yields the attempt; there must be a job.
    pub async fn attempt(&mut self) -> v1::Attempt {
        soon("a claim", self.claim(30_000)).await.unwrap().expect("a job is ready").attempt.unwrap()
    }

    pub async fn heartbeat(&mut self, attempts: &[v1::Attempt]) -> Result<Vec<v1::directive::Kind>, Status> {
        let progress = |attempt: &v1::Attempt| v1::Progress {
            attempt: Some(*attempt),
            done: 3,
            total: 10,
            images_per_second: 50.0,
            bits_per_dim: Some(4.5),
        };
        let request = v1::HeartbeatRequest {
            session_id: self.session.clone(),
            progress: attempts.iter().map(progress).collect(),
        };
        let directives = self.client.heartbeat(request).await?.into_inner().directives;
        Ok(directives.into_iter().map(|directive| directive.kind.unwrap()).collect())
    }

    pub async fn complete(
        &mut self,
        attempt: v1::Attempt,
        result: v1::complete_request::Result,
    ) -> Result<bool, Status> {
        let request = v1::CompleteRequest { attempt: Some(attempt), result: Some(result) };
        Ok(self.client.complete(request).await?.into_inner().duplicate)
    }

    pub async fn release(&mut self, attempt: v1::Attempt) -> Result<(), Status> {
        self.client.release(v1::ReleaseRequest { attempt: Some(attempt) }).await.map(drop)
    }

    pub async fn fail(&mut self, attempt: v1::Attempt, message: &str) -> Result<(), Status> {
        let kind = v1::FailureKind::Own.into();
        let request = v1::FailRequest { attempt: Some(attempt), kind, message: message.to_owned() };
        self.client.fail(request).await.map(drop)
    }

    pub async fn report(
        &mut self,
        attempt: v1::Attempt,
        steps: &[u64],
        checkpoint: Option<v1::CheckpointRef>,
    ) -> Result<(), Status> {
        let point = |&step: &u64| v1::CurvePoint { step, loss_nats: 900.0, bits_per_dim: 1.5, gradient_norm: 2.0 };
        let curve = steps.iter().map(point).collect();
        let request = v1::ReportRequest { attempt: Some(attempt), curve, checkpoint, ..Default::default() };
        self.client.report(request).await.map(drop)
    }

    /// Sends lines of the attempt's log, numbered from `first` on.
    pub async fn write(&mut self, attempt: v1::Attempt, first: u32, lines: &[&str]) -> Result<(), Status> {
        let line = |(line, text): (u32, &&str)| v1::LogLine { line, age_millis: 0, text: (*text).to_owned() };
        let log = (first..).zip(lines).map(line).collect();
        let request = v1::ReportRequest { attempt: Some(attempt), log, ..Default::default() };
        self.client.report(request).await.map(drop)
    }

    /// Reports what validation measured: steps and bits per dimension.
    pub async fn validate(&mut self, attempt: v1::Attempt, points: &[(u64, Option<f64>)]) -> Result<(), Status> {
        let point =
            |&(step, bits_per_dim): &(u64, Option<f64>)| v1::ValidationPoint { step, bits_per_dim, auroc: None };
        let validation = points.iter().map(point).collect();
        let request = v1::ReportRequest { attempt: Some(attempt), validation, ..Default::default() };
        self.client.report(request).await.map(drop)
    }
}

pub fn offer() -> v1::Offer {
    v1::Offer { device: "cpu".to_owned(), ..v1::Offer::default() }
}

pub fn trained(digest: Digest, step: u64) -> v1::complete_request::Result {
    let checkpoint = Some(v1::CheckpointRef { digest: digest.to_wire(), step });
    let (provenance, statistics) = (Some(provenance()), Vec::new());
    v1::complete_request::Result::Train(v1::TrainResult { checkpoint, provenance, statistics })
}

pub fn evaluated(statistics: Digest, auroc: f64) -> v1::complete_request::Result {
    let measurement = v1::Measurement {
        score: "log-likelihood".to_owned(),
        metric: "auroc".to_owned(),
        dataset: String::new(),
        value: Some(auroc),
        interval: Some(v1::Interval { low: auroc / 2.0, high: 1.0, method: "delong".to_owned() }),
        n_in: 20,
        n_out: 10,
    };
    v1::complete_request::Result::Evaluate(v1::EvaluateResult {
        measurements: vec![measurement],
        provenance: Some(provenance()),
        statistics: Some(v1::StatisticsRef {
            dataset: "synthetic-strokes".to_owned(),
            split: "test".to_owned(),
            images: 10,
            noise_draws: 1,
            digest: statistics.to_wire(),
        }),
        learned: Vec::new(),
    })
}

pub fn inspected(figures: &[(&str, Digest)]) -> v1::complete_request::Result {
    let figure = |(name, digest): &(&str, Digest)| v1::Figure {
        name: (*name).to_owned(),
        caption: format!("shows {name}"),
        digest: digest.to_wire(),
        media_type: "image/png".to_owned(),
        width: 30,
        height: 20,
    };
    v1::complete_request::Result::Inspect(v1::InspectResult {
        figures: figures.iter().map(figure).collect(),
        provenance: Some(provenance()),
    })
}

fn provenance() -> v1::Provenance {
    v1::Provenance {
        worker_version: "test".to_owned(),
        device: "cpu".to_owned(),
        threads: 1,
        precision: "float32".to_owned(),
        noise_draws: 1,
    }
}

pub fn sweep_spec(name: &str, seeds: &[u64]) -> SweepSpec {
    let document = serde_json::json!({
        "name": name,
        "seeds": seeds,
        "base": {
            "model": {"realnvp": {"mask": "cycle", "st_network": {"resnet": {"width": 4, "blocks": 1}}}},
            "data": {"dataset": "synthetic-shapes"},
            "training": {"steps": 10, "batch_size": 8, "optimiser": {"adam": {"learning_rate": 5e-4}}},
            "evaluation": {"out": ["synthetic-strokes"]},
        },
    });
    parse_document(&document, "").unwrap()
}

/// A sweep of so many experiments of 90 steps with validation every 10 of them.
pub fn validated_sweep(name: &str, experiments: u32, rules: serde_json::Value) -> SweepSpec {
    let values: Vec<f64> = (1..=experiments).map(|place| f64::from(place) * 1e-4).collect();
    let mut document = serde_json::json!({
        "name": name,
        "seeds": [1],
        "base": {
            "model": {"realnvp": {"mask": "cycle", "st_network": {"resnet": {"width": 4, "blocks": 1}}}},
            "data": {"dataset": "synthetic-shapes"},
            "training": {
                "steps": 90, "batch_size": 8, "optimiser": {"adam": {"learning_rate": 5e-4}},
                "validation": {"every_steps": 10, "examples": 100},
            },
            "evaluation": {"out": ["synthetic-strokes"]},
        },
        "expansion": {"grid": {"axes": [{"field": "training.optimiser.adam.learning_rate", "values": values}]}},
    });
    document.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
    parse_document(&document, "").unwrap()
}

/// The same, with pictures.
pub fn inspected_sweep(name: &str, seeds: &[u64]) -> SweepSpec {
    let mut spec = sweep_spec(name, seeds);
    spec.base.inspection = Some(serde_json::from_value(serde_json::json!({})).unwrap());
    spec
}

pub fn code<T: std::fmt::Debug>(answer: Result<T, Status>) -> Code {
    answer.unwrap_err().code()
}
