//! One running server process and the watchdog that stops it when we are gone.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::Error;

/// How long a server may take to accept connections; recovery after a crash is part of it.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a fast shutdown may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a waiting call looks again, as `pg_ctl` does.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Runs the server and asks it for a fast shutdown once standard input ends, which it does when the owner closes it or
/// dies in any way. `$1` is a directory to remove afterwards, or empty; the rest is the server's command line.
const WATCHDOG: &str = r#"
remove=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
( while read -r _; do :; done <&3; kill -INT "$server" 2>/dev/null ) &
watch=$!
exec 3<&-
wait "$server"; status=$?
kill "$watch" 2>/dev/null
if [ -n "$remove" ]; then rm -rf -- "$remove"; fi
exit "$status"
"#;

/// What becomes of the cluster's directory when the server has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards<'a> {
    /// It stays.
    Keep,
    /// The watchdog removes it, so that a killed test leaves nothing behind.
    Remove(&'a Path),
}

/// A server under its watchdog; dropping it stops the server.
#[derive(Debug)]
pub(crate) struct Server {
    /// The watchdog's shell; its standard input is the rope that holds the server up.
    watchdog: Option<Child>,
}

impl Server {
    /// Starts `postgres` with `arguments` and waits until it accepts connections.
    ///
    /// `shell` is a command for `/bin/sh` with the server's rights; `data` is the data directory, `log` takes what the server prints.
    pub(crate) fn start(
        mut shell: Command,
        postgres: &Path,
        arguments: &[String],
        data: &Path,
        log: &Path,
        afterwards: Afterwards<'_>,
    ) -> Result<Self, Error> {
        let output = log_file(log)?;
        let errors = output.try_clone().map_err(Error::io("open", log))?;
        shell.args(["-c", WATCHDOG, "spillway-watchdog"]);
        match afterwards {
            Afterwards::Keep => shell.arg(""),
            Afterwards::Remove(directory) => shell.arg(directory),
        };
        // A process group of its own: Ctrl-C in the terminal must reach our programs before their database.
        shell.arg(postgres).arg("-D").arg(data).args(arguments).process_group(0);
        shell.stdin(Stdio::piped()).stdout(output).stderr(errors);
        let watchdog = shell.spawn().map_err(Error::io("start", postgres))?;
        let mut server = Self { watchdog: Some(watchdog) };
        server.wait_until_ready(data, log)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, data: &Path, log: &Path) -> Result<(), Error> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if PidFile::read(data).is_some_and(|file| file.is_ready()) {
                return Ok(());
            }
            let ended = self.watchdog.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() {
                return Err(Error::StartFailed { log: log.to_path_buf(), tail: tail(log) });
            }
            if Instant::now() > deadline {
                let seconds = START_TIMEOUT.as_secs();
                return Err(Error::NotReady { seconds, log: log.to_path_buf(), tail: tail(log) });
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Asks for a fast shutdown (open transactions are rolled back) and waits for it.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        let Some(mut watchdog) = self.watchdog.take() else { return Ok(()) };
        drop(watchdog.stdin.take());
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            match watchdog.try_wait() {
                Ok(None) => thread::sleep(POLL_INTERVAL),
                Ok(Some(_)) | Err(_) => return Ok(()),
            }
        }
        // Losing the watchdog's whole group loses no committed row: the write-ahead log is replayed at the next start.
        let _ = kill_process_group(Pid::from_child(&watchdog), Signal::KILL);
        let _ = watchdog.wait();
        Err(Error::StopTimedOut { seconds: STOP_TIMEOUT.as_secs() })
    }

    /// The watchdog's process.
    pub(crate) fn watchdog_pid(&self) -> Option<u32> {
        self.watchdog.as_ref().map(Child::id)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

/// What a server says about itself in `postmaster.pid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: u32,
    pub(crate) socket_directory: PathBuf,
    status: String,
}

impl PidFile {
    /// Reads the file; lines are pid, data directory, start time, port, socket directory, address, memory key, status.
    pub(crate) fn read(data: &Path) -> Option<Self> {
        let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        Some(Self {
            pid: lines.first()?.parse().ok()?,
            socket_directory: PathBuf::from(lines.get(4).copied().unwrap_or_default()),
            status: lines.get(7).copied().unwrap_or_default().to_owned(),
        })
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.status == "ready"
    }

    /// Says whether the server of `data` lives. A later process may carry the number of a dead server; where the kernel
    /// tells (a server works in its data directory), it is not taken for one.
    pub(crate) fn is_alive(&self, data: &Path) -> bool {
        if !Path::new("/proc/self/cwd").exists() {
            return self.process().is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok());
        }
        match (fs::canonicalize(format!("/proc/{}/cwd", self.pid)), fs::canonicalize(data)) {
            (Ok(working), Ok(data)) => working == data,
            _ => false,
        }
    }

    fn process(&self) -> Option<Pid> {
        i32::try_from(self.pid).ok().and_then(Pid::from_raw)
    }
}

/// Ends a server whose owner is gone. The caller holds the cluster's lock, so nobody else can be using it.
pub(crate) fn stop_orphan(data: &Path) -> Result<(), Error> {
    let Some(orphan) = PidFile::read(data) else { return Ok(()) };
    let deadline = Instant::now() + STOP_TIMEOUT;
    let mut asked = false;
    while orphan.is_alive(data) && PidFile::read(data).is_some_and(|file| file.pid == orphan.pid) {
        if let Some(process) = orphan.process().filter(|_| !asked) {
            let _ = kill_process(process, Signal::INT);
            asked = true;
        }
        if Instant::now() > deadline {
            return Err(Error::StopTimedOut { seconds: STOP_TIMEOUT.as_secs() });
        }
        thread::sleep(POLL_INTERVAL);
    }
    if !orphan.is_alive(data) {
        // PostgreSQL believes a stale file when its number belongs to any process of the same user.
        let _ = fs::remove_file(data.join("postmaster.pid"));
    }
    Ok(())
}

fn log_file(log: &Path) -> Result<File, Error> {
    OpenOptions::new().create(true).append(true).open(log).map_err(Error::io("open", log))
}

/// The log's last lines on one line.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
