//! The coordinator as a client sees it: connections, and calls whose errors are ours.

use std::time::Duration;

use proto::v1::{
    AurocRow, EvaluationRow, FigureRow, GetRequest, GetResponse, JobRow, ListFiguresRequest, ListJobsRequest,
    QueryAurocRequest, QueryEvaluationsRequest, artifact_service_client::ArtifactServiceClient,
    fleet_service_client::FleetServiceClient, result_service_client::ResultServiceClient,
    sweep_service_client::SweepServiceClient,
};
use tonic::{
    Status, Streaming,
    transport::{Channel, Endpoint},
};

use crate::failure::Failure;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a silent connection is trusted: a machine that was unplugged sends no farewell.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// Largest answer that is read: ten thousand jobs with their last words.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Most jobs that one answer lists: a sweep has no more.
const MAX_JOBS: u32 = 10_000;

/// A connection to one coordinator, opened by the first call and again after it broke.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: String,
    channel: Channel,
}

impl Client {
    /// A client of the coordinator at `endpoint`.
    pub fn new(endpoint: Endpoint) -> Self {
        let address = endpoint.uri().to_string().trim_end_matches('/').to_owned();
        let endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .keep_alive_while_idle(true);
        Self { endpoint: address, channel: endpoint.connect_lazy() }
    }

    /// Where the coordinator is.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The connection, for other services.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// The sweep service.
    pub fn sweeps(&self) -> SweepServiceClient<Channel> {
        SweepServiceClient::new(self.channel()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The fleet service.
    pub fn fleet(&self) -> FleetServiceClient<Channel> {
        FleetServiceClient::new(self.channel()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The result service.
    pub fn results(&self) -> ResultServiceClient<Channel> {
        ResultServiceClient::new(self.channel()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// The AUROC table of a sweep.
    pub async fn auroc(&self, sweep: &str) -> Result<Vec<AurocRow>, Failure> {
        let request = QueryAurocRequest { sweep: sweep.to_owned() };
        let answer = self.results().query_auroc(request).await;
        Ok(self.checked(answer)?.into_inner().rows)
    }

    /// Every number of a sweep.
    pub async fn evaluations(&self, sweep: &str) -> Result<Vec<EvaluationRow>, Failure> {
        let request = QueryEvaluationsRequest { sweep: sweep.to_owned() };
        let answer = self.results().query_evaluations(request).await;
        Ok(self.checked(answer)?.into_inner().rows)
    }

    /// The jobs of a sweep in one state; in any when it is empty.
    pub async fn jobs(&self, sweep: &str, state: &str) -> Result<Vec<JobRow>, Failure> {
        let request = ListJobsRequest { sweep: sweep.to_owned(), state: state.to_owned(), limit: MAX_JOBS };
        let answer = self.results().list_jobs(request).await;
        Ok(self.checked(answer)?.into_inner().jobs)
    }

    /// The figures that a request names.
    pub async fn figures(&self, request: ListFiguresRequest) -> Result<Vec<FigureRow>, Failure> {
        let answer = self.results().list_figures(request).await;
        Ok(self.checked(answer)?.into_inner().figures)
    }

    /// The artifact service.
    pub fn artifacts(&self) -> ArtifactServiceClient<Channel> {
        ArtifactServiceClient::new(self.channel())
    }

    /// The bytes of an artifact, piece by piece.
    pub async fn artifact(&self, digest: &[u8]) -> Result<Streaming<GetResponse>, Failure> {
        let request = GetRequest { digest: digest.to_vec() };
        let answer = self.artifacts().get(request).await;
        Ok(self.checked(answer)?.into_inner())
    }

    /// Turns the error of a call into ours.
    pub fn checked<T>(&self, answer: Result<T, Status>) -> Result<T, Failure> {
        answer.map_err(|status| Failure::of_call(&status, &self.endpoint))
    }
}
