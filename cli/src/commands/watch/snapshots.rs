//! The stream of a sweep's snapshots, opened again when it breaks.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use proto::v1::{WatchRequest, WatchResponse};
use tokio::time::{Instant, sleep};
use tonic::{Code, Status, Streaming};

use crate::{
    client::Client,
    failure::{Failure, cause_of, is_of_transport},
};

/// What there is to know next.
#[derive(Debug)]
pub enum News {
    /// The sweep as it stands.
    Snapshot(Box<WatchResponse>),
    /// The coordinator went away; the next call waits so long and tries again.
    Lost {
        /// Why.
        cause: String,
        /// The wait.
        delay: Duration,
    },
    /// The coordinator answers again.
    Back,
}

/// How long a coordinator that went away is waited for.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Waits between two tries.
    pub delays: ExponentialBuilder,
    /// All of it.
    pub in_all: Duration,
}

/// The snapshots of one sweep.
#[derive(Debug)]
pub struct Snapshots<'a> {
    client: &'a Client,
    sweep: String,
    scores: Vec<String>,
    patience: Patience,
    connection: Connection,
}

#[derive(Debug)]
enum Connection {
    /// Nothing was heard yet: an error is the user's to know.
    First,
    Open(Box<Streaming<WatchResponse>>),
    Broken {
        since: Instant,
        delays: Box<ExponentialBackoff>,
        next: Duration,
    },
}

impl Patience {
    /// Waits between two tries, one after the other.
    pub fn waits(&self) -> ExponentialBackoff {
        self.delays.build()
    }
}

impl Default for Patience {
    fn default() -> Self {
        let delays = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(500))
            .with_max_delay(Duration::from_secs(10))
            .without_max_times();
        Self { delays, in_all: Duration::from_secs(600) }
    }
}

impl<'a> Snapshots<'a> {
    /// The snapshots of `sweep`, whose tables have rows of these `scores`, or of all when there are none.
    pub fn of(client: &'a Client, sweep: &str, scores: &[String], patience: Patience) -> Self {
        Self { client, sweep: sweep.to_owned(), scores: scores.to_vec(), patience, connection: Connection::First }
    }

    /// Waits for news. The last snapshot says that it is the last one.
    pub async fn next(&mut self) -> Result<News, Failure> {
        match &mut self.connection {
            Connection::First => {
                let mut stream = self.open().await.map_err(|status| self.failure(&status))?;
                let first = stream.message().await.map_err(|status| self.failure(&status))?;
                let first = first.ok_or_else(|| self.failure(&ended_early()))?;
                self.connection = Connection::Open(Box::new(stream));
                Ok(News::Snapshot(Box::new(first)))
            }
            Connection::Open(stream) => match stream.message().await {
                Ok(Some(snapshot)) => Ok(News::Snapshot(Box::new(snapshot))),
                Ok(None) => self.lose(&ended_early()),
                Err(status) => self.lose(&status),
            },
            Connection::Broken { next, .. } => {
                sleep(*next).await;
                match self.open().await {
                    Ok(stream) => {
                        self.connection = Connection::Open(Box::new(stream));
                        Ok(News::Back)
                    }
                    Err(status) => self.lose(&status),
                }
            }
        }
    }

    async fn open(&self) -> Result<Streaming<WatchResponse>, Status> {
        let request = WatchRequest { sweep: self.sweep.clone(), scores: self.scores.clone() };
        Ok(self.client.sweeps().watch(request).await?.into_inner())
    }

    fn lose(&mut self, status: &Status) -> Result<News, Failure> {
        if !may_pass(status) {
            return Err(self.failure(status));
        }
        let (since, mut delays) = match std::mem::replace(&mut self.connection, Connection::First) {
            Connection::Broken { since, delays, .. } => (since, delays),
            Connection::First | Connection::Open(_) => (Instant::now(), Box::new(self.patience.delays.build())),
        };
        let delay = delays.next().unwrap_or(self.patience.in_all);
        if since.elapsed() + delay > self.patience.in_all {
            return Err(self.failure(status));
        }
        self.connection = Connection::Broken { since, delays, next: delay };
        Ok(News::Lost { cause: cause_of(status), delay })
    }

    fn failure(&self, status: &Status) -> Failure {
        Failure::of_call(status, self.client.endpoint())
    }
}

fn ended_early() -> Status {
    Status::unavailable("the stream ended before the sweep did")
}

/// Whether the same call may succeed later.
pub fn may_pass(status: &Status) -> bool {
    is_of_transport(status)
        || matches!(
            status.code(),
            Code::Unavailable
                | Code::Unknown
                | Code::Internal
                | Code::Cancelled
                | Code::Aborted
                | Code::DeadlineExceeded
                | Code::ResourceExhausted
        )
}
