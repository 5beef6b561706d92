//! Messages as they go over the wire to one of the coordinators.

use std::time::Duration;

use domain::{
    Digest,
    job::{FailureKind, JobKind},
    spec::{ScoreChoice, ScoreName},
    sweep::SweepSpec,
};
use proto::{
    convert::ToWire,
    v1::{self, directive::Kind, sweep_service_client::SweepServiceClient, worker_service_client::WorkerServiceClient},
};
use tonic::{Code, Status, transport::Channel};
use uuid::Uuid;

use crate::{
    log::{Answer, Attempt, Message, Parts, Says},
    scene::{Running, offer, sweep_spec},
};

/// Budgets small enough to be spent.
pub const BUDGET: u16 = 2;
/// Points in a report.
pub const POINTS: u64 = 2;
/// Steps that belong to one message: its points and its checkpoint.
const STEPS: u64 = POINTS + 1;
/// What the hundredth part of an AUROC is.
const PARTS: u64 = 100_000;

/// The clients of one coordinator.
#[derive(Debug, Clone)]
pub struct Wire {
    worker: WorkerServiceClient<Channel>,
    sweeps: SweepServiceClient<Channel>,
    artifacts: Vec<Digest>,
}

impl Wire {
    pub fn new(coordinator: &Running, artifacts: &[Digest]) -> Self {
        Self {
            worker: WorkerServiceClient::new(coordinator.channel.clone()),
            sweeps: coordinator.sweeps(),
            artifacts: artifacts.to_vec(),
        }
    }

    /// Sends `message` and hears the answer, unless patience ends first: then the call is cut off wherever it is.
    pub async fn send(&self, message: &Message, patience: Option<Duration>) -> Answer {
        let calling = self.call(message);
        let answered = match patience {
            None => Some(calling.await),
            Some(patience) => tokio::time::timeout(patience, calling).await.ok(),
        };
        match answered {
            None => Answer::Unknown,
            Some(Ok(answer)) => answer,
            Some(Err(status)) => refusal(&status),
        }
    }

    async fn call(&self, message: &Message) -> Result<Answer, Status> {
        let mut worker = self.worker.clone();
        let mut sweeps = self.sweeps.clone();
        let id = message.id;
        Ok(match &message.says {
            Says::Open { session } => {
                worker.open_session(opening(*session)).await?;
                Answer::Done
            }
            Says::Claim { session, jobs, wait_millis } => {
                let answer = worker.claim(claim(*session, *jobs, *wait_millis)).await?;
                Answer::Assigned(answer.into_inner().assignments.iter().map(assigned).collect())
            }
            Says::Beat { session, attempts } => directed(&worker.heartbeat(beat(*session, attempts, id)).await?),
            Says::Report { attempt, parts } => {
                worker.report(self.report(*attempt, *parts, id)).await?;
                Answer::Done
            }
            Says::Complete { attempt, kind } => {
                let repeated = worker.complete(self.completion(*attempt, *kind, id)).await?.into_inner().duplicate;
                if repeated { Answer::Repeated } else { Answer::Done }
            }
            Says::Fail { attempt, kind } => {
                worker.fail(failure(*attempt, *kind, id)).await?;
                Answer::Done
            }
            Says::Release { attempt } => {
                worker.release(v1::ReleaseRequest { attempt: Some(attempt.on_wire()), ..Default::default() }).await?;
                Answer::Done
            }
            Says::Close { session } => {
                let request = v1::CloseSessionRequest { session_id: session.to_string(), ..Default::default() };
                worker.close_session(request).await?;
                Answer::Done
            }
            Says::Submit { sweep, seeds } => {
                let sweep = Some(small_budgets(sweep, *seeds).to_wire());
                let request = v1::SubmitRequest { sweep, idempotency_key: format!("m{id}"), ..Default::default() };
                let created = sweeps.submit(request).await?.into_inner().created;
                if created { Answer::Done } else { Answer::Repeated }
            }
            Says::Cancel { sweep } => {
                let reason = reason_of(id);
                let request = v1::CancelRequest { sweep: sweep.clone(), reason, ..Default::default() };
                Answer::Changed(sweeps.cancel(request).await?.into_inner().cancelled)
            }
            Says::Retry { sweep } => {
                let request = v1::RetryRequest { sweep: sweep.clone(), ..Default::default() };
                Answer::Changed(sweeps.retry(request).await?.into_inner().retried)
            }
        })
    }

    fn report(&self, attempt: Attempt, parts: Parts, id: u64) -> v1::ReportRequest {
        let point = |step| v1::CurvePoint {
            step,
            loss_nats: loss_of(id),
            bits_per_dim: 1.5,
            gradient_norm: 2.0,
            ..Default::default()
        };
        let checkpoint = v1::CheckpointRef {
            digest: self.artifacts[artifact_of(id, self.artifacts.len())].to_wire(),
            step: checkpoint_step(id),
            ..Default::default()
        };
        let points = matches!(parts, Parts::Points | Parts::Both);
        let line = v1::LogLine { line: line_of(id), text: version_of(id), ..Default::default() };
        v1::ReportRequest {
            attempt: Some(attempt.on_wire()),
            curve: if points { point_steps(id).map(point).collect() } else { Vec::new() },
            checkpoint: matches!(parts, Parts::Checkpoint | Parts::Both).then_some(checkpoint),
            log: (parts == Parts::Line).then_some(line).into_iter().collect(),
            ..Default::default()
        }
    }

    fn completion(&self, attempt: Attempt, kind: JobKind, id: u64) -> v1::CompleteRequest {
        let digest = self.artifacts[artifact_of(id, self.artifacts.len())].to_wire();
        let provenance = Some(v1::Provenance {
            worker_version: version_of(id),
            device: "cpu".to_owned(),
            threads: 1,
            precision: "float32".to_owned(),
            noise_draws: 1,
            ..Default::default()
        });
        let result = match kind {
            JobKind::Train => v1::complete_request::Result::Train(v1::TrainResult {
                checkpoint: Some(v1::CheckpointRef {
                    digest: digest.clone(),
                    step: checkpoint_step(id),
                    ..Default::default()
                }),
                provenance,
                statistics: vec![statistics("synthetic-shapes", digest)],
                ..Default::default()
            }),
            JobKind::Score | JobKind::Probe => v1::complete_request::Result::Score(v1::ScoreResult {
                measurements: vec![measurement(id)],
                scores: digest,
                provenance,
                ..Default::default()
            }),
            JobKind::Evaluate | JobKind::Inspect => v1::complete_request::Result::Evaluate(v1::EvaluateResult {
                measurements: vec![measurement(id)],
                statistics: Some(statistics("synthetic-strokes", digest)),
                provenance,
                ..Default::default()
            }),
        };
        v1::CompleteRequest { attempt: Some(attempt.on_wire()), result: Some(result), ..Default::default() }
    }
}

impl Attempt {
    fn on_wire(self) -> v1::Attempt {
        v1::Attempt { job_id: self.job, epoch: self.epoch, ..Default::default() }
    }

    fn from_wire(attempt: &v1::Attempt) -> Self {
        Self { job: attempt.job_id, epoch: attempt.epoch }
    }
}

/// What a message writes, so that the tables can be compared with it.
pub fn message_of_step(step: u64) -> u64 {
    step / STEPS
}

pub fn point_steps(id: u64) -> impl Iterator<Item = u64> {
    (1..=POINTS).map(move |point| id * STEPS + point)
}

pub fn checkpoint_step(id: u64) -> u64 {
    id * STEPS
}

pub fn loss_of(id: u64) -> f64 {
    f64::from(u32::try_from(id % 1_000_000_007).expect("below 2³²"))
}

/// Lines are few: two messages may want the same one, and the first has it.
pub fn line_of(id: u64) -> u32 {
    u32::try_from(id % 4_096).expect("below 2³²") + 1
}

pub fn artifact_of(id: u64, artifacts: usize) -> usize {
    usize::try_from(id).expect("64 bits") % artifacts
}

pub fn auroc_of(id: u64) -> f64 {
    f64::from(u32::try_from(id % PARTS).expect("below 2³²")) / f64::from(u32::try_from(PARTS).expect("below 2³²"))
}

pub fn version_of(id: u64) -> String {
    format!("m{id}")
}

pub fn reason_of(id: u64) -> String {
    format!("cancelled by m{id}")
}

pub fn failure_text(kind: FailureKind, id: u64) -> String {
    format!("{} m{id}", kind.as_str())
}

/// The id of the message that a text names last.
pub fn id_in(text: &str) -> Option<u64> {
    text.rsplit_once('m')?.1.parse().ok()
}

fn opening(session: Uuid) -> v1::OpenSessionRequest {
    v1::OpenSessionRequest {
        session_id: session.to_string(),
        worker_name: "interleaved".to_owned(),
        offer: Some(offer()),
        worker_version: "test".to_owned(),
        ..Default::default()
    }
}

fn claim(session: Uuid, max_jobs: u32, wait_millis: u64) -> v1::ClaimRequest {
    v1::ClaimRequest {
        session_id: session.to_string(),
        offer: Some(offer()),
        wait_millis,
        max_jobs,
        ..Default::default()
    }
}

fn beat(session: Uuid, attempts: &[Attempt], id: u64) -> v1::HeartbeatRequest {
    let progress = |attempt: &Attempt| v1::Progress {
        attempt: Some(attempt.on_wire()),
        done: id,
        total: u64::MAX >> 2,
        images_per_second: 50.0,
        bits_per_dim: Some(4.5),
        ..Default::default()
    };
    let progress = attempts.iter().map(progress).collect();
    v1::HeartbeatRequest { session_id: session.to_string(), progress, ..Default::default() }
}

fn failure(attempt: Attempt, kind: FailureKind, id: u64) -> v1::FailRequest {
    let message = failure_text(kind, id);
    let kind = match kind {
        FailureKind::Permanent => v1::FailureKind::Permanent,
        FailureKind::Own => v1::FailureKind::Own,
        FailureKind::Infrastructure => v1::FailureKind::Infrastructure,
        FailureKind::Crash => v1::FailureKind::Crash,
    };
    v1::FailRequest { attempt: Some(attempt.on_wire()), kind: kind.into(), message, ..Default::default() }
}

fn measurement(id: u64) -> v1::Measurement {
    v1::Measurement {
        score: "log-likelihood".to_owned(),
        metric: "auroc".to_owned(),
        value: Some(auroc_of(id)),
        n_in: id,
        n_out: 10,
        ..Default::default()
    }
}

fn statistics(dataset: &str, digest: Vec<u8>) -> v1::StatisticsRef {
    v1::StatisticsRef {
        dataset: dataset.to_owned(),
        split: "test".to_owned(),
        images: 1,
        noise_draws: 1,
        digest,
        ..Default::default()
    }
}

/// Most seeds of a sweep with a job that waits for all of them: with more, one of them always ends without success.
const FEW_SEEDS: u64 = 5;

/// Jobs of a sweep of so many seeds.
pub fn jobs_of(seeds: u64) -> u64 {
    2 * seeds + u64::from((2..=FEW_SEEDS).contains(&seeds))
}

fn small_budgets(name: &str, seeds: u64) -> SweepSpec {
    let seeds: Vec<u64> = (1..=seeds).collect();
    let mut spec = sweep_spec(name, &seeds);
    if (2..=FEW_SEEDS).contains(&(seeds.len() as u64)) {
        let scores = [ScoreName::LogLikelihood, ScoreName::Waic];
        spec.base.evaluation.scores = Some(scores.map(ScoreChoice::One).to_vec());
    }
    spec.execution.max_failures = BUDGET;
    spec.execution.max_infrastructure_failures = BUDGET;
    spec.execution.max_crashes = BUDGET;
    spec
}

fn assigned(assignment: &v1::Assignment) -> (Attempt, JobKind) {
    let kind = match &assignment.task {
        Some(v1::assignment::Task::Evaluate(_)) => JobKind::Evaluate,
        Some(v1::assignment::Task::Inspect(_)) => JobKind::Inspect,
        Some(v1::assignment::Task::Score(_)) => JobKind::Score,
        Some(v1::assignment::Task::Train(_)) | None => JobKind::Train,
    };
    (Attempt::from_wire(&assignment.attempt.unwrap_or_default()), kind)
}

fn directed(answer: &tonic::Response<v1::HeartbeatResponse>) -> Answer {
    let mut abandoned = Vec::new();
    for directive in &answer.get_ref().directives {
        match &directive.kind {
            Some(Kind::SessionLost(_)) => return Answer::SessionGone,
            Some(Kind::Abandon(attempt)) => abandoned.push(Attempt::from_wire(attempt)),
            // Whatever else a worker is told changes nothing that is checked here.
            _ => {}
        }
    }
    Answer::Beaten(abandoned)
}

fn refusal(status: &Status) -> Answer {
    match status.code() {
        Code::FailedPrecondition => Answer::Stale,
        Code::NotFound => Answer::SessionGone,
        Code::Aborted | Code::ResourceExhausted => Answer::Busy,
        Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded => Answer::Unknown,
        _ => Answer::Unforeseen(status.to_string()),
    }
}
