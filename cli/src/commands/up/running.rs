//! One program of the cluster as a child process, with its log and a watchdog.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
    process::{ExitStatus, Stdio},
};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// Asks the program `$1` to end once standard input does, which happens however its owner ends.
const WATCHDOG: &str = "while read -r _; do :; done; kill -TERM \"$1\" 2>/dev/null";

/// Last lines of a log that an error shows.
const TAIL_LINES: usize = 8;

/// A program and what it is started with.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// What messages call it.
    pub name: String,
    /// Its file.
    pub program: PathBuf,
    /// Its flags.
    pub arguments: Vec<OsString>,
    /// Variables beside those of this process.
    pub environment: Vec<(&'static str, String)>,
    /// Where its output goes; kept from start to start.
    pub log: PathBuf,
}

/// A program that was started.
#[derive(Debug)]
pub struct Running {
    invocation: Invocation,
    child: Child,
    /// Bytes of the log that earlier starts wrote.
    log_start: u64,
    /// Holds the watchdog's input open as long as this process lives.
    watchdog: Child,
}

impl Running {
    /// Starts the program in a process group of its own: Ctrl-C reaches it through this process, in order.
    pub fn start(invocation: Invocation) -> anyhow::Result<Self> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&invocation.log)
            .with_context(|| format!("cannot write {}", invocation.log.display()))?;
        let log_start = log.metadata()?.len();
        let mut command = Command::new(&invocation.program);
        command.args(&invocation.arguments).envs(invocation.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot start {}", invocation.program.display()))?;
        let watchdog = watch(&child)?;
        Ok(Self { invocation, child, log_start, watchdog })
    }

    /// Starts it again after it ended.
    pub fn restart(self) -> anyhow::Result<Self> {
        Self::start(self.invocation)
    }

    /// What it was started with.
    pub fn invocation(&self) -> &Invocation {
        &self.invocation
    }

    /// The end of what it has written since it was started.
    pub fn last_words(&self) -> String {
        let mut text = Vec::new();
        // A log that cannot be read again leaves nothing to show.
        let _ = File::open(&self.invocation.log).and_then(|mut log| {
            log.seek(SeekFrom::Start(self.log_start))?;
            log.read_to_end(&mut text)
        });
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        // Before its number can belong to another process.
        self.watchdog.start_kill().or_else(gone)?;
        self.watchdog.wait().await?;
        Ok(status)
    }

    /// Asks it to end and waits for that; kills it once `forced`.
    pub async fn stop(mut self, forced: &CancellationToken) -> Result<(), Failure> {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            kill_process(pid, Signal::TERM).map_err(io::Error::from).or_else(gone)?;
        }
        tokio::select! {
            ended = self.ended() => { ended?; }
            () = forced.cancelled() => {
                self.child.start_kill().or_else(gone)?;
                self.ended().await?;
            }
        }
        Ok(())
    }
}

fn watch(child: &Child) -> anyhow::Result<Child> {
    let id = child.id().context("a child that was just started has a number")?;
    let mut watchdog = Command::new("/bin/sh");
    watchdog.args(["-c", WATCHDOG, "spillway-watchdog", &id.to_string()]).process_group(0);
    watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    watchdog.spawn().context("cannot start /bin/sh")
}

/// A process that is gone cannot be signalled, and need not be.
fn gone(error: io::Error) -> io::Result<()> {
    let is_gone = error.kind() == io::ErrorKind::InvalidInput
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error());
    if is_gone { Ok(()) } else { Err(error) }
}

#[cfg(test)]
impl Running {
    /// Closes the watchdog's input, as the death of this process would.
    pub fn let_go_of_watchdog(&mut self) {
        drop(self.watchdog.stdin.take());
    }
}
