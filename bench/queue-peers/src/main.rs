//! The peers of Spillway's queue, measured on a PostgreSQL that somebody else started: one peer, one setting, one measure a
//! process. Speaks JSON lines; `queue_benchmark` in `e2e/examples` starts it, and `docs/benchmarks.md` explains the figures.

mod awa_peer;
mod graphile_peer;
mod measure;
mod peer;

use clap::Parser;

use crate::{awa_peer::Awa, graphile_peer::Graphile, measure::Measure};

#[derive(Parser)]
#[command(about = "Measures a job queue other than ours and prints JSON lines")]
struct Arguments {
    /// An empty database
    #[arg(long)]
    database_url: String,
    #[command(subcommand)]
    measure: Measure,
    #[command(flatten)]
    peer: PeerArguments,
}

/// Which peer, with which settings. What is not given is the peer's own default.
#[derive(clap::Args)]
struct PeerArguments {
    /// The peer
    #[arg(long, value_enum)]
    peer: PeerName,
    /// Most connections of its pool
    #[arg(long)]
    pool: Option<u32>,
    /// Jobs that run at once: graphile_worker's concurrency, awa's max_workers
    #[arg(long)]
    workers: Option<u32>,
    /// Milliseconds between two polls
    #[arg(long)]
    poll_millis: Option<u64>,
    /// Size of graphile_worker's local queue; off when not given
    #[arg(long)]
    local_queue: Option<usize>,
    /// Number of graphile_worker's local queues
    #[arg(long)]
    local_queues: Option<usize>,
    /// Milliseconds that graphile_worker gathers completions for; off when not given
    #[arg(long)]
    batch_millis: Option<u64>,
    /// Claimers of awa
    #[arg(long)]
    claimers: Option<u16>,
    /// Jobs of awa without a deadline, which takes its shorter path
    #[arg(long)]
    no_deadline: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum PeerName {
    Graphile,
    Awa,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { database_url, measure, peer } = Arguments::parse();
    match peer.peer {
        PeerName::Graphile => measure::run(Graphile::connect(&database_url, &peer).await?, measure).await,
        PeerName::Awa => measure::run(Awa::connect(&database_url, &peer).await?, measure).await,
    }
}
