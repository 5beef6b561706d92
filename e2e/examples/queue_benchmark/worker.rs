//! Workers whose jobs do nothing: they open sessions, beat, claim, and complete at once with a valid result.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use proto::v1::{
    Assignment, CheckpointRef, ClaimRequest, CompleteRequest, EvaluateResult, HeartbeatRequest, Measurement, Offer,
    OpenSessionRequest, Provenance, StatisticsRef, TrainResult, assignment::Task, complete_request,
    worker_service_client::WorkerServiceClient,
};
use tonic::{Code, transport::Channel};

use crate::coordinator::Coordinator;

/// How long a claim waits for a job.
const CLAIM_WAIT: Duration = Duration::from_secs(10);
/// Pause before a refused call is sent again.
const REFUSED_PAUSE: Duration = Duration::from_millis(20);

/// One session. Clones are the same session.
#[derive(Debug, Clone)]
pub struct Worker {
    client: WorkerServiceClient<Channel>,
    session: String,
    beat: Duration,
    artifact: Arc<[u8]>,
    times: Arc<Times>,
}

/// How long the calls of all workers took.
#[derive(Debug, Default)]
pub struct Times {
    claims: Tally,
    completions: Tally,
}

/// A count and a sum.
#[derive(Debug, Default)]
struct Tally {
    count: AtomicU64,
    nanos: AtomicU64,
}

impl Times {
    /// Mean milliseconds of a claim that brought jobs, and of a completion.
    pub fn means(&self) -> (f64, f64) {
        (self.claims.mean_millis(), self.completions.mean_millis())
    }

    /// Claims that brought jobs.
    pub fn claims(&self) -> u64 {
        self.claims.count.load(Ordering::Relaxed)
    }
}

impl Tally {
    fn add(&self, took: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn mean_millis(&self) -> f64 {
        let count = self.count.load(Ordering::Relaxed).max(1);
        self.nanos.load(Ordering::Relaxed) as f64 / 1e6 / count as f64
    }
}

impl Worker {
    /// Opens a session.
    pub async fn open(coordinator: &Coordinator, channel: Channel, times: Arc<Times>) -> anyhow::Result<Self> {
        let mut client = WorkerServiceClient::new(channel);
        let session = uuid::Uuid::new_v4().to_string();
        let request = OpenSessionRequest {
            session_id: session.clone(),
            worker_name: "benchmark".to_owned(),
            offer: Some(offer()),
            worker_version: "benchmark".to_owned(),
        };
        let lease = client.open_session(request).await?.into_inner().lease.context("a session without a lease")?;
        let beat = Duration::from_millis(lease.beat_millis);
        Ok(Self { client, session, beat, artifact: coordinator.artifact().into(), times })
    }

    /// Claims up to `most` jobs, and waits for the first; none when none came in time.
    pub async fn claim(&self, most: u32) -> anyhow::Result<Vec<Assignment>> {
        let request = ClaimRequest {
            session_id: self.session.clone(),
            offer: Some(offer()),
            wait_millis: u64::try_from(CLAIM_WAIT.as_millis())?,
            max_jobs: most,
        };
        let begun = Instant::now();
        let answer = loop {
            match self.client.clone().claim(request.clone()).await {
                Ok(answer) => break answer.into_inner(),
                Err(status) if status.code() == Code::ResourceExhausted => tokio::time::sleep(REFUSED_PAUSE).await,
                Err(status) => return Err(status).context("a claim failed"),
            }
        };
        if !answer.assignments.is_empty() {
            self.times.claims.add(begun.elapsed());
        }
        Ok(answer.assignments)
    }

    /// Reports the result of a job.
    pub async fn complete(&self, assignment: &Assignment) -> anyhow::Result<()> {
        let request = self.result(assignment)?;
        let begun = Instant::now();
        loop {
            match self.client.clone().complete(request.clone()).await {
                Ok(_) => break,
                Err(status) if status.code() == Code::ResourceExhausted => tokio::time::sleep(REFUSED_PAUSE).await,
                Err(status) => return Err(status).context("a result was not accepted"),
            }
        }
        self.times.completions.add(begun.elapsed());
        Ok(())
    }

    /// Sends one heartbeat.
    pub async fn heartbeat(&self) -> anyhow::Result<()> {
        let request = HeartbeatRequest { session_id: self.session.clone(), progress: Vec::new() };
        let directives = self.client.clone().heartbeat(request).await?.into_inner().directives;
        anyhow::ensure!(directives.is_empty(), "a heartbeat brought {directives:?}");
        Ok(())
    }

    /// Beats for ever; the first beat comes after `share` of a beat, so that workers do not beat together.
    pub async fn beat(self, share: f64) -> anyhow::Result<()> {
        tokio::time::sleep(self.beat.mul_f64(share)).await;
        loop {
            self.heartbeat().await?;
            tokio::time::sleep(self.beat).await;
        }
    }

    fn result(&self, assignment: &Assignment) -> anyhow::Result<CompleteRequest> {
        let provenance = Some(Provenance {
            worker_version: "benchmark".to_owned(),
            device: "cpu".to_owned(),
            threads: 1,
            precision: "float32".to_owned(),
            noise_draws: 1,
        });
        let digest = self.artifact.to_vec();
        let result = match assignment.task.as_ref().context("an assignment without a task")? {
            Task::Train(_) => complete_request::Result::Train(TrainResult {
                checkpoint: Some(CheckpointRef { digest, step: 1 }),
                provenance,
                statistics: Vec::new(),
            }),
            Task::Evaluate(_) => {
                let measurements = vec![auroc()];
                let statistics = Some(StatisticsRef {
                    dataset: "synthetic-strokes".to_owned(),
                    split: "test".to_owned(),
                    images: 64,
                    noise_draws: 1,
                    digest,
                });
                complete_request::Result::Evaluate(EvaluateResult {
                    measurements,
                    provenance,
                    statistics,
                    learned: Vec::new(),
                })
            }
            Task::Inspect(_) | Task::Score(_) => anyhow::bail!("no sweep of the benchmark asks for pictures or scores"),
        };
        Ok(CompleteRequest { attempt: assignment.attempt, result: Some(result) })
    }
}

fn offer() -> Offer {
    Offer { device: "cpu".to_owned(), ..Offer::default() }
}

fn auroc() -> Measurement {
    Measurement {
        score: "log-likelihood".to_owned(),
        metric: "auroc".to_owned(),
        dataset: String::new(),
        value: Some(0.5),
        interval: None,
        n_in: 64,
        n_out: 64,
    }
}
