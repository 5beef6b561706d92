//! `bench`: the measurements that the project publishes, each an ordinary program in release mode.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::{
    setup,
    workspace::{self, Workspace},
};

/// A benchmark; a new one is a variant here and its command below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Benchmark {
    /// One training step of the library beside a plain layer-by-layer version
    Flows,
    /// How long a job waits on an idle cluster before it is claimed, and then before its child process runs
    Dispatch,
    /// How long it takes until work goes on after each part of a cluster has died
    Recovery,
    /// The queue beside peer crates on one private PostgreSQL: submits, drains, latencies, idle cost
    Queue,
    /// How far densities and inverses drift in single precision, TF32 and bfloat16
    Precision,
    /// Recording a dataset: images per second with and without code lengths, sizes, and what the scores say
    Evaluation,
    /// The metrics of a million scores, beside the plainest way to an AUROC
    Metrics,
}

/// Arguments of the queue's benchmark that need no peer.
const WITHOUT_PEERS: [&str; 4] = ["--no-peers", "--profile", "--help", "-h"];

impl Benchmark {
    /// The programs that it runs as processes of their own.
    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Dispatch | Self::Recovery => {
                &["build", "--release", "--package", "coordinator", "--package", "worker"]
            }
            Self::Queue => &["build", "--release", "--package", "coordinator"],
            Self::Flows | Self::Precision | Self::Evaluation | Self::Metrics => &[],
        }
    }

    fn cargo_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Dispatch => &["run", "--release", "--package", "e2e", "--example", "dispatch_latency", "--"],
            Self::Recovery => &["run", "--release", "--package", "e2e", "--example", "recovery", "--"],
            Self::Flows => &["run", "--release", "--package", "training", "--example", "step_benchmark", "--"],
            Self::Queue => &["run", "--release", "--package", "e2e", "--example", "queue_benchmark", "--"],
            Self::Precision => &["run", "--release", "--package", "flows", "--example", "precision_report", "--"],
            Self::Evaluation => {
                &["run", "--release", "--package", "training", "--example", "evaluation_benchmark", "--"]
            }
            Self::Metrics => &["run", "--release", "--package", "ood", "--example", "million_scores", "--"],
        }
    }
}

/// Sets up, then runs the benchmark with the caller's arguments.
pub fn run(workspace: &Workspace, benchmark: Benchmark, arguments: &[String]) -> Result<()> {
    setup::run(workspace, None)?;
    if !benchmark.programs().is_empty() {
        workspace::run(workspace.cargo(benchmark.programs().iter().copied()))?;
    }
    let mut command = workspace.cargo(benchmark.cargo_arguments().iter().copied());
    if benchmark == Benchmark::Queue && needs_peers(arguments) {
        command.arg("--peers-program").arg(build_peers(workspace)?);
    }
    command.args(arguments);
    workspace::run(command)
}

fn needs_peers(arguments: &[String]) -> bool {
    !arguments.iter().any(|argument| WITHOUT_PEERS.contains(&argument.as_str()))
}

/// Builds the program that measures the peers, from its own lock file, and says where it is.
fn build_peers(workspace: &Workspace) -> Result<PathBuf> {
    let target = workspace.path("target/queue-peers");
    let mut command = workspace.cargo(["build", "--release", "--locked", "--manifest-path"]);
    command.arg(workspace.path("bench/queue-peers/Cargo.toml")).arg("--target-dir").arg(&target);
    workspace::run(command)?;
    Ok(target.join("release/queue-peers"))
}
