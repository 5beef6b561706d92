//! A program of ours as a child process: started with a clean environment, logged to a file, killed when dropped.

use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// A running program.
#[derive(Debug)]
pub struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts the program `name` of this workspace; what it prints goes to `log`.
    ///
    /// # Errors
    /// When the program has not been built, naming the command that builds it.
    pub fn start<I, S>(name: &str, arguments: I, log: &Path) -> anyhow::Result<Self>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut program = command(name)?;
        program.args(arguments);
        Self::spawn(program, log)
    }

    /// Starts a command that was made by [`command`]; what it prints goes to `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// The processes that it has started and that still run.
    #[must_use]
    pub fn children(&self) -> Vec<Pid> {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{}/task", self.child.id())) else { return Vec::new() };
        let listed = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        let numbers: Vec<i32> =
            listed.flat_map(|list| list.split_whitespace().flat_map(str::parse).collect::<Vec<_>>()).collect();
        numbers.into_iter().filter_map(Pid::from_raw).collect()
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).with_context(|| format!("cannot signal process {pid:?}"))
    }

    /// Kills the process at once and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The exit status, once the process has ended.
    ///
    /// # Errors
    /// When it cannot be asked for.
    pub fn try_wait(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// What the process has printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.kill();
    }
}

/// A command for the program `name` of this workspace, without any `SPILLWAY_…` variable of the caller's.
///
/// # Errors
/// When the program has not been built.
pub fn command(name: &str) -> anyhow::Result<Command> {
    let path = programs()?.join(name);
    ensure!(path.is_file(), "{} is missing: build it with `cargo build --workspace`", path.display());
    let mut command = Command::new(path);
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("SPILLWAY_") {
            command.env_remove(variable);
        }
    }
    Ok(command)
}

/// The folder of the programs: a test's own executable lies in `deps/` below it.
fn programs() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).context("a test's executable lies two folders deep")?;
    Ok(folder.to_owned())
}
