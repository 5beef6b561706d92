//! `SweepService`.

use std::sync::Arc;

use domain::{
    JobId,
    job::{JobKind, RetryScope},
    spec::{ScoreChoice, Violations},
    sweep::{Expanded, SweepSpec},
};
use futures::stream::BoxStream;
use proto::{
    convert::{Fields, FromWire, MAX_SCORES, ToWire, idempotency_key_from_wire, reason_from_wire, user_from_wire},
    v1::{self, sweep_service_server::SweepService},
};
use store::Store;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{description, find_sweep, rows, status, table, watch::Watch};
use crate::{
    Wakeups,
    lifecycle::{Lifecycle, Rescored, Submission, expand},
};

/// Sweeps listed when the request does not say.
const DEFAULT_SWEEPS: u32 = 50;
/// Most sweeps listed.
const MAX_SWEEPS: u32 = 500;

pub(crate) struct SweepApi {
    lifecycle: Arc<Lifecycle>,
    store: Store,
    wakeups: Wakeups,
    shutdown: CancellationToken,
}

impl SweepApi {
    pub(crate) fn new(lifecycle: Arc<Lifecycle>, store: Store, wakeups: Wakeups, shutdown: CancellationToken) -> Self {
        Self { lifecycle, store, wakeups, shutdown }
    }

    async fn summary(&self, sweep: domain::SweepId) -> Result<v1::SweepSummary, Status> {
        let row = self.store.sweep_summary(sweep).await.map_err(|error| status::of_store(&error))?;
        row.map(|row| rows::summary(&row)).ok_or_else(|| Status::not_found(format!("sweep {sweep} is gone")))
    }
}

#[tonic::async_trait]
impl SweepService for SweepApi {
    type WatchStream = BoxStream<'static, Result<v1::WatchResponse, Status>>;

    async fn submit(&self, request: Request<v1::SubmitRequest>) -> Result<Response<v1::SubmitResponse>, Status> {
        let submission = parse_submit(request.into_inner()).map_err(|refusal| status::refused(&refusal))?;
        let submitted = self.lifecycle.submit(submission).await.map_err(status::of)?;
        let sweep = Some(self.summary(submitted.sweep).await?);
        Ok(Response::new(v1::SubmitResponse { sweep, created: submitted.created }))
    }

    async fn validate(&self, request: Request<v1::ValidateRequest>) -> Result<Response<v1::ValidateResponse>, Status> {
        let v1::ValidateRequest { sweep } = request.into_inner();
        let spec = parse_sweep(sweep).map_err(|refusal| status::refused(&refusal))?;
        let (_, expanded) = expand(spec).await.map_err(|refusal| status::refused(&refusal))?;
        Ok(Response::new(counted(&expanded)))
    }

    async fn get(&self, request: Request<v1::GetSweepRequest>) -> Result<Response<v1::SweepSummary>, Status> {
        let v1::GetSweepRequest { sweep } = request.into_inner();
        let sweep = find_sweep(&self.store, &sweep).await?;
        Ok(Response::new(self.summary(sweep).await?))
    }

    async fn describe(
        &self,
        request: Request<v1::DescribeSweepRequest>,
    ) -> Result<Response<v1::DescribeSweepResponse>, Status> {
        let v1::DescribeSweepRequest { sweep, max_variants } = request.into_inner();
        let sweep = find_sweep(&self.store, &sweep).await?;
        Ok(Response::new(description::describe(&self.store, sweep, max_variants).await?))
    }

    async fn list(&self, request: Request<v1::ListSweepsRequest>) -> Result<Response<v1::ListSweepsResponse>, Status> {
        let v1::ListSweepsRequest { limit } = request.into_inner();
        let limit = if limit == 0 { DEFAULT_SWEEPS } else { limit.min(MAX_SWEEPS) };
        let found = self.store.sweep_summaries(limit).await.map_err(|error| status::of_store(&error))?;
        Ok(Response::new(v1::ListSweepsResponse { sweeps: found.iter().map(rows::summary).collect() }))
    }

    async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let v1::WatchRequest { sweep, scores } = request.into_inner();
        let scores = table::scores(scores).map_err(|refusal| status::refused(&refusal))?;
        let sweep = find_sweep(&self.store, &sweep).await?;
        let watch = Watch::new(self.store.clone(), &self.wakeups, self.shutdown.clone(), sweep, scores);
        Ok(Response::new(Box::pin(watch.into_stream())))
    }

    async fn cancel(&self, request: Request<v1::CancelRequest>) -> Result<Response<v1::CancelResponse>, Status> {
        let v1::CancelRequest { sweep, reason, job_id } = request.into_inner();
        let (reason, only) = parse_cancel(reason, job_id).map_err(|refusal| status::refused(&refusal))?;
        let sweep = find_sweep(&self.store, &sweep).await?;
        let cancelled = self.lifecycle.cancel(sweep, only, &reason).await.map_err(status::of)?;
        Ok(Response::new(v1::CancelResponse { cancelled: size(cancelled) }))
    }

    async fn retry(&self, request: Request<v1::RetryRequest>) -> Result<Response<v1::RetryResponse>, Status> {
        let v1::RetryRequest { sweep, scope, job_id } = request.into_inner();
        let (scope, only) = parse_retry(scope, job_id).map_err(|refusal| status::refused(&refusal))?;
        let sweep = find_sweep(&self.store, &sweep).await?;
        let retried = self.lifecycle.retry(sweep, scope, only).await.map_err(status::of)?;
        Ok(Response::new(v1::RetryResponse { retried: size(retried) }))
    }

    async fn rescore(&self, request: Request<v1::RescoreRequest>) -> Result<Response<v1::RescoreResponse>, Status> {
        let v1::RescoreRequest { sweep, scores } = request.into_inner();
        let scores = parse_scores(scores).map_err(|refusal| status::refused(&refusal))?;
        let sweep = find_sweep(&self.store, &sweep).await?;
        let Rescored { added, blocked } = self.lifecycle.rescore(sweep, &scores).await.map_err(status::of)?;
        Ok(Response::new(v1::RescoreResponse { added: size(added), blocked: size(blocked) }))
    }
}

fn parse_scores(scores: Vec<String>) -> Result<Vec<ScoreChoice>, Violations> {
    let mut fields = Fields::at("");
    let scores = fields.at_most("scores", scores, MAX_SCORES);
    let scores: Option<Vec<ScoreChoice>> = scores.and_then(|scores| fields.repeated_named("scores", &scores));
    if scores.as_ref().is_some_and(Vec::is_empty) {
        fields.refuse("scores", "empty: name at least one score");
    }
    fields.finish(|| scores)
}

fn parse_submit(request: v1::SubmitRequest) -> Result<Submission, Violations> {
    let v1::SubmitRequest { sweep, idempotency_key, user } = request;
    let mut fields = Fields::at("");
    let key = fields.keep(idempotency_key_from_wire(idempotency_key, "idempotency_key"));
    let user = fields.keep(user_from_wire(user, "user"));
    let spec = fields.keep(parse_sweep(sweep));
    fields.finish(|| Some(Submission { spec: spec?, idempotency_key: key?, user: user? }))
}

fn parse_cancel(reason: String, job: i64) -> Result<(String, Option<JobId>), Violations> {
    let mut fields = Fields::at("");
    let reason = fields.keep(reason_from_wire(reason, "reason"));
    let only = fields.optional("job_id", Some(job).filter(|job| *job != 0));
    fields.finish(|| Some((reason?, only?)))
}

fn parse_retry(scope: i32, job: i64) -> Result<(RetryScope, Option<JobId>), Violations> {
    let mut fields = Fields::at("");
    let scope = fields.plain("scope", scope);
    let only = fields.optional("job_id", Some(job).filter(|job| *job != 0));
    fields.finish(|| Some((scope?, only?)))
}

/// Paths in violations begin inside the sweep, as in a sweep file.
fn parse_sweep(sweep: Option<v1::SweepSpec>) -> Result<SweepSpec, Violations> {
    SweepSpec::from_wire(sweep.ok_or_else(|| Violations::one("sweep", "missing"))?, "")
}

fn counted(expanded: &Expanded) -> v1::ValidateResponse {
    v1::ValidateResponse {
        variants: expanded.variants.to_wire(),
        experiments: size(expanded.experiments.len()),
        train_jobs: size(expanded.jobs_of_kind(JobKind::Train)),
        evaluate_jobs: size(expanded.jobs_of_kind(JobKind::Evaluate)),
        inspect_jobs: size(expanded.jobs_of_kind(JobKind::Inspect)),
        score_jobs: size(expanded.jobs_of_kind(JobKind::Score)),
        probe_jobs: size(expanded.jobs_of_kind(JobKind::Probe)),
    }
}

/// The rules allow ten thousand jobs.
fn size(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
