//! The child's side: reads its order, runs it, says how it goes, and never outlives its supervisor.

use std::{
    io::{self, BufRead, Write},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use domain::{job::FailureKind, report::Failure};
use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, warn};

use super::protocol::{Command, Message, Order, Outcome, decode, encode};
use crate::{cuda, trainer};

/// How much lower than its supervisor's the priority of a child is. Tensors take every core there is; a heartbeat needs a
/// moment of one, and the kernel gives it first to whoever is nicer to (docs/decisions/0013).
const NICENESS: i32 = 5;

/// Runs the order on standard input and speaks the line protocol on standard output.
///
/// The exit code is 0 whenever the last message was sent, whatever it says.
#[must_use]
pub fn run_child() -> ExitCode {
    match speak() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Standard error is where the supervisor looks when a child ends without a result.
            let _written = writeln!(io::stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

fn speak() -> io::Result<()> {
    die_with_supervisor();
    yield_to_supervisor();
    outlive_signals()?;
    volunteer_for_memory_kill();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let order: Order = decode(&line).map_err(io::Error::other)?;
    let wish = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&wish);
    thread::Builder::new().name("commands".to_owned()).spawn(move || obey(&heard))?;

    let outcome = match cuda::prepare(&order.resources) {
        Ok(()) => trainer::run(&order, Voice { wish }),
        Err(refusal) => Outcome::Failed(Failure { kind: FailureKind::Infrastructure, message: refusal.to_string() }),
    };
    say(&Message::Ended(outcome))
}

/// What a running job hears and says.
#[derive(Debug)]
pub struct Voice {
    wish: Arc<AtomicBool>,
}

impl Voice {
    /// Whether the supervisor wants a checkpoint and then the end.
    pub fn is_told_to_stop(&self) -> bool {
        self.wish.load(Ordering::Relaxed)
    }

    /// Says something. A supervisor that does not listen is gone, and so will this process be.
    pub fn say(&self, message: &Message) {
        if let Err(error) = say(message) {
            error!(%error, "the supervisor does not listen");
            die();
        }
    }
}

fn say(message: &Message) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(encode(message).as_bytes())?;
    output.flush()
}

/// Follows commands until the supervisor is gone, and ends with it.
fn obey(wish: &AtomicBool) {
    for line in io::stdin().lock().lines() {
        match line.map_err(io::Error::other).and_then(|line| decode(&line).map_err(io::Error::other)) {
            Ok(Command::StopAfterCheckpoint) => wish.store(true, Ordering::Relaxed),
            Err(error) => {
                let _written = writeln!(io::stderr(), "{error}");
                break;
            }
        }
    }
    die();
}

/// Ends this process at once. A normal exit would run the tensor library's clean-up under a thread that computes.
fn die() -> ! {
    let _sent = kill_process(getpid(), Signal::KILL);
    std::process::abort()
}

/// The kernel ends this process with its supervisor, also when it is stopped and cannot see the end of its input.
fn die_with_supervisor() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(Signal::KILL)) {
        warn!(%error, "a stopped child may outlive its supervisor");
    }
}

/// Called before there is a second thread: on Linux the priority is a thread's own, and passed on to those it starts.
fn yield_to_supervisor() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        warn!(%error, "the priority stays as it is");
    }
}

/// A supervisor's manager (systemd, say) signals the whole group of processes; the supervisor alone decides what its
/// child does, and the child sees its end on standard input.
fn outlive_signals() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _inside = runtime.enter();
    // Once installed, a handler stays for the life of the process, and the default action is gone.
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        let _handler = signal(kind)?;
    }
    Ok(())
}

/// When memory runs out, the system shall take this process and not the supervisor, whose session would be lost.
fn volunteer_for_memory_kill() {
    const LIKELIEST: &str = "1000";
    // Only Linux has the file; elsewhere the system chooses.
    let _written = std::fs::write("/proc/self/oom_score_adj", LIKELIEST);
}
