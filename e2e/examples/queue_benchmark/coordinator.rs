//! One coordinator process on a fresh database, with its default settings, and clients of it.

use std::{net::TcpListener, time::Duration};

use anyhow::Context;
use e2e::{Program, eventually, tiny_sweep};
use proto::{
    convert::ToWire,
    v1::{
        ListSweepsRequest, PutHeader, PutRequest, SubmitRequest, artifact_service_client::ArtifactServiceClient,
        put_request::Part, sweep_service_client::SweepServiceClient,
    },
};
use tempfile::TempDir;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};

use crate::{cpu, postgres::Database};

/// Jobs of a sweep from [`sweep`], for each seed: one train job and one evaluate job.
pub const JOBS_PER_SEED: u64 = 2;
/// Jobs of the largest sweep.
pub const LARGEST_SWEEP: u64 = domain::sweep::MAX_JOBS as u64;
/// Pause before a refused submit is sent again, where the coordinator does not say how long.
const REFUSED_PAUSE: Duration = Duration::from_millis(50);
/// What every job of the benchmark yields.
const ARTIFACT: &[u8] = b"the result of a job that does nothing";

/// The coordinator.
pub struct Coordinator {
    program: Program,
    endpoint: String,
    artifact: Vec<u8>,
    _folder: TempDir,
}

impl Coordinator {
    /// Starts it on a fresh database, waits until it serves, and stores the one artifact that all results name.
    pub async fn start(database: &Database, database_connections: u32) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let arguments = [
            "--database-url".to_owned(),
            database.url.clone(),
            "--listen".to_owned(),
            address.clone(),
            "--artifacts".to_owned(),
            folder.path().join("artifacts").display().to_string(),
            "--database-connections".to_owned(),
            database_connections.to_string(),
        ];
        let program = Program::start("spillway-coordinator", arguments, &folder.path().join("coordinator.log"))?;
        let artifact = domain::Digest::of(ARTIFACT).to_wire();
        let coordinator = Self { program, endpoint: format!("http://{address}"), artifact, _folder: folder };
        let sweeps = coordinator.sweeps()?;
        let served = eventually("the coordinator serves", || {
            let mut sweeps = sweeps.clone();
            async move { Ok(Some(sweeps.list(ListSweepsRequest { limit: 1 }).await?)) }
        });
        served.await.with_context(|| coordinator.program.output())?;
        coordinator.store_artifact().await?;
        Ok(coordinator)
    }

    async fn store_artifact(&self) -> anyhow::Result<()> {
        let header = PutHeader { digest: self.artifact.clone(), size: ARTIFACT.len() as u64 };
        let parts = [Part::Header(header), Part::Chunk(ARTIFACT.to_vec())].map(|part| PutRequest { part: Some(part) });
        ArtifactServiceClient::new(self.channel()?).put(futures::stream::iter(parts)).await?;
        Ok(())
    }

    /// The digest that every result names.
    pub fn artifact(&self) -> &[u8] {
        &self.artifact
    }

    /// A connection of its own.
    pub fn channel(&self) -> anyhow::Result<Channel> {
        Ok(Endpoint::from_shared(self.endpoint.clone())?.tcp_nodelay(true).connect_lazy())
    }

    /// A client of the sweeps.
    pub fn sweeps(&self) -> anyhow::Result<SweepServiceClient<Channel>> {
        Ok(SweepServiceClient::new(self.channel()?))
    }

    /// CPU time of the process so far.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        cpu::of_process(self.program.id())
    }

    /// Submits sweeps that have `jobs` jobs together, as large as they may be.
    pub async fn submit_jobs(&self, prefix: &str, jobs: u64) -> anyhow::Result<()> {
        let mut client = self.sweeps()?;
        let mut left = jobs;
        while left > 0 {
            let size = left.min(LARGEST_SWEEP);
            submit(&mut client, sweep(&format!("{prefix}-{left}"), size)).await?;
            left -= size;
        }
        Ok(())
    }
}

/// A sweep of `jobs` jobs: half train, half evaluate.
pub fn sweep(name: &str, jobs: u64) -> SubmitRequest {
    let seeds: Vec<u64> = (0..jobs.div_ceil(JOBS_PER_SEED)).collect();
    SubmitRequest { sweep: Some(tiny_sweep(name, &seeds, 1).to_wire()), ..SubmitRequest::default() }
}

/// Submits, again when there was no room.
pub async fn submit(client: &mut SweepServiceClient<Channel>, request: SubmitRequest) -> anyhow::Result<()> {
    loop {
        match client.submit(request.clone()).await {
            Ok(_) => return Ok(()),
            Err(status) if status.code() == Code::ResourceExhausted => tokio::time::sleep(REFUSED_PAUSE).await,
            Err(status) => return Err(status).context("a sweep was not taken"),
        }
    }
}
