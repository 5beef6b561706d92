//! `chaos`: a whole cluster of real processes under faults, for as long as one likes.

use std::{path::PathBuf, process::Command};

use anyhow::Result;
use clap::Args;

use crate::{
    setup,
    workspace::{self, Workspace},
};

/// How to run chaos.
#[derive(Debug, Args)]
pub struct ChaosArguments {
    /// How long there are faults; the jobs that are left then take some time more
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1440))]
    minutes: u32,
    /// Fixes the faults; another one for each run when absent
    #[arg(long)]
    seed: Option<u64>,
    /// How many workers the cluster has
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Where the logs of all programs are put when something is wrong, instead of `target/chaos`
    #[arg(long, value_name = "FOLDER")]
    logs: Option<PathBuf>,
}

/// Sets up, builds the programs and the harness with the features of the tests, and runs it.
pub fn run(workspace: &Workspace, arguments: &ChaosArguments) -> Result<()> {
    setup::run(workspace, None)?;
    workspace::run(workspace.cargo(["build", "--workspace", "--bins", "--example", "chaos"]))?;
    let target = workspace.metadata()?.target_directory;
    let mut chaos = Command::new(target.join("debug/examples/chaos"));
    chaos.current_dir(workspace.root());
    let logs = arguments.logs.clone().unwrap_or_else(|| target.join("chaos").into());
    let (minutes, workers) = (arguments.minutes.to_string(), arguments.workers.to_string());
    chaos.args(["--minutes", &minutes, "--workers", &workers, "--logs"]).arg(logs);
    if let Some(seed) = arguments.seed {
        chaos.args(["--seed", &seed.to_string()]);
    }
    workspace::run(chaos)
}
