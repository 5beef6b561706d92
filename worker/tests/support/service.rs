//! The scripted answers of a coordinator.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use domain::{
    Digest, SessionId,
    fleet::Offer,
    lease::{Directive, LeaseTerms},
    report::{Assignment, Attempt, CheckpointRef, Completion, CurvePoint, Failure, LogLine, Progress},
};
use proto::{
    convert::{FromWire, ToWire, invalid_argument, resource_exhausted},
    v1::{self, artifact_service_server::ArtifactService, worker_service_server::WorkerService},
};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::{Stream, iter};
use tonic::{Request, Response, Status, Streaming};

/// Beats fast enough for a test, with a lease long enough for a busy machine.
const TERMS: LeaseTerms =
    LeaseTerms { ttl: Duration::from_secs(20), beat: Duration::from_millis(100), grace: Duration::from_secs(1) };
/// Shorter than a claim asks for, so that new jobs are looked for often.
const CLAIM_WAIT: Duration = Duration::from_millis(200);

/// What a worker said.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    Open(SessionId),
    Heartbeat(SessionId, Vec<Progress>),
    /// A heartbeat that was answered with an outage.
    LostHeartbeat,
    /// An upload that found no room.
    UploadRefused,
    Report {
        attempt: Attempt,
        curve: Vec<CurvePoint>,
        checkpoint: Option<CheckpointRef>,
    },
    /// The lines of a report, with their numbers.
    Log(Attempt, Vec<(u32, String)>),
    Complete(Attempt, Completion),
    Fail(Attempt, Failure),
    Release(Attempt),
    Close(SessionId),
    /// A download was asked for.
    Get(Digest),
}

/// What the coordinator knows and shall answer. It outlives its server, as a database does.
#[derive(Debug, Default)]
pub struct State {
    pub jobs: VecDeque<Assignment>,
    pub artifacts: HashMap<Digest, Vec<u8>>,
    /// Sent with the next heartbeat.
    pub directives: Vec<Directive>,
    /// Attempts whose reports are refused.
    pub stale: BTreeSet<(i64, i32)>,
    /// How many completions are answered with an outage first.
    pub lost_completions: u32,
    /// How many claims are answered with an outage first, as if their answers had been lost.
    pub lost_claims: u32,
    /// How many uploads find the artifact store full first.
    pub full_uploads: u32,
    /// Whether completions break a rule that the worker does not know.
    pub completions_refused: bool,
    /// Whether heartbeats are answered with an outage.
    pub heartbeats_lost: bool,
    /// Time to live of leases that are opened; a long one when absent.
    pub lease_ttl: Option<Duration>,
    /// What the latest claim offered.
    pub offer: Option<Offer>,
    /// Sessions that are no more.
    pub closed: BTreeSet<SessionId>,
}

/// The services. Clones share their state.
#[derive(Debug, Clone)]
pub struct Script {
    state: Arc<Mutex<State>>,
    calls: mpsc::UnboundedSender<Call>,
}

impl Script {
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Call>) {
        let (calls, heard) = mpsc::unbounded_channel();
        (Self { state: Arc::default(), calls }, heard)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn hear(&self, call: Call) {
        // A test that has seen enough does not listen any more.
        let _heard = self.calls.send(call);
    }

    /// The attempt of a report, which must be a current one.
    fn fence(&self, attempt: Option<v1::Attempt>) -> Result<Attempt, Status> {
        let wire = attempt.ok_or_else(|| Status::invalid_argument("attempt: missing"))?;
        let attempt = parse::<Attempt>(wire)?;
        if self.state().stale.contains(&(attempt.job.0, attempt.epoch.0)) {
            return Err(Status::failed_precondition("the epoch is stale"));
        }
        Ok(attempt)
    }

    fn session(&self, id: String) -> Result<SessionId, Status> {
        let id = parse::<SessionId>(id)?;
        if self.state().closed.contains(&id) {
            return Err(Status::not_found("the session is closed"));
        }
        Ok(id)
    }

    fn check_stored(&self, digest: Digest) -> Result<(), Status> {
        let stored = self.state().artifacts.contains_key(&digest);
        if stored { Ok(()) } else { Err(Status::invalid_argument(format!("no artifact {digest}"))) }
    }
}

fn parse<T: FromWire>(wire: T::Wire) -> Result<T, Status> {
    T::from_wire(wire, "").map_err(|violations| invalid_argument(&violations))
}

#[tonic::async_trait]
impl WorkerService for Script {
    async fn open_session(
        &self,
        request: Request<v1::OpenSessionRequest>,
    ) -> Result<Response<v1::OpenSessionResponse>, Status> {
        self.hear(Call::Open(self.session(request.into_inner().session_id)?));
        let terms = LeaseTerms { ttl: self.state().lease_ttl.unwrap_or(TERMS.ttl), ..TERMS };
        Ok(Response::new(v1::OpenSessionResponse { lease: Some(terms.to_wire()) }))
    }

    async fn claim(&self, request: Request<v1::ClaimRequest>) -> Result<Response<v1::ClaimResponse>, Status> {
        let v1::ClaimRequest { session_id, offer, .. } = request.into_inner();
        self.session(session_id)?;
        self.state().offer = offer.map(parse).transpose()?;
        let lost = self.state().lost_claims;
        if lost > 0 {
            self.state().lost_claims = lost - 1;
            return Err(Status::unavailable("the coordinator restarts"));
        }
        let take = || self.state().jobs.pop_front();
        let job = async {
            loop {
                match take() {
                    Some(job) => return job,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        let job = match take() {
            Some(job) => Some(job),
            None => timeout(CLAIM_WAIT, job).await.ok(),
        };
        Ok(Response::new(v1::ClaimResponse { assignments: job.iter().map(|job| job.to_wire()).collect() }))
    }

    async fn heartbeat(
        &self,
        request: Request<v1::HeartbeatRequest>,
    ) -> Result<Response<v1::HeartbeatResponse>, Status> {
        let v1::HeartbeatRequest { session_id, progress } = request.into_inner();
        let id = self.session(session_id)?;
        let progress = progress.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        if self.state().heartbeats_lost {
            self.hear(Call::LostHeartbeat);
            return Err(Status::unavailable("the coordinator is away"));
        }
        self.hear(Call::Heartbeat(id, progress));
        let directives = std::mem::take(&mut self.state().directives);
        Ok(Response::new(v1::HeartbeatResponse { directives: directives.to_wire() }))
    }

    async fn report(&self, request: Request<v1::ReportRequest>) -> Result<Response<v1::ReportResponse>, Status> {
        let v1::ReportRequest { attempt, curve, checkpoint, validation: _, log } = request.into_inner();
        let attempt = self.fence(attempt)?;
        let curve = curve.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let checkpoint = checkpoint.map(parse::<CheckpointRef>).transpose()?;
        if let Some(checkpoint) = checkpoint {
            self.check_stored(checkpoint.digest)?;
        }
        let log = log.into_iter().map(parse::<LogLine>).collect::<Result<Vec<_>, _>>()?;
        let is_of_log_alone = !log.is_empty() && curve.is_empty() && checkpoint.is_none();
        self.hear(Call::Log(attempt, log.into_iter().map(|line| (line.line, line.text)).collect()));
        if !is_of_log_alone {
            self.hear(Call::Report { attempt, curve, checkpoint });
        }
        Ok(Response::new(v1::ReportResponse {}))
    }

    async fn complete(&self, request: Request<v1::CompleteRequest>) -> Result<Response<v1::CompleteResponse>, Status> {
        let v1::CompleteRequest { attempt, result } = request.into_inner();
        let attempt = self.fence(attempt)?;
        let completion = parse::<Completion>(result)?;
        match &completion {
            Completion::Train { checkpoint, statistics, .. } => {
                self.check_stored(checkpoint.digest)?;
                statistics.iter().try_for_each(|one| self.check_stored(one.digest))?;
            }
            Completion::Evaluate { statistics, learned, .. } => {
                learned.iter().chain([statistics]).try_for_each(|one| self.check_stored(one.digest))?;
            }
            Completion::Inspect { figures, .. } => {
                figures.iter().try_for_each(|figure| self.check_stored(figure.digest))?;
            }
            Completion::Score { scores, .. } => self.check_stored(*scores)?,
        }
        self.hear(Call::Complete(attempt, completion));
        let mut state = self.state();
        if state.completions_refused {
            return Err(Status::invalid_argument("result.train.checkpoint: not liked"));
        }
        if state.lost_completions > 0 {
            state.lost_completions -= 1;
            return Err(Status::unavailable("the coordinator restarts"));
        }
        Ok(Response::new(v1::CompleteResponse { duplicate: false }))
    }

    async fn fail(&self, request: Request<v1::FailRequest>) -> Result<Response<v1::FailResponse>, Status> {
        let v1::FailRequest { attempt, kind, message } = request.into_inner();
        let attempt = self.fence(attempt)?;
        self.hear(Call::Fail(attempt, parse((kind, message))?));
        Ok(Response::new(v1::FailResponse {}))
    }

    async fn release(&self, request: Request<v1::ReleaseRequest>) -> Result<Response<v1::ReleaseResponse>, Status> {
        self.hear(Call::Release(self.fence(request.into_inner().attempt)?));
        Ok(Response::new(v1::ReleaseResponse {}))
    }

    async fn close_session(
        &self,
        request: Request<v1::CloseSessionRequest>,
    ) -> Result<Response<v1::CloseSessionResponse>, Status> {
        let id = self.session(request.into_inner().session_id)?;
        self.state().closed.insert(id);
        self.hear(Call::Close(id));
        Ok(Response::new(v1::CloseSessionResponse {}))
    }
}

#[tonic::async_trait]
impl ArtifactService for Script {
    type GetStream = Pin<Box<dyn Stream<Item = Result<v1::GetResponse, Status>> + Send>>;

    async fn put(&self, request: Request<Streaming<v1::PutRequest>>) -> Result<Response<v1::PutResponse>, Status> {
        let mut parts = request.into_inner();
        let Some(v1::PutRequest { part: Some(v1::put_request::Part::Header(header)) }) = parts.message().await? else {
            return Err(Status::invalid_argument("a header comes first"));
        };
        let mut bytes = Vec::new();
        while let Some(v1::PutRequest { part: Some(v1::put_request::Part::Chunk(chunk)) }) = parts.message().await? {
            bytes.extend(chunk);
        }
        let full = self.state().full_uploads;
        if full > 0 {
            self.state().full_uploads = full - 1;
            self.hear(Call::UploadRefused);
            return Err(resource_exhausted("the artifact store is full", Duration::from_millis(100)));
        }
        let digest = parse::<Digest>(header.digest)?;
        if bytes.len() as u64 != header.size || Digest::of(&bytes) != digest {
            return Err(Status::invalid_argument("the bytes are not those announced"));
        }
        let created = self.state().artifacts.insert(digest, bytes).is_none();
        Ok(Response::new(v1::PutResponse { created }))
    }

    async fn get(&self, request: Request<v1::GetRequest>) -> Result<Response<Self::GetStream>, Status> {
        let digest = parse::<Digest>(request.into_inner().digest)?;
        self.hear(Call::Get(digest));
        let bytes = self.state().artifacts.get(&digest).cloned();
        let bytes = bytes.ok_or_else(|| Status::not_found(format!("no artifact {digest}")))?;
        let chunks: Vec<_> =
            bytes.chunks(64 * 1024).map(|chunk| Ok(v1::GetResponse { chunk: chunk.to_vec() })).collect();
        Ok(Response::new(Box::pin(iter(chunks))))
    }

    async fn stat(&self, request: Request<v1::StatRequest>) -> Result<Response<v1::StatResponse>, Status> {
        let digest = parse::<Digest>(request.into_inner().digest)?;
        let size = self.state().artifacts.get(&digest).map(|bytes| bytes.len() as u64);
        Ok(Response::new(v1::StatResponse { exists: size.is_some(), size: size.unwrap_or(0) }))
    }
}
