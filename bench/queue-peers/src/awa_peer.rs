//! awa.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use awa::{
    Client, InsertOpts, JobArgs, JobContext, JobError, JobResult, QueueConfig, QueueStorage, QueueStorageConfig,
    Worker, migrations,
};
use serde::{Deserialize, Serialize};
use sqlx_awa::{PgPool, postgres::PgPoolOptions};
use tokio::sync::{Mutex, mpsc};

use crate::{
    PeerArguments,
    peer::{Handler, Peer},
};

/// Connections when nothing is said: sqlx's own default, which awa's examples use.
const POOL: u32 = 10;
/// Jobs in one call that adds many.
const CHUNK: u64 = 5000;
/// The queue's name.
const QUEUE: &str = "benchmark";
/// How long the runtime that brings the storage up has to end.
const ENDING: Duration = Duration::from_secs(10);

/// A client, stopped until it is to work.
#[derive(Clone)]
pub struct Awa {
    pool: PgPool,
    client: Arc<Client>,
    storage: Arc<QueueStorage>,
    handler: Arc<Handler>,
    starts: Arc<Mutex<mpsc::UnboundedReceiver<Instant>>>,
}

#[derive(Debug, Serialize, Deserialize, JobArgs)]
struct Nothing {
    number: u64,
}

struct Doer(Arc<Handler>);

#[async_trait::async_trait]
impl Worker for Doer {
    fn kind(&self) -> &'static str {
        "nothing"
    }

    async fn perform(&self, _context: &JobContext) -> Result<JobResult, JobError> {
        self.0.handle();
        Ok(JobResult::Completed)
    }
}

impl Awa {
    /// Brings the schema up, has a first runtime activate the default storage, and prepares another one.
    pub async fn connect(url: &str, arguments: &PeerArguments) -> anyhow::Result<Self> {
        let pool = PgPoolOptions::new().max_connections(arguments.pool.unwrap_or(POOL)).connect(url).await?;
        migrations::run(&pool).await?;
        let (handler, starts) = Handler::new();
        let handler = Arc::new(handler);
        let client = || {
            Client::builder(pool.clone())
                .queue(QUEUE, settings(arguments))
                .register_worker(Doer(Arc::clone(&handler)))
                .build()
        };
        let first = client()?;
        first.start().await?;
        first.shutdown(ENDING).await;
        Ok(Self {
            client: Arc::new(client()?),
            storage: Arc::new(QueueStorage::new(QueueStorageConfig::default())?),
            pool,
            handler,
            starts: Arc::new(Mutex::new(starts)),
        })
    }
}

fn settings(arguments: &PeerArguments) -> QueueConfig {
    let mut settings = QueueConfig::default();
    if let Some(workers) = arguments.workers {
        settings.max_workers = workers;
    }
    if let Some(millis) = arguments.poll_millis {
        settings.poll_interval = Duration::from_millis(millis);
    }
    if let Some(claimers) = arguments.claimers {
        settings.claimers = claimers;
    }
    if arguments.no_deadline {
        settings.deadline_duration = Duration::ZERO;
    }
    settings
}

fn options() -> InsertOpts {
    InsertOpts { queue: QUEUE.to_owned(), ..InsertOpts::default() }
}

impl Peer for Awa {
    async fn add_many(&self, count: u64) -> anyhow::Result<()> {
        let mut added = 0;
        while added < count {
            let size = CHUNK.min(count - added);
            let jobs: Vec<_> = (added..added + size)
                .map(|number| awa::model::insert::params_with(&Nothing { number }, options()))
                .collect::<Result<_, _>>()?;
            self.storage.enqueue_params_copy(&self.pool, &jobs).await?;
            added += size;
        }
        Ok(())
    }

    async fn add_one(&self) -> anyhow::Result<()> {
        awa::insert_with(&self.pool, &Nothing { number: 0 }, options()).await?;
        Ok(())
    }

    async fn start(&self) -> anyhow::Result<()> {
        Ok(self.client.start().await?)
    }

    async fn unfinished(&self, added: u64) -> anyhow::Result<u64> {
        let counts = self.storage.queue_counts(&self.pool, QUEUE).await?;
        Ok(added.saturating_sub(counts.terminal.try_into()?))
    }

    fn handler(&self) -> &Handler {
        &self.handler
    }

    async fn next_start(&self) -> Option<Instant> {
        self.starts.lock().await.recv().await
    }
}
