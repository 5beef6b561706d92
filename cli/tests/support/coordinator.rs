//! A coordinator that answers from a script, and remembers what it was asked.

use std::{
    collections::{BTreeMap, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex},
};

use proto::v1::{
    BitsPerDimRow, CancelRequest, CancelResponse, DescribeSweepRequest, DescribeSweepResponse, DrainRequest,
    DrainResponse, ExperimentRow, ExplainRequest, ExplainResponse, FigureRow, GetRequest, GetResponse, GetSweepRequest,
    JobLogRequest, JobLogResponse, JobRow, ListExperimentsRequest, ListExperimentsResponse, ListFiguresRequest,
    ListFiguresResponse, ListJobsRequest, ListJobsResponse, ListStatisticsRequest, ListStatisticsResponse,
    ListSweepsRequest, ListSweepsResponse, ListWorkersRequest, ListWorkersResponse, PutRequest, PutResponse,
    QueryAurocRequest, QueryAurocResponse, QueryBitsPerDimRequest, QueryBitsPerDimResponse, QueryEvaluationsRequest,
    QueryEvaluationsResponse, QueryTableRequest, QueryTableResponse, RescoreRequest, RescoreResponse, RetryRequest,
    RetryResponse, StatRequest, StatResponse, StatisticsRow, SubmitRequest, SubmitResponse, SweepSummary, TableRow,
    TrainingCurveRequest, TrainingCurveResponse, ValidateRequest, ValidateResponse, WatchRequest, WatchResponse,
    WorkerRow,
    artifact_service_server::{ArtifactService, ArtifactServiceServer},
    fleet_service_server::{FleetService, FleetServiceServer},
    result_service_server::{ResultService, ResultServiceServer},
    sweep_service_server::{SweepService, SweepServiceServer},
};
use tokio_stream::Stream;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

/// What one `Watch` sends before its stream ends.
pub type Screenplay = Vec<Result<WatchResponse, Status>>;

/// What one `JobLog` sends before its stream ends.
pub type LogScreenplay = Vec<Result<JobLogResponse, Status>>;

/// The script, and what was asked.
#[derive(Debug, Default)]
pub struct Script {
    /// The only sweep that there is.
    pub sweep: SweepSummary,
    /// Whether a submit stores something new.
    pub created: bool,
    /// The refusal of every submit.
    pub refusal: Option<Status>,
    /// Refusals of the first submits, before `refusal` counts.
    pub first_refusals: Mutex<VecDeque<Status>>,
    /// What it asked for, and how its results were computed; the summary is its own.
    pub description: DescribeSweepResponse,
    /// The training curve of every experiment.
    pub curve: TrainingCurveResponse,
    /// Its numbers: those without a seed are over seeds.
    pub table: Vec<TableRow>,
    /// Its bits/dim.
    pub bits_per_dim: Vec<BitsPerDimRow>,
    /// Its experiments.
    pub experiments: Vec<ExperimentRow>,
    /// Tables that were asked for.
    pub table_requests: Mutex<Vec<QueryTableRequest>>,
    /// Its jobs.
    pub jobs: Vec<JobRow>,
    /// Its figures.
    pub figures: Vec<FigureRow>,
    /// The bytes of every artifact, whatever its digest, but for those below.
    pub artifact: Vec<u8>,
    /// The bytes of artifacts, by digest.
    pub artifacts: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Its artifacts of statistics.
    pub statistics: Vec<StatisticsRow>,
    /// One for each `Watch`, in order.
    pub watches: Mutex<VecDeque<Screenplay>>,
    /// The workers that are there.
    pub workers: Vec<WorkerRow>,
    /// The answer to every drain; without one, no worker is found.
    pub drained: Option<DrainResponse>,
    /// The only job that can be explained.
    pub explained: ExplainResponse,
    /// One for each `JobLog`, in order.
    pub logs: Mutex<VecDeque<LogScreenplay>>,
    /// Logs that were asked for.
    pub log_requests: Mutex<Vec<JobLogRequest>>,
    /// Drains that came.
    pub drains: Mutex<Vec<DrainRequest>>,
    /// Retries that came.
    pub retried: Mutex<Vec<RetryRequest>>,
    /// Submits that came.
    pub submitted: Mutex<Vec<SubmitRequest>>,
    /// Cancels that came.
    pub cancelled: Mutex<Vec<CancelRequest>>,
}

/// Serves `script` and returns the address.
pub async fn serve(script: Arc<Script>) -> String {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let address = incoming.local_addr().expect("a bound address");
    let server = Server::builder()
        .add_service(SweepServiceServer::new(Scripted(Arc::clone(&script))))
        .add_service(ResultServiceServer::new(Scripted(Arc::clone(&script))))
        .add_service(FleetServiceServer::new(Scripted(Arc::clone(&script))))
        .add_service(ArtifactServiceServer::new(Scripted(script)))
        .serve_with_incoming(incoming);
    // Ends with the test's runtime.
    tokio::spawn(server);
    format!("http://{address}")
}

struct Scripted(Arc<Script>);

impl Scripted {
    fn known(&self, sweep: &str) -> Result<(), Status> {
        let SweepSummary { id, name, .. } = &self.0.sweep;
        if sweep == id || sweep == name {
            Ok(())
        } else {
            Err(Status::not_found(format!("there is no sweep `{sweep}`")))
        }
    }
}

#[tonic::async_trait]
impl SweepService for Scripted {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        self.0.submitted.lock().expect("no test panics with it").push(request.into_inner());
        if let Some(refusal) = self.0.first_refusals.lock().expect("no test panics with it").pop_front() {
            return Err(refusal);
        }
        match &self.0.refusal {
            Some(refusal) => Err(refusal.clone()),
            None => Ok(SubmitResponse { sweep: Some(self.0.sweep.clone()), created: self.0.created }.into()),
        }
    }

    async fn validate(&self, _: Request<ValidateRequest>) -> Result<Response<ValidateResponse>, Status> {
        Err(Status::unimplemented("`spillway validate` asks nobody"))
    }

    async fn get(&self, request: Request<GetSweepRequest>) -> Result<Response<SweepSummary>, Status> {
        self.known(&request.into_inner().sweep)?;
        Ok(self.0.sweep.clone().into())
    }

    async fn describe(
        &self,
        request: Request<DescribeSweepRequest>,
    ) -> Result<Response<DescribeSweepResponse>, Status> {
        self.known(&request.into_inner().sweep)?;
        let mut description = self.0.description.clone();
        description.sweep = Some(self.0.sweep.clone());
        Ok(description.into())
    }

    async fn list(&self, _: Request<ListSweepsRequest>) -> Result<Response<ListSweepsResponse>, Status> {
        Ok(ListSweepsResponse { sweeps: vec![self.0.sweep.clone()] }.into())
    }

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.known(&request.into_inner().sweep)?;
        let next = self.0.watches.lock().expect("no test panics with it").pop_front();
        let screenplay = next.ok_or_else(|| Status::unavailable("the script is at its end"))?;
        Ok(Response::new(Box::pin(tokio_stream::iter(screenplay))))
    }

    async fn cancel(&self, request: Request<CancelRequest>) -> Result<Response<CancelResponse>, Status> {
        let request = request.into_inner();
        self.known(&request.sweep)?;
        self.0.cancelled.lock().expect("no test panics with it").push(request);
        Ok(CancelResponse { cancelled: 3 }.into())
    }

    async fn retry(&self, request: Request<RetryRequest>) -> Result<Response<RetryResponse>, Status> {
        let request = request.into_inner();
        self.known(&request.sweep)?;
        self.0.retried.lock().expect("no test panics with it").push(request);
        Ok(RetryResponse { retried: 2 }.into())
    }

    async fn rescore(&self, request: Request<RescoreRequest>) -> Result<Response<RescoreResponse>, Status> {
        self.known(&request.into_inner().sweep)?;
        Ok(RescoreResponse { added: 3, blocked: 1 }.into())
    }
}

#[tonic::async_trait]
impl ResultService for Scripted {
    type JobLogStream = Pin<Box<dyn Stream<Item = Result<JobLogResponse, Status>> + Send>>;

    async fn job_log(&self, request: Request<JobLogRequest>) -> Result<Response<Self::JobLogStream>, Status> {
        self.0.log_requests.lock().expect("no test panics with it").push(request.into_inner());
        let next = self.0.logs.lock().expect("no test panics with it").pop_front();
        let screenplay = next.ok_or_else(|| Status::not_found("no job 9"))?;
        Ok(Response::new(Box::pin(tokio_stream::iter(screenplay))))
    }

    type QueryTableStream = Pin<Box<dyn Stream<Item = Result<QueryTableResponse, Status>> + Send>>;
    type QueryBitsPerDimStream = Pin<Box<dyn Stream<Item = Result<QueryBitsPerDimResponse, Status>> + Send>>;
    type ListExperimentsStream = Pin<Box<dyn Stream<Item = Result<ListExperimentsResponse, Status>> + Send>>;

    async fn query_table(
        &self,
        request: Request<QueryTableRequest>,
    ) -> Result<Response<Self::QueryTableStream>, Status> {
        let request = request.into_inner();
        self.known(&request.sweep)?;
        self.0.table_requests.lock().expect("no test panics with it").push(request.clone());
        let holds = |names: &[String], name: &String| names.is_empty() || names.contains(name);
        let rows = self.0.table.iter().filter(|row| {
            row.seed.is_some() == request.per_seed
                && (request.seeds.is_empty() || row.seed.is_some_and(|seed| request.seeds.contains(&seed)))
                && holds(&request.variants, &row.variant)
                && holds(&request.in_datasets, &row.in_dataset)
                && holds(&request.out_datasets, &row.out_dataset)
                && holds(&request.scores, &row.score)
                && holds(&request.metrics, &row.metric)
        });
        // Small messages, so that rows come in several.
        let rows: Vec<TableRow> = rows.cloned().collect();
        let messages: Vec<_> = rows.chunks(2).map(|rows| Ok(QueryTableResponse { rows: rows.to_vec() })).collect();
        Ok(Response::new(Box::pin(tokio_stream::iter(messages))))
    }

    async fn query_bits_per_dim(
        &self,
        request: Request<QueryBitsPerDimRequest>,
    ) -> Result<Response<Self::QueryBitsPerDimStream>, Status> {
        self.known(&request.into_inner().sweep)?;
        let message = QueryBitsPerDimResponse { rows: self.0.bits_per_dim.clone() };
        Ok(Response::new(Box::pin(tokio_stream::iter([Ok(message)]))))
    }

    async fn list_experiments(
        &self,
        request: Request<ListExperimentsRequest>,
    ) -> Result<Response<Self::ListExperimentsStream>, Status> {
        let ListExperimentsRequest { sweep, experiment_id, variants, settings } = request.into_inner();
        if experiment_id == 0 {
            self.known(&sweep)?;
        }
        let found = self.0.experiments.iter().filter(|row| {
            (experiment_id == 0 || row.experiment_id == experiment_id)
                && (variants.is_empty() || variants.contains(&row.variant))
        });
        let mut found: Vec<ExperimentRow> = found.cloned().collect();
        if experiment_id != 0 && found.is_empty() {
            return Err(Status::not_found(format!("no experiment {experiment_id}")));
        }
        found.iter_mut().for_each(|row| row.settings.retain(|path, _| settings.contains(path)));
        let message = ListExperimentsResponse { experiments: found };
        Ok(Response::new(Box::pin(tokio_stream::iter([Ok(message)]))))
    }

    async fn query_auroc(&self, _: Request<QueryAurocRequest>) -> Result<Response<QueryAurocResponse>, Status> {
        Err(Status::unimplemented("no command asks for it"))
    }

    async fn query_evaluations(
        &self,
        _: Request<QueryEvaluationsRequest>,
    ) -> Result<Response<QueryEvaluationsResponse>, Status> {
        Err(Status::unimplemented("no command asks for it"))
    }

    async fn list_jobs(&self, request: Request<ListJobsRequest>) -> Result<Response<ListJobsResponse>, Status> {
        let ListJobsRequest { sweep, state, .. } = request.into_inner();
        self.known(&sweep)?;
        let in_state = self.0.jobs.iter().filter(|job| state.is_empty() || job.state == state);
        Ok(ListJobsResponse { jobs: in_state.cloned().collect() }.into())
    }

    async fn training_curve(
        &self,
        _: Request<TrainingCurveRequest>,
    ) -> Result<Response<TrainingCurveResponse>, Status> {
        Ok(self.0.curve.clone().into())
    }

    async fn list_statistics(
        &self,
        request: Request<ListStatisticsRequest>,
    ) -> Result<Response<ListStatisticsResponse>, Status> {
        let ListStatisticsRequest { sweep, experiment_id } = request.into_inner();
        if experiment_id == 0 {
            self.known(&sweep)?;
        }
        let of = |row: &&StatisticsRow| experiment_id == 0 || row.experiment_id == experiment_id;
        Ok(ListStatisticsResponse { statistics: self.0.statistics.iter().filter(of).cloned().collect() }.into())
    }

    async fn list_figures(
        &self,
        request: Request<ListFiguresRequest>,
    ) -> Result<Response<ListFiguresResponse>, Status> {
        let ListFiguresRequest { experiment_id, sweep, variant, seed } = request.into_inner();
        if experiment_id == 0 {
            self.known(&sweep)?;
        } else if !self.0.figures.iter().any(|row| row.experiment_id == experiment_id) {
            return Err(Status::not_found(format!("no experiment {experiment_id}")));
        }
        let figures = self.0.figures.iter().filter(|row| {
            (experiment_id == 0 || row.experiment_id == experiment_id)
                && (variant.is_empty() || row.variant == variant)
                && seed.is_none_or(|seed| row.seed == seed)
        });
        Ok(ListFiguresResponse { figures: figures.cloned().collect() }.into())
    }
}

#[tonic::async_trait]
impl FleetService for Scripted {
    async fn list_workers(
        &self,
        request: Request<ListWorkersRequest>,
    ) -> Result<Response<ListWorkersResponse>, Status> {
        let ListWorkersRequest { closed, .. } = request.into_inner();
        let shown = self.0.workers.iter().filter(|worker| closed || worker.closed_at.is_none());
        Ok(ListWorkersResponse { workers: shown.cloned().collect(), terms: None }.into())
    }

    async fn drain(&self, request: Request<DrainRequest>) -> Result<Response<DrainResponse>, Status> {
        self.0.drains.lock().expect("no test panics with it").push(request.into_inner());
        self.0.drained.clone().map(Response::new).ok_or_else(|| Status::not_found("no worker `x` is there"))
    }

    async fn explain(&self, request: Request<ExplainRequest>) -> Result<Response<ExplainResponse>, Status> {
        match request.into_inner().job_id == self.0.explained.job_id {
            true => Ok(self.0.explained.clone().into()),
            false => Err(Status::not_found("no such job")),
        }
    }
}

#[tonic::async_trait]
impl ArtifactService for Scripted {
    type GetStream = Pin<Box<dyn Stream<Item = Result<GetResponse, Status>> + Send>>;

    async fn put(&self, _: Request<tonic::Streaming<PutRequest>>) -> Result<Response<PutResponse>, Status> {
        Err(Status::unimplemented("no command stores artifacts"))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Self::GetStream>, Status> {
        let bytes = self.0.artifacts.get(&request.into_inner().digest).unwrap_or(&self.0.artifact);
        let pieces: Vec<_> = bytes.chunks(997).map(|piece| Ok(GetResponse { chunk: piece.to_vec() })).collect();
        Ok(Response::new(Box::pin(tokio_stream::iter(pieces))))
    }

    async fn stat(&self, _: Request<StatRequest>) -> Result<Response<StatResponse>, Status> {
        Err(Status::unimplemented("no command asks for it"))
    }
}
