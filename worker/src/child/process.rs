//! The supervisor's side: starts a child, reads what it says, and ends it.

use std::{
    collections::VecDeque,
    env,
    ffi::OsString,
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{self, ChildStderr, ChildStdin, ChildStdout},
    task::JoinHandle,
    time::timeout,
};
use tracing::{debug, warn};

use super::{
    lines::Lines,
    protocol::{Command, Message, Order, decode, encode},
};
use crate::log::LineSplitter;

/// How much of what a child wrote to standard error is kept for its failure message, in bytes.
const STDERR_TAIL_BYTES: usize = 16 * 1024;
/// How long a child may take to exit after its last message before it is killed.
const EXIT_LIMIT: Duration = Duration::from_secs(10);

/// How threads of OpenMP wait for work: the variable that its runtime reads when it is loaded.
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";

/// A child cannot be started or talked to.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// The system gave no process.
    #[error("cannot start the child process {program}: {source}; check the program file and the limit on processes")]
    Start {
        /// The program.
        program: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The child's pipes broke.
    #[error("cannot talk to the child process: {0}")]
    Pipe(#[from] io::Error),
}

/// One line of a child's output.
#[derive(Debug)]
pub enum Line {
    /// A message.
    Message(Box<Message>),
    /// It will say no more.
    End,
}

/// How a child's process ended.
#[derive(Debug)]
pub struct ExitReason {
    status: ExitStatus,
    stderr: String,
}

/// A running child. Dropping it kills the process.
#[derive(Debug)]
pub struct Child {
    process: process::Child,
    orders: ChildStdin,
    lines: Lines<ChildStdout>,
    stderr: JoinHandle<Vec<u8>>,
}

impl Child {
    /// Starts `program run-child` and gives it its order; `hear` gets each line that it writes to standard error.
    ///
    /// # Errors
    /// The process cannot be started, or dies before it reads.
    pub async fn start(
        program: &Path,
        order: &Order,
        hear: impl Fn(&str) + Send + 'static,
    ) -> Result<Self, ProcessError> {
        let mut process = command(program, env::var_os(WAIT_POLICY))
            .spawn()
            .map_err(|source| ProcessError::Start { program: program.display().to_string(), source })?;
        let pipe = || io::Error::other("a pipe is missing");
        let mut orders = process.stdin.take().ok_or_else(pipe)?;
        let output = process.stdout.take().ok_or_else(pipe)?;
        let errors = process.stderr.take().ok_or_else(pipe)?;
        let stderr = tokio::spawn(keep_tail(errors, hear));
        if let Err(error) = orders.write_all(encode(order).as_bytes()).await {
            // It died at once: its exit says more than the broken pipe.
            debug!(%error, "child did not read its order");
        }
        Ok(Self { process, orders, lines: Lines::new(output), stderr })
    }

    /// The process's number, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Waits for the next line. Nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// The pipe broke.
    pub async fn next(&mut self) -> Result<Line, ProcessError> {
        next_message(&mut self.lines).await.map_err(Into::into)
    }

    /// Tells the child something. One that has ended cannot hear, which its exit will show.
    pub async fn tell(&mut self, command: Command) {
        if let Err(error) = self.orders.write_all(encode(&command).as_bytes()).await {
            debug!(%error, "child did not read a command");
        }
    }

    /// Waits for the exit after the last message; a child that hangs is killed.
    ///
    /// # Errors
    /// The system lost the process.
    pub async fn wait(mut self) -> Result<ExitReason, ProcessError> {
        let status = match timeout(EXIT_LIMIT, self.process.wait()).await {
            Ok(status) => status?,
            Err(_) => {
                warn!("child did not exit after its last message");
                self.process.kill().await?;
                self.process.wait().await?
            }
        };
        let stderr = self.stderr.await.unwrap_or_default();
        Ok(ExitReason { status, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    }

    /// Kills the child at once and waits until it is gone, and its memory with it.
    pub async fn kill(mut self) {
        if let Err(error) = self.process.kill().await {
            warn!(%error, "child could not be killed");
        }
    }
}

impl ExitReason {
    /// The exit status or signal.
    pub fn status(&self) -> ExitStatus {
        self.status
    }

    /// What happened, for people: the exit status or signal, and the end of standard error.
    #[must_use]
    pub fn describe(&self) -> String {
        use std::os::unix::process::ExitStatusExt;
        let hint = match self.status.signal() {
            // Nobody here sent it: the worker reads no exit of a child that it killed.
            Some(SIGKILL) => "; somebody killed it, or the system was out of memory",
            Some(_) | None => "",
        };
        let said = self.stderr.trim();
        let said =
            if said.is_empty() { "nothing on standard error".to_owned() } else { format!("standard error:\n{said}") };
        format!("the child process ended without a result ({}{hint}); {said}", self.status)
    }
}

const SIGKILL: i32 = 9;

/// The command that starts a child, given what this process's environment says of [`WAIT_POLICY`].
fn command(program: &Path, wait_policy: Option<OsString>) -> process::Command {
    let mut command = process::Command::new(program);
    command
        .arg("run-child")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: Ctrl-C in a terminal is for the supervisor, which drains the child.
        .process_group(0)
        .kill_on_drop(true);
    if wait_policy.is_none() {
        // Between two operations libtorch's threads spin by default, which takes the cores from other children and
        // other programs on the machine. Only the environment at the start can say otherwise.
        command.env(WAIT_POLICY, "passive");
    }
    command
}

/// The next message among a child's lines.
async fn next_message<R: AsyncRead + Unpin>(lines: &mut Lines<R>) -> io::Result<Line> {
    // A library's chatter must not cost a training run, whatever it consists of.
    while let Some(line) = lines.next().await? {
        match line.map(|text| decode(&text)) {
            Ok(Ok(message)) => return Ok(Line::Message(Box::new(message))),
            Ok(Err(error)) => warn!(%error, "child wrote something else to its output"),
            Err(problem) => warn!(%problem, "child wrote a line that is skipped"),
        }
    }
    Ok(Line::End)
}

/// Reads until the end, passes each line on and keeps the last bytes.
async fn keep_tail(mut errors: ChildStderr, hear: impl Fn(&str)) -> Vec<u8> {
    let mut tail = VecDeque::new();
    let mut lines = LineSplitter::default();
    let mut chunk = vec![0; 4096];
    while let Ok(read @ 1..) = errors.read(&mut chunk).await {
        debug!(text = %String::from_utf8_lossy(&chunk[..read]), "child wrote to standard error");
        lines.push(&chunk[..read], &hear);
        tail.extend(&chunk[..read]);
        tail.drain(..tail.len().saturating_sub(STDERR_TAIL_BYTES));
    }
    if let Some(last) = lines.finish() {
        hear(&last);
    }
    tail.into()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use domain::{
        Digest, Epoch, ExperimentId, JobId, SweepId,
        fleet::DeviceKind,
        report::{Assignment, Attempt, CheckpointRef, Task},
        spec::DatasetName,
    };
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::child::{Resources, protocol::MAX_LINE_BYTES};

    fn order() -> Order {
        let spec = serde_json::from_value(json!({
            "model": { "realnvp": { "mask": "cycle", "st_network": { "resnet": { "width": 2, "blocks": 1 } } } },
            "data": { "dataset": "constant" },
            "training": { "steps": 1, "batch_size": 2, "optimiser": { "adam": { "learning_rate": 1e-3 } } },
            "evaluation": { "out": ["uniform-noise"] },
        }));
        let checkpoint = CheckpointRef { digest: Digest::of(b"weights"), step: 1 };
        Order {
            assignment: Assignment {
                attempt: Attempt { job: JobId(1), epoch: Epoch(0) },
                sweep: SweepId(Uuid::from_u128(1)),
                experiment: ExperimentId(1),
                spec: spec.unwrap(),
                seed: 1,
                task: Task::Evaluate { checkpoint, out: DatasetName::UniformNoise.into(), learned: Vec::new() },
            },
            resources: Resources {
                device: DeviceKind::Cpu,
                cuda_library: None,
                threads: 1,
                data: PathBuf::from("data"),
            },
            checkpoint: None,
            initial_weights: None,
            learned: Vec::new(),
            evaluated: Vec::new(),
            folder: PathBuf::from("."),
        }
    }

    #[tokio::test]
    async fn child_that_dies_without_a_result_is_described_by_its_last_words() {
        // The shell takes `run-child` for a script that is not there, and says so.
        let (heard, mut lines) = tokio::sync::mpsc::unbounded_channel();
        let hear = move |line: &str| heard.send(line.to_owned()).unwrap();
        let mut child = Child::start(Path::new("/bin/sh"), &order(), hear).await.unwrap();

        let line = child.next().await.unwrap();
        let reason = child.wait().await.unwrap().describe();
        let last_words = lines.recv().await.unwrap();

        assert!(matches!(line, Line::End), "{line:?}");
        assert!(reason.contains("exit status") && reason.contains("run-child"), "{reason}");
        assert!(last_words.contains("run-child") && reason.contains(&last_words), "{last_words}");
    }

    #[tokio::test]
    async fn program_that_is_not_there_is_named() {
        let refusal = Child::start(Path::new("/nowhere/worker"), &order(), |_| {}).await.unwrap_err();

        assert!(refusal.to_string().contains("/nowhere/worker"), "{refusal}");
    }

    #[tokio::test]
    async fn lines_that_cannot_be_read_are_passed_over_wherever_they_are() {
        let good = |problem: &str| Message::StartedOver { problem: problem.to_owned() };
        let overlong = [vec![b'x'; MAX_LINE_BYTES + 1], b"\n".to_vec()].concat();
        let not_text = b"\xff\xfe\n".to_vec();
        let bytes = [
            overlong.clone(),
            encode(&good("first")).into_bytes(),
            // Two in a row, and the last message after the last read: each of them once ended the reading.
            not_text.clone(),
            not_text.clone(),
            overlong,
            not_text,
            encode(&good("second")).into_bytes(),
        ]
        .concat();
        let mut lines = Lines::new(bytes.as_slice());

        for problem in ["first", "second"] {
            let line = next_message(&mut lines).await.unwrap();
            assert!(matches!(&line, Line::Message(message) if **message == good(problem)), "{line:?}");
        }
        assert!(matches!(next_message(&mut lines).await.unwrap(), Line::End));
    }

    #[test]
    fn threads_of_children_wait_passively_unless_the_user_has_said_how() {
        let policy = |set: Option<OsString>| {
            let command = command(Path::new("worker"), set);
            command
                .as_std()
                .get_envs()
                .find(|(name, _)| *name == WAIT_POLICY)
                .map(|(_, value)| value.map(OsString::from))
        };

        assert_eq!(policy(None), Some(Some("passive".into())));
        // Nothing is changed: the child inherits it.
        assert_eq!(policy(Some("active".into())), None);
    }
}
