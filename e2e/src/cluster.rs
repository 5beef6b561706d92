//! One cluster: a private Postgres, coordinators and workers, and a client's view of it.

mod client;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context;
use localdb::PrivateCluster;
use proto::v1::{
    fleet_service_client::FleetServiceClient, result_service_client::ResultServiceClient,
    sweep_service_client::SweepServiceClient, worker_service_client::WorkerServiceClient,
};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use crate::{
    Database, Program, command,
    database::{Ending, Persistence},
    eventually,
    proxy::{Proxy, Upstream},
};

/// What a test may choose.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Time to live of a lease: how long a killed worker goes unnoticed.
    pub lease_ttl: Duration,
    /// Time between heartbeats.
    pub beat: Duration,
    /// Time after a lease's end before its jobs are taken back.
    pub grace: Duration,
    /// What becomes of the database.
    pub persistence: Persistence,
    /// How programs reach each other.
    pub links: Links,
    /// How long a job of a much more important sweep waits before a training makes room for it.
    pub preempt_after: Duration,
}

/// How programs reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Directly.
    Direct,
    /// Through proxies of which each coordinator has one towards the workers and one towards the database. They need a
    /// runtime of several threads.
    Proxied,
}

/// A running cluster. Dropped, everything stops.
pub struct Cluster {
    // Fields are dropped in this order: programs before the database they use, the folder last.
    workers: Vec<Program>,
    coordinators: Vec<Program>,
    database: Database,
    endpoints: Vec<String>,
    /// One for each coordinator when links are proxied: towards its workers, towards the database.
    proxies: Vec<[Proxy; 2]>,
    options: ClusterOptions,
    folder: TempDir,
    started: usize,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            lease_ttl: Duration::from_secs(3),
            beat: Duration::from_millis(500),
            grace: Duration::from_millis(500),
            persistence: Persistence::Disposable,
            links: Links::Direct,
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
            database: Database::start(options.persistence)?,
            endpoints: Vec::new(),
            proxies: Vec::new(),
            options,
            folder: tempfile::tempdir()?,
            started: 0,
        };
        std::fs::create_dir(cluster.folder.path().join("scratch"))?;
        cluster.add_coordinator().await?;
        Ok(cluster)
    }

    /// Starts one more coordinator on the same database; returns its index.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn add_coordinator(&mut self) -> anyhow::Result<usize> {
        let address = free_address()?;
        let index = self.coordinators.len();
        self.endpoints.push(format!("http://{address}"));
        if self.options.links == Links::Proxied {
            let to_database = Proxy::start(self.database.socket().map_or(Upstream::Nowhere, Upstream::Unix)).await?;
            self.proxies.push([Proxy::start(Upstream::Tcp(address)).await?, to_database]);
        }
        let program = self.start_coordinator(index)?;
        self.coordinators.push(program);
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
        self.revive_coordinator(index)?;
        self.await_serving(index).await
    }

    /// Starts a coordinator that ended again, at the same address, and does not wait for it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn revive_coordinator(&mut self, index: usize) -> anyhow::Result<()> {
        self.coordinators[index] = self.start_coordinator(index)?;
        Ok(())
    }

    /// A coordinator's process.
    pub fn coordinator(&mut self, index: usize) -> &mut Program {
        &mut self.coordinators[index]
    }

    fn start_coordinator(&mut self, index: usize) -> anyhow::Result<Program> {
        let log = self.log("coordinator");
        let arguments = [
            "--database-url".to_owned(),
            self.database_url(index)?,
            "--listen".to_owned(),
            self.endpoints[index].trim_start_matches("http://").to_owned(),
            "--artifacts".to_owned(),
            self.folder.path().join("artifacts").display().to_string(),
            "--lease-ttl-millis".to_owned(),
            self.options.lease_ttl.as_millis().to_string(),
            "--beat-millis".to_owned(),
            self.options.beat.as_millis().to_string(),
            "--grace-millis".to_owned(),
            self.options.grace.as_millis().to_string(),
            "--preempt-after-secs".to_owned(),
            self.options.preempt_after.as_secs().to_string(),
        ];
        Program::start("spillway-coordinator", arguments, &log)
    }

    /// The address at which a coordinator finds the database.
    fn database_url(&self, index: usize) -> anyhow::Result<String> {
        match self.proxies.get(index) {
            Some([_, to_database]) => Ok(format!("postgres://spillway@{}/spillway", to_database.address())),
            None => Ok(self.database.server().context("the database is down")?.url()),
        }
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
        let command = self.worker_command(self.workers.len())?;
        self.start_worker(command)
    }

    /// Starts a worker from a command that the caller may have changed; returns its index.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_worker(&mut self, command: Command) -> anyhow::Result<usize> {
        let index = self.workers.len();
        let log = self.log("worker");
        self.workers.push(Program::spawn(command, &log)?);
        Ok(index)
    }

    /// Starts a worker that ended again, from a command that the caller may have changed.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn revive_worker(&mut self, index: usize, command: Command) -> anyhow::Result<()> {
        let log = self.log("worker");
        self.workers[index] = Program::spawn(command, &log)?;
        Ok(())
    }

    /// The command that starts a worker.
    ///
    /// # Errors
    /// When it is not built.
    pub fn worker_command(&self, index: usize) -> anyhow::Result<Command> {
        let mut endpoints = self.endpoints.clone();
        if self.options.links == Links::Proxied {
            endpoints = self.proxies.iter().map(|[to_workers, _]| format!("http://{}", to_workers.address())).collect();
        }
        let mut program = command("spillway-worker")?;
        program.args(["--coordinator", &endpoints.join(","), "--name", &format!("worker-{index}"), "--threads", "1"]);
        program.arg("--scratch-dir").arg(self.scratch());
        Ok(program)
    }

    /// The folder in which workers make theirs.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.folder.path().join("scratch")
    }

    /// A worker's process.
    pub fn worker(&mut self, index: usize) -> &mut Program {
        &mut self.workers[index]
    }

    /// The database's server, which runs.
    ///
    /// # Panics
    /// It was stopped.
    #[must_use]
    pub fn postgres(&self) -> &PrivateCluster {
        self.database.server().expect("nobody has stopped the database")
    }

    /// Whether the database is meant to run.
    #[must_use]
    pub fn database_runs(&self) -> bool {
        self.database.server().is_some()
    }

    /// Ends the database, if it runs.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn end_database(&mut self, ending: Ending) -> anyhow::Result<()> {
        self.database.end(ending)
    }

    /// Starts the database again, unless it runs.
    ///
    /// # Errors
    /// When it is not of the restartable kind, or does not come up.
    pub fn restart_database(&mut self) -> anyhow::Result<()> {
        self.database.restart()?;
        for [_, to_database] in &self.proxies {
            to_database.lead_to(self.database.socket().map_or(Upstream::Nowhere, Upstream::Unix));
        }
        Ok(())
    }

    /// The link between a coordinator and its workers, when links are proxied.
    #[must_use]
    pub fn link_to_workers(&self, index: usize) -> Option<&Proxy> {
        self.proxies.get(index).map(|[to_workers, _]| to_workers)
    }

    /// The link between a coordinator and the database, when links are proxied.
    #[must_use]
    pub fn link_to_database(&self, index: usize) -> Option<&Proxy> {
        self.proxies.get(index).map(|[_, to_database]| to_database)
    }

    /// Runs SQL as a user would; rows come unaligned, fields separated by `|`.
    ///
    /// # Errors
    /// When psql fails.
    pub fn sql(&self, statement: &str) -> anyhow::Result<String> {
        self.database.query(statement)
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

    /// A sweep client of a coordinator.
    ///
    /// # Errors
    /// Never for a coordinator of this cluster.
    pub fn sweeps_at(&self, index: usize) -> anyhow::Result<SweepServiceClient<Channel>> {
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

    /// What every program printed, for a test that failed.
    #[must_use]
    pub fn logs(&self) -> String {
        let programs = self.coordinators.iter().chain(&self.workers);
        programs.map(|program| format!("---\n{}", program.output())).collect()
    }

    /// The folder of the cluster: logs of every program that was ever started, artifacts, scratch.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
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
