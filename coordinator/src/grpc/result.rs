//! `ResultService`: views, and nothing else.

use domain::{ExperimentId, job::StateName, spec::Violations};
use proto::{
    convert::FromWire,
    v1::{self, result_service_server::ResultService},
};
use store::{Store, StoreError};
use tonic::{Request, Response, Status};

use super::{find_sweep, rows, status};

/// Jobs listed when the request does not say.
const DEFAULT_JOBS: u32 = 1000;
/// Most jobs listed.
const MAX_JOBS: u32 = 10_000;

pub(crate) struct ResultApi {
    store: Store,
}

impl ResultApi {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[tonic::async_trait]
impl ResultService for ResultApi {
    async fn query_auroc(
        &self,
        request: Request<v1::QueryAurocRequest>,
    ) -> Result<Response<v1::QueryAurocResponse>, Status> {
        let v1::QueryAurocRequest { sweep } = request.into_inner();
        let sweep = find_sweep(&self.store, &sweep).await?;
        let table = self.store.auroc_table(sweep).await.map_err(failed)?;
        Ok(Response::new(v1::QueryAurocResponse { rows: table.into_iter().map(rows::auroc).collect() }))
    }

    async fn query_evaluations(
        &self,
        request: Request<v1::QueryEvaluationsRequest>,
    ) -> Result<Response<v1::QueryEvaluationsResponse>, Status> {
        let v1::QueryEvaluationsRequest { sweep } = request.into_inner();
        let sweep = find_sweep(&self.store, &sweep).await?;
        let numbers = self.store.evaluations(sweep).await.map_err(failed)?;
        Ok(Response::new(v1::QueryEvaluationsResponse { rows: numbers.into_iter().map(rows::evaluation).collect() }))
    }

    async fn list_jobs(&self, request: Request<v1::ListJobsRequest>) -> Result<Response<v1::ListJobsResponse>, Status> {
        let v1::ListJobsRequest { sweep, state, limit } = request.into_inner();
        let states = parse_state(&state).map_err(|refusal| status::refused(&refusal))?;
        let limit = if limit == 0 { DEFAULT_JOBS } else { limit.min(MAX_JOBS) };
        let sweep = find_sweep(&self.store, &sweep).await?;
        let jobs = self.store.jobs(sweep, &states, limit).await.map_err(failed)?;
        Ok(Response::new(v1::ListJobsResponse { jobs: jobs.into_iter().map(rows::job).collect() }))
    }

    async fn training_curve(
        &self,
        request: Request<v1::TrainingCurveRequest>,
    ) -> Result<Response<v1::TrainingCurveResponse>, Status> {
        let v1::TrainingCurveRequest { experiment_id } = request.into_inner();
        let experiment =
            ExperimentId::from_wire(experiment_id, "experiment_id").map_err(|refusal| status::refused(&refusal))?;
        let curve = self.store.training_curve(experiment).await.map_err(failed)?;
        Ok(Response::new(v1::TrainingCurveResponse { points: curve.into_iter().map(rows::curve_point).collect() }))
    }
}

/// The states asked for; an empty name means all.
fn parse_state(name: &str) -> Result<Vec<StateName>, Violations> {
    if name.is_empty() {
        return Ok(StateName::ALL.to_vec());
    }
    match name.parse() {
        Ok(state) => Ok(vec![state]),
        Err(refusal) => Err(Violations::one("state", format!("{refusal}"))),
    }
}

fn failed(error: StoreError) -> Status {
    status::of_store(&error)
}
