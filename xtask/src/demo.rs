//! `demo`: a small real sweep on this machine, from nothing to its AUROC table, through the programs that users run.

mod cluster;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::{
    setup,
    workspace::{self, Workspace},
};
use cluster::Cluster;

/// How to run the demo.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// How many worker processes to start
    #[arg(long, default_value_t = 2)]
    workers: u32,
    /// Which sweep to run, instead of the one that fits the datasets found
    #[arg(long, value_name = "FILE")]
    sweep: Option<PathBuf>,
}

/// The sweep that the demo is about, and its stand-in where the real images are missing.
const REAL_SWEEP: &str = "sweeps/demo.toml";
const SYNTHETIC_SWEEP: &str = "sweeps/demo-synthetic.toml";

/// The datasets of the real sweep.
const REAL_DATASETS: [&str; 2] = ["fashion-mnist", "mnist"];

/// Sets up, builds, runs the sweep to its end on a cluster of its own, and prints the results. Each demo starts from an empty database.
pub fn run(workspace: &Workspace, arguments: &DemoArguments) -> Result<()> {
    setup::run(workspace, None)?;
    let spillway = build(workspace)?;
    let data = data_folder(workspace, &spillway)?;
    let sweep = choose_sweep(workspace, arguments, data.as_deref());
    let state = workspace.path(".spillway/demo");
    localdb::remove(&state.join("postgres"))?;
    if state.exists() {
        fs::remove_dir_all(&state).with_context(|| format!("cannot remove {}", state.display()))?;
    }

    // From here on Ctrl-C must end the cluster in order, not us alone.
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted)).context("cannot listen for Ctrl-C")?;
    }
    let cluster = Cluster::start(&spillway, &state, arguments.workers, data.as_deref(), interrupted)?;
    let shown = show_sweep(&cluster, &sweep);
    let stopped = cluster.stop();
    shown
        .and(stopped)
        .with_context(|| format!("the demo ended early; logs are in {}", state.join("logs").display()))?;
    println!("\nthe database is kept; look again with\n  {} up --state-dir {}", spillway.display(), state.display());
    Ok(())
}

/// Builds the three programs and returns the path of `spillway`.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    workspace::run(workspace.cargo([
        "build",
        "--release",
        "--bins",
        "--package",
        "cli",
        "--package",
        "coordinator",
        "--package",
        "worker",
    ]))?;
    let target = workspace.metadata()?.target_directory;
    Ok(target.join("release").join("spillway").into_std_path_buf())
}

/// The folder that holds the real datasets whole, if there is one: the user's, the checkout's or its neighbour's.
fn data_folder(workspace: &Workspace, spillway: &Path) -> Result<Option<PathBuf>> {
    let candidates = match env::var_os("SPILLWAY_DATA_DIR") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => vec![workspace.path("data"), workspace.path("../shared/data")],
    };
    for folder in candidates {
        if holds_real_datasets(spillway, &folder)? {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

/// Asks the program itself, which knows the files, their digests and where else a package may have put them.
fn holds_real_datasets(spillway: &Path, folder: &Path) -> Result<bool> {
    for dataset in REAL_DATASETS {
        let mut verify = Command::new(spillway);
        verify.args(["data", "verify", dataset]).env("SPILLWAY_DATA_DIR", folder);
        verify.stdout(Stdio::null()).stderr(Stdio::null());
        if !verify.status().with_context(|| format!("cannot run {}", spillway.display()))?.success() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn choose_sweep(workspace: &Workspace, arguments: &DemoArguments, data: Option<&Path>) -> PathBuf {
    if let Some(chosen) = &arguments.sweep {
        return chosen.clone();
    }
    if let Some(folder) = data {
        println!("the demo runs {REAL_SWEEP}: Fashion-MNIST against MNIST, from {}", folder.display());
        return workspace.path(REAL_SWEEP);
    }
    println!(
        "the demo runs {SYNTHETIC_SWEEP}: built-in drawings, because Fashion-MNIST and MNIST were not found; put their IDX files into \
         fashion-mnist/ and mnist/ under data/ or SPILLWAY_DATA_DIR"
    );
    workspace.path(SYNTHETIC_SWEEP)
}

/// Submits, watches to the end, and prints the tables and the query behind them.
fn show_sweep(cluster: &Cluster, sweep: &Path) -> Result<()> {
    let submitted = cluster.ask(&["submit", &sweep.display().to_string()])?;
    println!("{}", submitted.trim());
    let Some(id) = submitted.split_whitespace().find(|word| is_uuid(word)) else {
        bail!("`spillway submit` printed no sweep id: {submitted:?}");
    };
    cluster.show(&["watch", id])?;
    println!();
    cluster.show(&["results", id])?;
    println!("\nthe same table in SQL, with `psql`:\n");
    cluster.show(&["results", id, "--sql"])
}

/// Says whether the word has the form of a sweep's id: 8-4-4-4-12 hexadecimal digits.
fn is_uuid(word: &str) -> bool {
    let groups: Vec<&str> = word.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweep_id_is_told_from_other_words() {
        assert!(is_uuid("0198c2d4-6a3f-7c11-9b1e-2f4a5b6c7d8e"));
        assert!(!is_uuid("demo-20-jobs"));
        assert!(!is_uuid("0198c2d4-6a3f-7c11-9b1e-2f4a5b6c7d8z"));
    }
}
