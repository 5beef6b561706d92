//! `up`: PostgreSQL, a coordinator and workers on this machine, until Ctrl-C.

mod database;
mod programs;
mod readiness;
mod running;
mod supervision;

use std::{
    fs,
    io::{Write, stdout},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use domain::fleet::DeviceKind;
use process::Shutdown;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::{
    database::Database,
    programs::{Plan, Programs},
    running::Running,
    supervision::{Stop, keep_running},
};
use crate::{endpoint::Announcement, failure::Failure};

const EXAMPLES: &str = "\
Examples:
  spillway up
  spillway up --workers 2 --threads 4 --data-dir /srv/images
  spillway up --listen 127.0.0.1:0                     any free port; the ready line names it
  spillway up --database-url postgres://me@db/spillway --listen 0.0.0.0:7450

When the cluster is ready, one line says where it listens and which DATABASE_URL psql takes; other commands find it through
the state folder. Logs are in STATE_DIR/logs. Ctrl-C or SIGTERM: workers leave checkpoints and give their jobs back, then
everything stops; a second one ends everything at once. What was stored is there again at the next start.";

/// What to run, and where.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// How many workers; each runs one job at a time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=256))]
    workers: u16,
    /// Tensor threads of each worker [default: the cores of this machine divided by the workers]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Where workers compute: cpu or cuda
    #[arg(long, env = "SPILLWAY_DEVICE", default_value = "cpu")]
    device: DeviceKind,
    /// The folder with one folder per dataset
    #[arg(long, env = "SPILLWAY_DATA_DIR", value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,
    /// Where the coordinator listens; port 0 takes a free one
    #[arg(long, env = "SPILLWAY_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:7450")]
    listen: SocketAddr,
    /// Use this database [default: a private PostgreSQL in the state folder]
    #[arg(long, env = "SPILLWAY_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
}

/// Runs the cluster until it is told to stop, or a part of it cannot run.
pub async fn run(arguments: &Arguments, state_dir: &Path) -> Result<(), Failure> {
    let shutdown = Shutdown::on_signals()?;
    let programs = Programs::find()?;
    let logs = state_dir.join("logs");
    fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;

    let database = Database::open(arguments.database_url.clone(), state_dir).await?;
    // The database stops last and in any case: also when a program did not come up.
    let ended = match Plan::new(arguments, database.url(), state_dir) {
        Ok(plan) => run_programs(&programs, &plan, &database, state_dir, &shutdown).await,
        Err(refusal) => Err(refusal.into()),
    };
    let stopped = database.close().await;
    ended.and(stopped)
}

async fn run_programs(
    programs: &Programs,
    plan: &Plan,
    database: &Database,
    state_dir: &Path,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let endpoint = plan.endpoint();
    // Not before the database and the address are ours: the note may be that of a cluster which runs.
    Announcement::clear(state_dir)?;
    let mut coordinator = Running::start(programs.coordinator(plan))?;
    tokio::select! {
        ready = readiness::wait(&endpoint, &mut coordinator) => ready?,
        () = shutdown.requested.cancelled() => return coordinator.stop(&shutdown.forced).await,
    }
    let (stop_coordinator, stop_workers) = (CancellationToken::new(), CancellationToken::new());
    let stop = |requested: &CancellationToken| Stop { requested: requested.clone(), forced: shutdown.forced.clone() };
    let mut serving = JoinSet::new();
    serving.spawn(keep_running(coordinator, stop(&stop_coordinator)));
    let mut working = JoinSet::new();
    for command in programs.workers(plan) {
        working.spawn(keep_running(Running::start(command)?, stop(&stop_workers)));
    }

    let _announcement = Announcement::write(state_dir, &endpoint)?;
    writeln!(stdout(), "ready: endpoint {endpoint}, workers {}, {}", plan.workers, database.for_psql())?;
    // A part that cannot run is reported at once; the rest is then stopped in order.
    let ended = tokio::select! {
        () = shutdown.requested.cancelled() => Ok(()),
        Some(ended) = serving.join_next() => ended.context("the coordinator's task ended")?,
        Some(ended) = working.join_next() => ended.context("a worker's task ended")?,
    };
    eprintln!("stopping: workers leave checkpoints and give their jobs back; a second Ctrl-C ends everything at once");
    stop_workers.cancel();
    let workers = join_all(working).await;
    stop_coordinator.cancel();
    ended.and(workers).and(join_all(serving).await)
}

async fn join_all(mut tasks: JoinSet<Result<(), Failure>>) -> Result<(), Failure> {
    let mut all = Ok(());
    while let Some(ended) = tasks.join_next().await {
        all = all.and(ended.context("a task ended")?);
    }
    all
}
