//! One cluster: a private Postgres, coordinators and workers, and a client's view of it.

use std::{net::TcpListener, path::PathBuf, time::Duration};

use anyhow::Context;
use domain::sweep::SweepSpec;
use localdb::PrivateCluster;
use proto::{
    convert::ToWire,
    v1::{
        EvaluationRow, GetSweepRequest, JobRow, ListJobsRequest, QueryEvaluationsRequest, SubmitRequest, SweepSummary,
        fleet_service_client::FleetServiceClient, result_service_client::ResultServiceClient,
        sweep_service_client::SweepServiceClient, worker_service_client::WorkerServiceClient,
    },
};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use crate::{Program, eventually};

/// What a test may choose.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Time to live of a lease: how long a killed worker goes unnoticed.
    pub lease_ttl: Duration,
    /// Time between heartbeats.
    pub beat: Duration,
    /// How long a job of a much more important sweep waits before a training makes room for it.
    pub preempt_after: Duration,
}

/// A running cluster. Dropped, everything stops.
pub struct Cluster {
    // Fields are dropped in this order: programs before the database they use, the folder last.
    workers: Vec<Program>,
    coordinators: Vec<Program>,
    postgres: PrivateCluster,
    endpoints: Vec<String>,
    options: ClusterOptions,
    folder: TempDir,
    started: usize,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            lease_ttl: Duration::from_secs(3),
            beat: Duration::from_millis(500),
            preempt_after: Duration::from_secs(60),
        }
    }
}

impl Cluster {
    /// Starts Postgres and one coordinator, and waits until it serves.
    ///
    /// # Errors
    /// When a program is not built or does not come up, with what it printed.
    pub async fn start(options: ClusterOptions) -> anyhow::Result<Self> {
        let mut cluster = Self {
            workers: Vec::new(),
            coordinators: Vec::new(),
            postgres: PrivateCluster::temporary()?,
            endpoints: Vec::new(),
            options,
            folder: tempfile::tempdir()?,
            started: 0,
        };
        cluster.add_coordinator().await?;
        Ok(cluster)
    }

    /// Starts one more coordinator on the same database; returns its index.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn add_coordinator(&mut self) -> anyhow::Result<usize> {
        let address = free_address()?;
        let program = self.start_coordinator(&address)?;
        self.coordinators.push(program);
        self.endpoints.push(format!("http://{address}"));
        let index = self.coordinators.len() - 1;
        self.await_serving(index).await?;
        Ok(index)
    }

    /// Kills a coordinator at once.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill_coordinator(&mut self, index: usize) -> anyhow::Result<()> {
        self.coordinators[index].kill()
    }

    /// Starts a coordinator that was killed again, at the same address.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart_coordinator(&mut self, index: usize) -> anyhow::Result<()> {
        let address = self.endpoints[index].trim_start_matches("http://").to_owned();
        self.coordinators[index] = self.start_coordinator(&address)?;
        self.await_serving(index).await
    }

    fn start_coordinator(&mut self, address: &str) -> anyhow::Result<Program> {
        let log = self.log("coordinator");
        let arguments = [
            "--database-url".to_owned(),
            self.postgres.url(),
            "--listen".to_owned(),
            address.to_owned(),
            "--artifacts".to_owned(),
            self.folder.path().join("artifacts").display().to_string(),
            "--lease-ttl-millis".to_owned(),
            self.options.lease_ttl.as_millis().to_string(),
            "--beat-millis".to_owned(),
            self.options.beat.as_millis().to_string(),
            "--grace-millis".to_owned(),
            "500".to_owned(),
            "--preempt-after-secs".to_owned(),
            self.options.preempt_after.as_secs().to_string(),
        ];
        Program::start("spillway-coordinator", arguments, &log)
    }

    async fn await_serving(&mut self, index: usize) -> anyhow::Result<()> {
        let client = self.sweeps_at(index)?;
        let served = eventually("the coordinator serves", || {
            let mut client = client.clone();
            async move {
                client.list(proto::v1::ListSweepsRequest { limit: 1 }).await?;
                Ok(Some(()))
            }
        });
        served.await.with_context(|| self.coordinators[index].output())
    }

    /// Starts a worker with one thread; returns its index.
    ///
    /// # Errors
    /// When it is not built.
    pub fn add_worker(&mut self) -> anyhow::Result<usize> {
        let log = self.log("worker");
        let name = format!("worker-{}", self.workers.len());
        let scratch = self.folder.path().join(format!("scratch-{}", self.started));
        std::fs::create_dir(&scratch)?;
        let arguments = [
            "--coordinator".to_owned(),
            self.endpoints.join(","),
            "--name".to_owned(),
            name,
            "--threads".to_owned(),
            "1".to_owned(),
            "--scratch-dir".to_owned(),
            scratch.display().to_string(),
        ];
        self.workers.push(Program::start("spillway-worker", arguments, &log)?);
        Ok(self.workers.len() - 1)
    }

    /// A worker's process.
    pub fn worker(&mut self, index: usize) -> &mut Program {
        &mut self.workers[index]
    }

    /// The database.
    #[must_use]
    pub fn postgres(&self) -> &PrivateCluster {
        &self.postgres
    }

    /// Runs SQL as a user would; rows come unaligned, fields separated by `|`.
    ///
    /// # Errors
    /// When psql fails.
    pub fn sql(&self, statement: &str) -> anyhow::Result<String> {
        Ok(self.postgres.query("spillway", statement)?)
    }

    /// The URL of a coordinator.
    #[must_use]
    pub fn endpoint(&self, index: usize) -> &str {
        &self.endpoints[index]
    }

    /// A sweep client of the first coordinator.
    ///
    /// # Errors
    /// Never for a coordinator of this cluster.
    pub fn sweeps(&self) -> anyhow::Result<SweepServiceClient<Channel>> {
        self.sweeps_at(0)
    }

    fn sweeps_at(&self, index: usize) -> anyhow::Result<SweepServiceClient<Channel>> {
        Ok(SweepServiceClient::new(self.channel(index)?))
    }

    /// A result client of the first coordinator.
    ///
    /// # Errors
    /// Never for a coordinator of this cluster.
    pub fn results(&self) -> anyhow::Result<ResultServiceClient<Channel>> {
        Ok(ResultServiceClient::new(self.channel(0)?))
    }

    /// A fleet client of the first coordinator.
    ///
    /// # Errors
    /// Never for a coordinator of this cluster.
    pub fn fleet(&self) -> anyhow::Result<FleetServiceClient<Channel>> {
        Ok(FleetServiceClient::new(self.channel(0)?))
    }

    /// A worker client of the first coordinator, for a test that plays a worker itself.
    ///
    /// # Errors
    /// Never for a coordinator of this cluster.
    pub fn worker_service(&self) -> anyhow::Result<WorkerServiceClient<Channel>> {
        Ok(WorkerServiceClient::new(self.channel(0)?))
    }

    fn channel(&self, index: usize) -> anyhow::Result<Channel> {
        Ok(Endpoint::from_shared(self.endpoints[index].clone())?.connect_lazy())
    }

    /// Submits a sweep.
    ///
    /// # Errors
    /// What the coordinator answered.
    pub async fn submit(&self, sweep: &SweepSpec) -> anyhow::Result<()> {
        let request = SubmitRequest { sweep: Some(sweep.to_wire()), ..SubmitRequest::default() };
        self.sweeps()?.submit(request).await?;
        Ok(())
    }

    /// A sweep's summary.
    ///
    /// # Errors
    /// What the coordinator answered.
    pub async fn summary(&self, sweep: &str) -> anyhow::Result<SweepSummary> {
        Ok(self.sweeps()?.get(GetSweepRequest { sweep: sweep.to_owned() }).await?.into_inner())
    }

    /// The jobs of a sweep, by id.
    ///
    /// # Errors
    /// What the coordinator answered.
    pub async fn jobs(&self, sweep: &str) -> anyhow::Result<Vec<JobRow>> {
        let request = ListJobsRequest { sweep: sweep.to_owned(), state: String::new(), limit: 0 };
        Ok(self.results()?.list_jobs(request).await?.into_inner().jobs)
    }

    /// Waits until every job of a sweep has succeeded; a job that ends otherwise is an error at once.
    ///
    /// # Errors
    /// When a job failed, or the deadline passed.
    pub async fn await_success(&self, sweep: &str) -> anyhow::Result<()> {
        let what = format!("the end of sweep {sweep}");
        let ended = eventually(&what, || async {
            let jobs = self.jobs(sweep).await?;
            let open = jobs.iter().filter(|job| ["blocked", "ready", "running"].contains(&job.state.as_str())).count();
            Ok((open == 0).then_some(jobs))
        });
        let jobs = ended.await.with_context(|| self.logs())?;
        let failed: Vec<_> = jobs.iter().filter(|job| job.state != "succeeded").collect();
        anyhow::ensure!(failed.is_empty(), "jobs failed: {failed:#?}\n{}", self.logs());
        Ok(())
    }

    /// Waits until the train job of a sweep runs, has stored a checkpoint and has steps left; returns the job.
    ///
    /// # Errors
    /// When the deadline passed, or training ended first.
    pub async fn await_mid_training(&self, sweep: &str) -> anyhow::Result<JobRow> {
        let checkpoints = format!(
            "select count(*) from checkpoint join job on job.id = job_id join sweep on sweep.id = sweep_id \
             where sweep.name = '{sweep}' and job.state = 'running' and checkpoint.epoch = job.epoch"
        );
        eventually(&format!("a checkpoint of sweep {sweep} in mid-training"), || async {
            let train = self.jobs(sweep).await?.into_iter().find(|job| job.kind == "train");
            let train = train.context("the sweep has no train job")?;
            anyhow::ensure!(train.state != "succeeded", "training ended before the fault: give the sweep more steps");
            let stored = self.sql(&checkpoints)?.trim() != "0";
            Ok((train.state == "running" && stored).then_some(train))
        })
        .await
        .with_context(|| self.logs())
    }

    /// Every number of a sweep without its name, in a fixed order: equal sweeps must have equal ones.
    ///
    /// # Errors
    /// What the coordinator answered.
    pub async fn numbers(&self, sweep: &str) -> anyhow::Result<Vec<EvaluationRow>> {
        let request = QueryEvaluationsRequest { sweep: sweep.to_owned() };
        let rows = self.results()?.query_evaluations(request).await?.into_inner().rows;
        let mut rows: Vec<_> = rows.into_iter().map(|row| EvaluationRow { sweep: String::new(), ..row }).collect();
        rows.sort_by_key(|row| (row.variant.clone(), row.seed, row.metric.clone(), row.dataset.clone()));
        Ok(rows)
    }

    /// Digests of the trained flows and of the per-image statistics of a sweep: equal only when every bit is.
    ///
    /// # Errors
    /// When psql fails.
    pub fn artifacts(&self, sweep: &str) -> anyhow::Result<String> {
        self.sql(&format!(
            "select job.kind, variant.ordinal, experiment.seed, encode(coalesce(checkpoint, statistics), 'hex') \
             from result join job on job.id = job_id join experiment on experiment.id = experiment_id \
             join variant on variant.id = variant_id join sweep on sweep.id = job.sweep_id \
             where sweep.name = '{sweep}' order by 1, 2, 3"
        ))
    }

    /// What every program printed, for a test that failed.
    #[must_use]
    pub fn logs(&self) -> String {
        let programs = self.coordinators.iter().chain(&self.workers);
        programs.map(|program| format!("---\n{}", program.output())).collect()
    }

    fn log(&mut self, name: &str) -> PathBuf {
        self.started += 1;
        self.folder.path().join(format!("{name}-{}.log", self.started))
    }
}

/// An address that is free now. Another program may take it first; the coordinator then says so and the test fails.
fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
