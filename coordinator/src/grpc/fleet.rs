//! `FleetService`.

use std::sync::Arc;

use domain::{JobId, lease::LeaseTerms, spec::Violations};
use proto::{
    convert::{FromWire, ToWire, worker_name_from_wire},
    v1::{self, fleet_service_server::FleetService},
};
use store::{HeldJob, OpenSession, Sessions, Store, WorkerRow, WorkersNamed};
use tonic::{Request, Response, Status};

use super::{explain, rows::large_count, status};
use crate::lifecycle::{Lifecycle, Terms};

/// Workers listed when the request does not say.
const DEFAULT_WORKERS: u32 = 200;
/// Most workers listed.
const MAX_WORKERS: u32 = 2000;

pub(crate) struct FleetApi {
    lifecycle: Arc<Lifecycle>,
    store: Store,
    terms: Terms,
}

impl FleetApi {
    pub(crate) fn new(lifecycle: Arc<Lifecycle>, store: Store, terms: Terms) -> Self {
        Self { lifecycle, store, terms }
    }
}

#[tonic::async_trait]
impl FleetService for FleetApi {
    async fn list_workers(
        &self,
        request: Request<v1::ListWorkersRequest>,
    ) -> Result<Response<v1::ListWorkersResponse>, Status> {
        let v1::ListWorkersRequest { closed, limit } = request.into_inner();
        let limit = if limit == 0 { DEFAULT_WORKERS } else { limit.min(MAX_WORKERS) };
        let sessions = if closed { Sessions::All } else { Sessions::Open };
        let found = self.store.workers(sessions, limit).await.map_err(|error| status::of_store(&error))?;
        let workers = found.into_iter().map(|row| worker(row, &self.terms.lease)).collect();
        Ok(Response::new(v1::ListWorkersResponse { workers, terms: Some(self.terms.lease.to_wire()) }))
    }

    async fn drain(&self, request: Request<v1::DrainRequest>) -> Result<Response<v1::DrainResponse>, Status> {
        let v1::DrainRequest { target } = request.into_inner();
        let target = parse_target(target).map_err(|refusal| status::refused(&refusal))?;
        let told = self.lifecycle.drain(&target).await.map_err(status::of)?;
        let beat_millis = self.terms.lease.to_wire().beat_millis;
        Ok(Response::new(v1::DrainResponse { workers: told.into_iter().map(drained).collect(), beat_millis }))
    }

    async fn explain(&self, request: Request<v1::ExplainRequest>) -> Result<Response<v1::ExplainResponse>, Status> {
        let v1::ExplainRequest { job_id } = request.into_inner();
        let job = JobId::from_wire(job_id, "job_id").map_err(|refusal| status::refused(&refusal))?;
        let found = explain::explanation(&self.store, &self.terms, job).await;
        let found = found.map_err(|error| status::of_store(&error))?;
        found.map(Response::new).ok_or_else(|| status::no_such_job(job))
    }
}

fn parse_target(target: Option<v1::drain_request::Target>) -> Result<WorkersNamed, Violations> {
    match target {
        None => Err(Violations::one("target", "missing: one of worker, all expected")),
        Some(v1::drain_request::Target::All(v1::AllWorkers {})) => Ok(WorkersNamed::All),
        Some(v1::drain_request::Target::Worker(name)) => worker_name_from_wire(name, "worker").map(WorkersNamed::By),
    }
}

fn worker(row: WorkerRow, terms: &LeaseTerms) -> v1::WorkerRow {
    let heartbeat = row.closed.is_none().then(|| terms.heartbeat(row.lease_until, row.now));
    let (closed_at, close_reason) = row.closed.unzip();
    v1::WorkerRow {
        session_id: row.session.to_wire(),
        name: row.name,
        version: row.version,
        device: row.offer.device.to_string(),
        memory_bytes: row.offer.memory_bytes,
        opened_at: Some(row.opened_at.to_wire()),
        closed_at: closed_at.map(|at| at.to_wire()),
        close_reason: close_reason.unwrap_or_default(),
        draining: row.is_draining,
        heartbeat: heartbeat.map_or("", |(_, heartbeat)| heartbeat.as_str()).to_owned(),
        heartbeat_secs: heartbeat.map_or(0.0, |(ago, _)| ago.as_secs_f64()),
        jobs: row.jobs.into_iter().map(held).collect(),
        idle_since: row.idle_since.map(|at| at.to_wire()),
        labels: row.offer.labels.iter().map(ToString::to_string).collect(),
    }
}

fn held(job: HeldJob) -> v1::HeldJob {
    v1::HeldJob {
        job_id: job.job.to_wire(),
        kind: job.kind,
        sweep: job.sweep,
        variant: job.variant,
        seed: large_count(job.seed),
        out_dataset: job.out_dataset.unwrap_or_default(),
        since: job.started_at.map(|at| at.to_wire()),
        done: large_count(job.done),
        total: large_count(job.total),
    }
}

fn drained(session: OpenSession) -> v1::DrainedWorker {
    v1::DrainedWorker {
        session_id: session.session.to_wire(),
        name: session.name,
        already: session.is_draining,
        job_ids: session.jobs.iter().map(ToWire::to_wire).collect(),
    }
}
