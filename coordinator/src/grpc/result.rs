//! `ResultService`: views and logs, and nothing else.

use domain::{ExperimentId, job::StateName, spec::Violations};
use futures::stream::BoxStream;
use proto::{
    convert::{Fields, FromWire, seed_from_wire, text_from_wire},
    v1::{self, result_service_server::ResultService},
};
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{
    find_sweep,
    log::{LogReader, LogRequest},
    rows, status,
    table::{self, ExperimentsRequest, TableRequest},
};
use crate::lifecycle::LifecycleError;

/// Jobs listed when the request does not say.
const DEFAULT_JOBS: u32 = 1000;
/// Most jobs listed.
const MAX_JOBS: u32 = 10_000;
/// Most rows of a table in one message.
const MAX_ROWS: u32 = 100_000;
/// Sizes of a variant's label, in bytes; an empty one stands for all variants.
const VARIANT_BYTES: std::ops::RangeInclusive<usize> = 0..=65_536;

pub(crate) struct ResultApi {
    store: Store,
    shutdown: CancellationToken,
}

impl ResultApi {
    pub(crate) fn new(store: Store, shutdown: CancellationToken) -> Self {
        Self { store, shutdown }
    }
}

#[tonic::async_trait]
impl ResultService for ResultApi {
    type JobLogStream = BoxStream<'static, Result<v1::JobLogResponse, Status>>;
    type QueryTableStream = BoxStream<'static, Result<v1::QueryTableResponse, Status>>;
    type QueryBitsPerDimStream = BoxStream<'static, Result<v1::QueryBitsPerDimResponse, Status>>;
    type ListExperimentsStream = BoxStream<'static, Result<v1::ListExperimentsResponse, Status>>;

    async fn query_auroc(
        &self,
        request: Request<v1::QueryAurocRequest>,
    ) -> Result<Response<v1::QueryAurocResponse>, Status> {
        let v1::QueryAurocRequest { sweep, scores } = request.into_inner();
        let scores = table::scores(scores).map_err(|refusal| status::refused(&refusal))?;
        let sweep = find_sweep(&self.store, &sweep).await?;
        let table = self.store.auroc_table(sweep, &scores, MAX_ROWS + 1).await.map_err(failed)?;
        refuse_too_many(table.len())?;
        Ok(Response::new(v1::QueryAurocResponse { rows: table.into_iter().map(rows::auroc).collect() }))
    }

    async fn query_evaluations(
        &self,
        request: Request<v1::QueryEvaluationsRequest>,
    ) -> Result<Response<v1::QueryEvaluationsResponse>, Status> {
        let v1::QueryEvaluationsRequest { sweep } = request.into_inner();
        let sweep = find_sweep(&self.store, &sweep).await?;
        let numbers = self.store.evaluations(sweep, MAX_ROWS + 1).await.map_err(failed)?;
        refuse_too_many(numbers.len())?;
        Ok(Response::new(v1::QueryEvaluationsResponse { rows: numbers.into_iter().map(rows::evaluation).collect() }))
    }

    async fn query_table(
        &self,
        request: Request<v1::QueryTableRequest>,
    ) -> Result<Response<Self::QueryTableStream>, Status> {
        let request = TableRequest::parse(request.into_inner()).map_err(|refusal| status::refused(&refusal))?;
        Ok(Response::new(Box::pin(request.answer(self.store.clone()).await?)))
    }

    async fn query_bits_per_dim(
        &self,
        request: Request<v1::QueryBitsPerDimRequest>,
    ) -> Result<Response<Self::QueryBitsPerDimStream>, Status> {
        Ok(Response::new(Box::pin(table::bits_per_dim(request.into_inner(), self.store.clone()).await?)))
    }

    async fn list_experiments(
        &self,
        request: Request<v1::ListExperimentsRequest>,
    ) -> Result<Response<Self::ListExperimentsStream>, Status> {
        let request = ExperimentsRequest::parse(request.into_inner()).map_err(|refusal| status::refused(&refusal))?;
        Ok(Response::new(Box::pin(request.answer(self.store.clone()).await?)))
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
        let validation = self.store.validation_curve(experiment).await.map_err(failed)?;
        Ok(Response::new(v1::TrainingCurveResponse {
            points: curve.into_iter().map(rows::curve_point).collect(),
            validation: validation.into_iter().map(rows::validation_point).collect(),
        }))
    }

    async fn list_figures(
        &self,
        request: Request<v1::ListFiguresRequest>,
    ) -> Result<Response<v1::ListFiguresResponse>, Status> {
        let figures = match parse_figures_of(request.into_inner()).map_err(|refusal| status::refused(&refusal))? {
            FiguresOf::Experiment(experiment) => {
                let found = self.store.figures_of_experiment(experiment).await.map_err(failed)?;
                found.ok_or_else(|| status::of(LifecycleError::NoSuchExperiment(experiment)))?
            }
            FiguresOf::Sweep { sweep, variant, seed } => {
                let sweep = find_sweep(&self.store, &sweep).await?;
                self.store.figures_of_sweep(sweep, variant.as_deref(), seed).await.map_err(failed)?
            }
        };
        Ok(Response::new(v1::ListFiguresResponse { figures: figures.into_iter().map(rows::figure).collect() }))
    }

    async fn list_statistics(
        &self,
        request: Request<v1::ListStatisticsRequest>,
    ) -> Result<Response<v1::ListStatisticsResponse>, Status> {
        let v1::ListStatisticsRequest { sweep, experiment_id } = request.into_inner();
        let rows = match statistics_of(sweep, experiment_id).map_err(|refusal| status::refused(&refusal))? {
            StatisticsOf::Experiment(experiment) => {
                let found = self.store.statistics_of_experiment(experiment).await.map_err(failed)?;
                found.ok_or_else(|| status::of(LifecycleError::NoSuchExperiment(experiment)))?
            }
            StatisticsOf::Sweep(sweep) => {
                let sweep = find_sweep(&self.store, &sweep).await?;
                self.store.statistics_of_sweep(sweep).await.map_err(failed)?
            }
        };
        let statistics = rows.into_iter().map(rows::statistics).collect();
        Ok(Response::new(v1::ListStatisticsResponse { statistics }))
    }

    async fn job_log(&self, request: Request<v1::JobLogRequest>) -> Result<Response<Self::JobLogStream>, Status> {
        let request = LogRequest::parse(request.into_inner()).map_err(|refusal| status::refused(&refusal))?;
        let reader = LogReader::open(self.store.clone(), self.shutdown.clone(), request).await?;
        Ok(Response::new(Box::pin(reader.into_stream())))
    }
}

/// Whose figures a request asks for.
enum FiguresOf {
    Experiment(ExperimentId),
    Sweep { sweep: String, variant: Option<String>, seed: Option<u64> },
}

fn parse_figures_of(request: v1::ListFiguresRequest) -> Result<FiguresOf, Violations> {
    let v1::ListFiguresRequest { experiment_id, sweep, variant, seed } = request;
    if experiment_id != 0 {
        if !sweep.is_empty() || !variant.is_empty() || seed.is_some() {
            let message = "names one experiment by itself: leave sweep, variant and seed out";
            return Err(Violations::one("experiment_id", message));
        }
        return ExperimentId::from_wire(experiment_id, "experiment_id").map(FiguresOf::Experiment);
    }
    let mut fields = Fields::at("");
    let variant = fields.keep(text_from_wire(variant, "variant", &VARIANT_BYTES));
    let seed = match seed {
        None => Some(None),
        Some(seed) => fields.keep(seed_from_wire(seed, "seed")).map(Some),
    };
    fields.finish(|| {
        let variant = Some(variant?).filter(|label| !label.is_empty());
        Some(FiguresOf::Sweep { sweep, variant, seed: seed? })
    })
}

/// Whose statistics a request asks for.
enum StatisticsOf {
    Experiment(ExperimentId),
    Sweep(String),
}

fn statistics_of(sweep: String, experiment_id: i64) -> Result<StatisticsOf, Violations> {
    if experiment_id == 0 {
        return Ok(StatisticsOf::Sweep(sweep));
    }
    if !sweep.is_empty() {
        return Err(Violations::one("experiment_id", "names one experiment by itself: leave sweep out"));
    }
    ExperimentId::from_wire(experiment_id, "experiment_id").map(StatisticsOf::Experiment)
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

fn refuse_too_many(rows: usize) -> Result<(), Status> {
    match u32::try_from(rows) {
        Ok(rows) if rows <= MAX_ROWS => Ok(()),
        _ => {
            let text = format!("more than {MAX_ROWS} rows, too many for one message: QueryTable sends them in parts");
            Err(status::refused(&Violations::one("sweep", text)))
        }
    }
}

fn failed(error: StoreError) -> Status {
    status::of_store(&error)
}
