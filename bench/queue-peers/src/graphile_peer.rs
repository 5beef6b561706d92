//! graphile_worker (the Rust one).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, Worker, WorkerContext, WorkerOptions,
    WorkerUtils,
};
use serde::{Deserialize, Serialize};
use sqlx_graphile::{PgPool, postgres::PgPoolOptions};
use tokio::sync::{Mutex, mpsc};

use crate::{
    PeerArguments,
    peer::{Handler, Peer},
};

/// Connections when nothing is said: the peer's own default.
const POOL: u32 = 20;
/// Jobs in one call that adds many.
const CHUNK: u64 = 5000;

/// A worker and its tools.
#[derive(Clone)]
pub struct Graphile {
    pool: PgPool,
    worker: Arc<Worker>,
    utils: Arc<WorkerUtils>,
    handler: Arc<Handler>,
    starts: Arc<Mutex<mpsc::UnboundedReceiver<Instant>>>,
}

#[derive(Debug, Clone)]
struct Shared(Arc<Handler>);

#[derive(Debug, Serialize, Deserialize)]
struct Nothing {
    number: u64,
}

impl TaskHandler for Nothing {
    const IDENTIFIER: &'static str = "nothing";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        if let Some(Shared(handler)) = context.get_ext::<Shared>() {
            handler.handle();
        }
        Ok::<(), String>(())
    }
}

impl Graphile {
    /// Brings the schema up and prepares a worker.
    pub async fn connect(url: &str, arguments: &PeerArguments) -> anyhow::Result<Self> {
        let pool = PgPoolOptions::new().max_connections(arguments.pool.unwrap_or(POOL)).connect(url).await?;
        let (handler, starts) = Handler::new();
        let handler = Arc::new(handler);
        let mut options = WorkerOptions::default()
            .pg_pool(pool.clone())
            .listen_os_shutdown_signals(false)
            .add_extension(Shared(Arc::clone(&handler)))
            .define_job::<Nothing>();
        if let Some(workers) = arguments.workers {
            options = options.concurrency(workers as usize);
        }
        if let Some(millis) = arguments.poll_millis {
            options = options.poll_interval(Duration::from_millis(millis));
        }
        if let Some(size) = arguments.local_queue {
            let queues = arguments.local_queues.unwrap_or(1);
            options = options.local_queue(LocalQueueConfig::default().with_size(size).with_queue_count(queues));
        }
        if let Some(millis) = arguments.batch_millis {
            options = options.complete_job_batch_delay(Duration::from_millis(millis));
        }
        let worker = options.init().await?;
        let utils = Arc::new(worker.create_utils());
        Ok(Self { pool, worker: Arc::new(worker), utils, handler, starts: Arc::new(Mutex::new(starts)) })
    }
}

impl Peer for Graphile {
    async fn add_many(&self, count: u64) -> anyhow::Result<()> {
        let mut added = 0;
        while added < count {
            let size = CHUNK.min(count - added);
            let job = |number| {
                let payload = serde_json::to_value(Nothing { number })?;
                anyhow::Ok(RawJobSpec { identifier: Nothing::IDENTIFIER.to_owned(), payload, spec: JobSpec::default() })
            };
            let jobs: Vec<_> = (added..added + size).map(job).collect::<anyhow::Result<_>>()?;
            self.utils.add_raw_jobs(&jobs).await?;
            added += size;
        }
        Ok(())
    }

    async fn add_one(&self) -> anyhow::Result<()> {
        self.utils.add_job(Nothing { number: 0 }, JobSpec::default()).await?;
        Ok(())
    }

    async fn start(&self) -> anyhow::Result<()> {
        let worker = Arc::clone(&self.worker);
        tokio::spawn(async move {
            if let Err(error) = worker.run().await {
                eprintln!("the worker ended: {error}");
            }
        });
        Ok(())
    }

    async fn unfinished(&self, _added: u64) -> anyhow::Result<u64> {
        // A job that is done is deleted.
        let left: i64 = sqlx_graphile::query_scalar("select count(*) from graphile_worker._private_jobs")
            .fetch_one(&self.pool)
            .await?;
        Ok(left.try_into()?)
    }

    fn handler(&self) -> &Handler {
        &self.handler
    }

    async fn next_start(&self) -> Option<Instant> {
        self.starts.lock().await.recv().await
    }
}
