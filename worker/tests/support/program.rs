//! The real program, as a process.

use std::{
    fs::File,
    io::Read,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};
use tempfile::TempDir;

const DEADLINE: Timespec = Timespec { tv_sec: 120, tv_nsec: 0 };

/// A supervisor under test. Dropped, it is killed.
pub struct Program {
    process: Child,
    folder: TempDir,
}

/// A process that is looked at from outside.
pub struct Watched(rustix::fd::OwnedFd, Pid);

impl Program {
    /// Starts a worker of one tensor thread without any dataset files.
    pub fn start(coordinators: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scratch = folder.path().to_owned();
        Self::start_in(folder, &scratch, coordinators, arguments)
    }

    /// Starts another worker whose files lie where this one's do.
    pub fn start_beside(&self, coordinators: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), self.scratch(), coordinators, &[])
    }

    fn start_in(folder: TempDir, scratch: &Path, coordinators: &str, arguments: &[&str]) -> Self {
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = command();
        command.args(["--coordinator", coordinators, "--threads", "1", "--name", "tested"]).args(arguments);
        command.arg("--scratch-dir").arg(scratch).arg("--data-dir").arg(folder.path().join("no-data"));
        let process = command.stderr(log).spawn().unwrap();
        Self { process, folder }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// The child that runs the job at the moment.
    pub fn child(&self) -> Watched {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let children: Vec<i32> = tasks
            .flat_map(|task| {
                let children = std::fs::read_to_string(task.unwrap().path().join("children")).unwrap();
                children.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>()
            })
            .collect();
        let [child] = children[..] else { panic!("one child expected, found {children:?}") };
        let pid = Pid::from_raw(child).unwrap();
        Watched(pidfd_open(pid, PidfdFlags::empty()).unwrap(), pid)
    }

    /// Waits for the end.
    pub fn wait(mut self) -> ExitStatus {
        let watched = Watched(pidfd_open(self.pid(), PidfdFlags::empty()).unwrap(), self.pid());
        watched.wait_until_gone();
        self.process.wait().unwrap()
    }

    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> String {
        let mut log = String::new();
        File::open(self.folder.path().join("log")).unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

impl Watched {
    pub fn signal(&self, signal: Signal) {
        kill_process(self.1, signal).unwrap();
    }

    pub fn pid(&self) -> Pid {
        self.1
    }

    pub fn wait_until_gone(&self) {
        let mut ready = [PollFd::new(&self.0, PollFlags::IN)];
        assert_eq!(poll(&mut ready, Some(&DEADLINE)).unwrap(), 1, "process {:?} did not end", self.1);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
        if std::thread::panicking() {
            println!("log of the worker:\n{}", self.log());
        }
    }
}

/// The program with a clean environment.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillway-worker"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SPILLWAY_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}
