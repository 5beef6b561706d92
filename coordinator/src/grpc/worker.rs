//! `WorkerService`.

use std::{sync::Arc, time::Duration};

use domain::{
    SessionId,
    fleet::Offer,
    report::{Attempt, CheckpointRef, Completion, CurvePoint, Failure, LogLine, Progress, ValidationPoint},
    spec::Violations,
};
use proto::{
    convert::{Fields, FromWire, ToWire, text_from_wire, worker_name_from_wire},
    v1::{self, worker_service_server::WorkerService},
};
use store::NewSession;
use tonic::{Request, Response, Status};

use super::status;
use crate::lifecycle::{Acceptance, Lifecycle, MAX_JOBS_PER_CLAIM};

/// Sizes of a worker's version, in bytes.
const VERSION_BYTES: std::ops::RangeInclusive<usize> = 1..=200;
/// Most points in one report.
const MAX_POINTS: usize = 10_000;
/// Most lines of a log in one report.
const MAX_LOG_LINES: usize = 1000;
/// Most attempts in one heartbeat.
const MAX_ATTEMPTS: usize = 1000;

pub(crate) struct WorkerApi {
    lifecycle: Arc<Lifecycle>,
}

impl WorkerApi {
    pub(crate) fn new(lifecycle: Arc<Lifecycle>) -> Self {
        Self { lifecycle }
    }
}

#[tonic::async_trait]
impl WorkerService for WorkerApi {
    async fn open_session(
        &self,
        request: Request<v1::OpenSessionRequest>,
    ) -> Result<Response<v1::OpenSessionResponse>, Status> {
        let session = parse_session(request.into_inner()).map_err(refused)?;
        let lease = self.lifecycle.open_session(&session).await.map_err(status::of)?;
        Ok(Response::new(v1::OpenSessionResponse { lease: Some(lease.to_wire()) }))
    }

    async fn claim(&self, request: Request<v1::ClaimRequest>) -> Result<Response<v1::ClaimResponse>, Status> {
        let (session, offer, max_jobs, wait) = parse_claim(request.into_inner()).map_err(refused)?;
        let assignments = self.lifecycle.claim(session, offer, max_jobs, wait).await.map_err(status::of)?;
        Ok(Response::new(v1::ClaimResponse { assignments: assignments.to_wire() }))
    }

    async fn heartbeat(
        &self,
        request: Request<v1::HeartbeatRequest>,
    ) -> Result<Response<v1::HeartbeatResponse>, Status> {
        let (session, progress) = parse_heartbeat(request.into_inner()).map_err(refused)?;
        let directives = self.lifecycle.heartbeat(session, &progress).await.map_err(status::of)?;
        Ok(Response::new(v1::HeartbeatResponse { directives: directives.to_wire() }))
    }

    async fn report(&self, request: Request<v1::ReportRequest>) -> Result<Response<v1::ReportResponse>, Status> {
        let report = parse_report(request.into_inner()).map_err(refused)?;
        let Report { attempt, curve, checkpoint, validation, log } = report;
        // First what stands whatever validation says of the attempt, last the checkpoint: once that is there, an attempt that
        // resumes from it repeats no earlier point.
        if !curve.is_empty() || !log.is_empty() || (validation.is_empty() && checkpoint.is_none()) {
            self.lifecycle.report(attempt, &curve, None, &log).await.map_err(status::of)?;
        }
        self.lifecycle.validate(attempt, &validation).await.map_err(status::of)?;
        if checkpoint.is_some() {
            self.lifecycle.report(attempt, &[], checkpoint, &[]).await.map_err(status::of)?;
        }
        Ok(Response::new(v1::ReportResponse {}))
    }

    async fn complete(&self, request: Request<v1::CompleteRequest>) -> Result<Response<v1::CompleteResponse>, Status> {
        let (attempt, completion) = parse_completion(request.into_inner()).map_err(refused)?;
        let acceptance = self.lifecycle.complete(attempt, completion).await.map_err(status::of)?;
        Ok(Response::new(v1::CompleteResponse { duplicate: acceptance == Acceptance::Duplicate }))
    }

    async fn fail(&self, request: Request<v1::FailRequest>) -> Result<Response<v1::FailResponse>, Status> {
        let (attempt, failure) = parse_failure(request.into_inner()).map_err(refused)?;
        self.lifecycle.fail(attempt, failure).await.map_err(status::of)?;
        Ok(Response::new(v1::FailResponse {}))
    }

    async fn release(&self, request: Request<v1::ReleaseRequest>) -> Result<Response<v1::ReleaseResponse>, Status> {
        let v1::ReleaseRequest { attempt } = request.into_inner();
        let mut fields = Fields::at("");
        let attempt = fields.required("attempt", attempt);
        let attempt = fields.finish(|| attempt).map_err(refused)?;
        self.lifecycle.release(attempt).await.map_err(status::of)?;
        Ok(Response::new(v1::ReleaseResponse {}))
    }

    async fn close_session(
        &self,
        request: Request<v1::CloseSessionRequest>,
    ) -> Result<Response<v1::CloseSessionResponse>, Status> {
        let v1::CloseSessionRequest { session_id } = request.into_inner();
        let session = SessionId::from_wire(session_id, "session_id").map_err(refused)?;
        self.lifecycle.close_session(session).await.map_err(status::of)?;
        Ok(Response::new(v1::CloseSessionResponse {}))
    }
}

fn refused(violations: Violations) -> Status {
    status::refused(&violations)
}

fn parse_session(request: v1::OpenSessionRequest) -> Result<NewSession, Violations> {
    let v1::OpenSessionRequest { session_id, worker_name, offer, worker_version } = request;
    let mut fields = Fields::at("");
    let id = fields.plain("session_id", session_id);
    let worker_name = fields.keep(worker_name_from_wire(worker_name, "worker_name"));
    let offer = fields.required("offer", offer);
    let worker_version = fields.keep(text_from_wire(worker_version, "worker_version", &VERSION_BYTES));
    fields.finish(|| {
        Some(NewSession { id: id?, worker_name: worker_name?, worker_version: worker_version?, offer: offer? })
    })
}

fn parse_claim(request: v1::ClaimRequest) -> Result<(SessionId, Offer, u32, Duration), Violations> {
    let v1::ClaimRequest { session_id, offer, wait_millis, max_jobs } = request;
    let mut fields = Fields::at("");
    let session = fields.plain("session_id", session_id);
    let offer = fields.required("offer", offer);
    let max_jobs = fields.within("max_jobs", max_jobs, &(0..=MAX_JOBS_PER_CLAIM));
    fields.finish(|| Some((session?, offer?, max_jobs?.max(1), Duration::from_millis(wait_millis))))
}

fn parse_heartbeat(request: v1::HeartbeatRequest) -> Result<(SessionId, Vec<Progress>), Violations> {
    let v1::HeartbeatRequest { session_id, progress } = request;
    let mut fields = Fields::at("");
    check_size("progress", progress.len(), MAX_ATTEMPTS)?;
    let session = fields.plain("session_id", session_id);
    let progress = fields.repeated("progress", progress);
    fields.finish(|| Some((session?, progress?)))
}

/// What a worker says of its attempt in mid-run.
struct Report {
    attempt: Attempt,
    curve: Vec<CurvePoint>,
    checkpoint: Option<CheckpointRef>,
    validation: Vec<ValidationPoint>,
    log: Vec<LogLine>,
}

fn parse_report(request: v1::ReportRequest) -> Result<Report, Violations> {
    let v1::ReportRequest { attempt, curve, checkpoint, validation, log } = request;
    let mut fields = Fields::at("");
    check_size("curve", curve.len(), MAX_POINTS)?;
    check_size("validation", validation.len(), MAX_POINTS)?;
    check_size("log", log.len(), MAX_LOG_LINES)?;
    let attempt = fields.required("attempt", attempt);
    let curve = fields.repeated("curve", curve);
    let checkpoint = fields.optional("checkpoint", checkpoint);
    let validation = fields.repeated("validation", validation);
    let log = fields.repeated("log", log);
    fields.finish(|| {
        Some(Report { attempt: attempt?, curve: curve?, checkpoint: checkpoint?, validation: validation?, log: log? })
    })
}

fn parse_completion(request: v1::CompleteRequest) -> Result<(Attempt, Completion), Violations> {
    let v1::CompleteRequest { attempt, result } = request;
    let mut fields = Fields::at("");
    let attempt = fields.required("attempt", attempt);
    let completion = fields.keep(Completion::from_wire(result, ""));
    fields.finish(|| Some((attempt?, completion?)))
}

fn parse_failure(request: v1::FailRequest) -> Result<(Attempt, Failure), Violations> {
    let v1::FailRequest { attempt, kind, message } = request;
    let mut fields = Fields::at("");
    let attempt = fields.required("attempt", attempt);
    let failure = fields.keep(Failure::from_wire((kind, message), ""));
    fields.finish(|| Some((attempt?, failure?)))
}

/// Refused before parsing: violations of a million items would be no smaller than they.
fn check_size(field: &str, items: usize, most: usize) -> Result<(), Violations> {
    if items <= most {
        return Ok(());
    }
    Err(Violations::one(field, format!("{items} items: at most {most} allowed; send several messages")))
}
