//! The measures, the same for every peer.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Subcommand;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    task::JoinSet,
};

use crate::peer::Peer;

/// Clients that add jobs one by one.
const CLIENTS: u64 = 8;
/// Jobs are also counted for each of these.
const WINDOW: Duration = Duration::from_secs(3);
/// How often the count of jobs is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// Pause between two jobs whose latency is measured.
const SETTLE: Duration = Duration::from_millis(25);
/// How long a started worker has to come to rest.
const WARM: Duration = Duration::from_secs(2);
/// A drain without any progress for so long is given up.
const STALLED: Duration = Duration::from_secs(60);

/// What is measured.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Measure {
    /// Jobs added each second in bulk
    Insert {
        #[arg(long)]
        jobs: u64,
    },
    /// Jobs added each second one by one, by 8 clients
    Submit {
        #[arg(long)]
        jobs: u64,
    },
    /// Adds a backlog, says `ready`, waits for a line, and works the backlog off
    Drain {
        #[arg(long)]
        jobs: u64,
        /// Ends after so many seconds, whatever is left
        #[arg(long)]
        seconds: u64,
    },
    /// From adding one job to its start, with a worker that waits
    Latency {
        #[arg(long)]
        rounds: u32,
    },
    /// Starts a worker that has nothing to do, says `ready`, and waits for a line
    Idle,
}

pub async fn run(peer: impl Peer, measure: Measure) -> anyhow::Result<()> {
    let figures = match measure {
        Measure::Insert { jobs } => insert(&peer, jobs).await?,
        Measure::Submit { jobs } => submit(&peer, jobs).await?,
        Measure::Drain { jobs, seconds } => drain(&peer, jobs, Duration::from_secs(seconds)).await?,
        Measure::Latency { rounds } => latency(&peer, rounds).await?,
        Measure::Idle => idle(&peer).await?,
    };
    say(&figures)?;
    // A worker may run on: the process ends here, and whoever started it removes the database.
    std::process::exit(0);
}

async fn insert(peer: &impl Peer, jobs: u64) -> anyhow::Result<Value> {
    let begun = Instant::now();
    peer.add_many(jobs).await?;
    Ok(json!({"jobs": jobs, "seconds": begun.elapsed().as_secs_f64()}))
}

async fn submit(peer: &impl Peer, jobs: u64) -> anyhow::Result<Value> {
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let peer = peer.clone();
        clients.spawn(async move {
            for _ in (client..jobs).step_by(CLIENTS as usize) {
                peer.add_one().await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    Ok(json!({"jobs": jobs, "seconds": begun.elapsed().as_secs_f64()}))
}

async fn drain(peer: &impl Peer, jobs: u64, limit: Duration) -> anyhow::Result<Value> {
    peer.add_many(jobs).await?;
    ready().await?;
    peer.start().await?;
    // The clock starts with the first job: how long a worker takes to start is no matter of throughput.
    let begun = peer.next_start().await.context("no job was started")?;
    let mut windows: Vec<u64> = Vec::new();
    let (mut seen, mut moved) = (0, Instant::now());
    loop {
        tokio::time::sleep(LOOK).await;
        let (count, elapsed) = (peer.handler().count(), begun.elapsed());
        if count > seen {
            (seen, moved) = (count, Instant::now());
        }
        anyhow::ensure!(moved.elapsed() < STALLED, "the drain stands still at {count} jobs");
        if elapsed >= WINDOW * (u32::try_from(windows.len())? + 1) {
            windows.push(count - windows.iter().sum::<u64>());
        }
        if elapsed >= limit {
            return Ok(json!({"jobs": count, "seconds": elapsed.as_secs_f64(), "windows": windows}));
        }
        // All were handled; they are done when the database knows it.
        if count >= jobs && peer.unfinished(jobs).await? == 0 {
            return Ok(json!({"jobs": jobs, "seconds": begun.elapsed().as_secs_f64(), "windows": windows}));
        }
    }
}

async fn latency(peer: &impl Peer, rounds: u32) -> anyhow::Result<Value> {
    peer.start().await?;
    tokio::time::sleep(WARM).await;
    let millis = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1e3;
    let (mut from_send, mut from_answer) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        tokio::time::sleep(SETTLE).await;
        let sent = Instant::now();
        peer.add_one().await?;
        let answered = Instant::now();
        let started = peer.next_start().await.context("the job was not started")?;
        from_send.push(millis(sent, started));
        from_answer.push(millis(answered, started));
    }
    Ok(json!({"from_send": from_send, "from_answer": from_answer}))
}

async fn idle(peer: &impl Peer) -> anyhow::Result<Value> {
    peer.start().await?;
    tokio::time::sleep(WARM).await;
    ready().await?;
    Ok(json!({}))
}

/// Says that everything is prepared, and waits for a line.
async fn ready() -> anyhow::Result<()> {
    say(&json!({"ready": true}))?;
    let mut line = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut line).await?;
    Ok(())
}

fn say(value: &Value) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{value}")?;
    Ok(output.flush()?)
}
