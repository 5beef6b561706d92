//! The coordinator as a client sees it: connections, and calls whose errors are ours.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use proto::{
    convert::retry_after_of,
    v1::{
        BitsPerDimRow, ExperimentRow, FigureRow, GetRequest, GetResponse, JobRow, ListExperimentsRequest,
        ListFiguresRequest, ListJobsRequest, ListStatisticsRequest, QueryBitsPerDimRequest, QueryTableRequest,
        StatisticsRow, TableRow, artifact_service_client::ArtifactServiceClient,
        fleet_service_client::FleetServiceClient, result_service_client::ResultServiceClient,
        sweep_service_client::SweepServiceClient,
    },
};
use tonic::{
    Code, Status, Streaming,
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

/// Shortest pause beyond what the coordinator asks for.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause beyond what the coordinator asks for; jitter adds up to as much again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a call is repeated that the coordinator would take later.
const MAX_REPEATS: usize = 5;
/// How long all these repeats may take: whoever is to wait longer is told so at once.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

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

    /// Hands the numbers that `request` asks for to `each`, one after the other.
    pub async fn table(
        &self,
        request: QueryTableRequest,
        mut each: impl FnMut(TableRow) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let answer = self.results().query_table(request).await;
        let mut messages = self.checked(answer)?.into_inner();
        while let Some(message) = self.checked(messages.message().await)? {
            message.rows.into_iter().try_for_each(&mut each)?;
        }
        Ok(())
    }

    /// The bits/dim of each variant and dataset of a sweep.
    pub async fn bits_per_dim(&self, sweep: &str) -> Result<Vec<BitsPerDimRow>, Failure> {
        let request = QueryBitsPerDimRequest { sweep: sweep.to_owned(), variants: Vec::new() };
        let answer = self.results().query_bits_per_dim(request).await;
        let mut messages = self.checked(answer)?.into_inner();
        let mut rows = Vec::new();
        while let Some(message) = self.checked(messages.message().await)? {
            rows.extend(message.rows);
        }
        Ok(rows)
    }

    /// Hands the experiments that `request` asks for to `each`, one after the other.
    pub async fn experiments(
        &self,
        request: ListExperimentsRequest,
        mut each: impl FnMut(ExperimentRow),
    ) -> Result<(), Failure> {
        let answer = self.results().list_experiments(request).await;
        let mut messages = self.checked(answer)?.into_inner();
        while let Some(message) = self.checked(messages.message().await)? {
            message.experiments.into_iter().for_each(&mut each);
        }
        Ok(())
    }

    /// The jobs of a sweep in one state; in any when it is empty.
    pub async fn jobs(&self, sweep: &str, state: &str) -> Result<Vec<JobRow>, Failure> {
        let request = ListJobsRequest { sweep: sweep.to_owned(), state: state.to_owned(), limit: MAX_JOBS };
        let answer = self.results().list_jobs(request).await;
        Ok(self.checked(answer)?.into_inner().jobs)
    }

    /// What artifacts of statistics a request names.
    pub async fn statistics(&self, request: ListStatisticsRequest) -> Result<Vec<StatisticsRow>, Failure> {
        let answer = self.results().list_statistics(request).await;
        Ok(self.checked(answer)?.into_inner().statistics)
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

    /// Repeats a call that the coordinator would take later, when it says so and a bounded number of times. Each wait is told to the user.
    pub async fn patiently<T>(&self, mut call: impl AsyncFnMut() -> Result<T, Status>) -> Result<T, Failure> {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_jitter()
            .with_max_times(MAX_REPEATS)
            .build();
        let mut waited = Duration::ZERO;
        for repeat in 1.. {
            let status = match call().await {
                Ok(answer) => return Ok(answer),
                Err(status) => status,
            };
            let told = retry_after_of(&status).filter(|_| status.code() == Code::ResourceExhausted);
            // Never sooner than told, and spread: those who were refused together do not come together again.
            let pause = told.zip(pauses.next()).map(|(told, own)| told + own);
            let Some(pause) = pause.filter(|pause| waited + *pause <= LONGEST_WAIT) else {
                return Err(Failure::of_call(&status, &self.endpoint));
            };
            eprintln!("{}", status.message());
            eprintln!(
                "trying again in {:.0} s ({repeat} of {MAX_REPEATS}); Ctrl-C gives up",
                pause.as_secs_f64().ceil()
            );
            tokio::time::sleep(pause).await;
            waited += pause;
        }
        unreachable!("the pauses end")
    }

    /// Turns the error of a call into ours.
    pub fn checked<T>(&self, answer: Result<T, Status>) -> Result<T, Failure> {
        answer.map_err(|status| Failure::of_call(&status, &self.endpoint))
    }
}
