//! The demo's cluster: `spillway up` as a child process, and commands that talk to it.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long PostgreSQL, the coordinator and the workers may take to be ready.
const READY_TIMEOUT: Duration = Duration::from_secs(120);

/// How long the cluster may take to drain its workers and stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(90);

/// How often a waiting call looks again.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running `spillway up`; dropping it stops it in order.
pub struct Cluster {
    spillway: PathBuf,
    up: Child,
    endpoint: String,
    interrupted: Arc<AtomicBool>,
}

impl Cluster {
    /// Starts the cluster in the folder `state` and waits until it says where it listens.
    pub fn start(
        spillway: &Path,
        state: &Path,
        workers: u32,
        data: Option<&Path>,
        interrupted: Arc<AtomicBool>,
    ) -> Result<Self> {
        fs::create_dir_all(state).with_context(|| format!("cannot create {}", state.display()))?;
        let mut command = Command::new(spillway);
        // Any free port: another cluster may be running on this machine.
        command.args(["up", "--listen", "127.0.0.1:0", "--workers", &workers.to_string(), "--state-dir"]).arg(state);
        if let Some(folder) = data {
            command.arg("--data-dir").arg(folder);
        }
        // The demo starts from an empty database: it must be its own.
        command.env_remove("SPILLWAY_DATABASE_URL");
        // A process group of its own: Ctrl-C in the terminal must reach it through us, once.
        command.process_group(0);
        let up = command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot run {}", spillway.display()))?;
        let mut cluster = Self { spillway: spillway.to_path_buf(), up, endpoint: String::new(), interrupted };
        cluster.endpoint = cluster.wait_for_endpoint(&state.join("endpoint"))?;
        Ok(cluster)
    }

    fn wait_for_endpoint(&mut self, file: &Path) -> Result<String> {
        let deadline = Instant::now() + READY_TIMEOUT;
        loop {
            let written = fs::read_to_string(file).unwrap_or_default();
            if !written.trim().is_empty() {
                return Ok(written.trim().to_owned());
            }
            if let Some(status) = self.up.try_wait().context("cannot watch `spillway up`")? {
                bail!("`spillway up` ended before it was ready ({status})");
            }
            if Instant::now() > deadline {
                bail!("`spillway up` was not ready after {} s", READY_TIMEOUT.as_secs());
            }
            self.refuse_when_interrupted()?;
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Runs a command of `spillway` against the cluster and returns what it prints.
    pub fn ask(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).stderr(Stdio::inherit()).output().context("cannot run `spillway`")?;
        succeeded(arguments, output.status)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a command of `spillway` against the cluster on the terminal, until it ends or we are interrupted.
    pub fn show(&self, arguments: &[&str]) -> Result<()> {
        let mut child = self.command(arguments).spawn().context("cannot run `spillway`")?;
        loop {
            if let Some(status) = child.try_wait().context("cannot watch `spillway`")? {
                self.refuse_when_interrupted()?;
                return succeeded(arguments, status);
            }
            if let Err(interrupted) = self.refuse_when_interrupted() {
                terminate(&child);
                child.wait().context("cannot wait for `spillway`")?;
                return Err(interrupted);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Asks `spillway up` to stop in order and waits for it.
    pub fn stop(mut self) -> Result<()> {
        self.stop_in_order()
    }

    fn stop_in_order(&mut self) -> Result<()> {
        terminate(&self.up);
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if self.up.try_wait().context("cannot watch `spillway up`")?.is_some() {
                return Ok(());
            }
            thread::sleep(POLL_INTERVAL);
        }
        self.up.kill().context("cannot kill `spillway up`")?;
        self.up.wait().context("cannot wait for `spillway up`")?;
        bail!("`spillway up` did not stop within {} s and was killed", STOP_TIMEOUT.as_secs())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.spillway);
        command.args(arguments).env("SPILLWAY_ENDPOINT", &self.endpoint).stdin(Stdio::null());
        command
    }

    fn refuse_when_interrupted(&self) -> Result<()> {
        if self.interrupted.load(Ordering::Relaxed) { bail!("interrupted") } else { Ok(()) }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if matches!(self.up.try_wait(), Ok(None)) {
            let _ = self.stop_in_order();
        }
    }
}

fn terminate(child: &Child) {
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
}

fn succeeded(arguments: &[&str], status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    bail!("`spillway {}` failed ({status})", arguments.join(" "))
}

#[cfg(test)]
mod tests;
