//! The peers: programs of their own on the same server, started by us one at a time, each with the settings named here.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context;
use serde_json::Value;

use crate::{
    cpu,
    figures::{Better, Names},
    measures::{Bench, pinned},
    options::Measure,
    postgres::Database,
};

/// Longest drain of a backlog.
const LIMIT: Duration = Duration::from_secs(20);

/// A peer with settings.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    pub name: &'static str,
    arguments: &'static [&'static str],
    /// Too slow to drain a backlog that shows anything under a pinned snapshot.
    slow: bool,
}

/// Every peer, with the settings that it has when nothing is said, and with the best that were found for it.
pub const PEERS: [Peer; 5] = [
    Peer { name: "graphile_worker, defaults", arguments: &["--peer", "graphile"], slow: true },
    Peer {
        name: "graphile_worker, local queue of 100, 10 at once",
        arguments: &["--peer", "graphile", "--workers", "10", "--local-queue", "100"],
        slow: false,
    },
    Peer {
        name: "graphile_worker, tuned",
        arguments: &["--peer", "graphile", "--workers", "500", "--local-queue", "5000", "--batch-millis", "5"],
        slow: false,
    },
    Peer { name: "awa, defaults", arguments: &["--peer", "awa"], slow: false },
    Peer {
        name: "awa, tuned",
        arguments: &["--peer", "awa", "--workers", "256", "--no-deadline", "--poll-millis", "50", "--pool", "20"],
        slow: false,
    },
];

/// A peer's process, on a database of its own.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    database: Database,
}

/// Measures every peer that the measure applies to.
pub fn run(bench: &mut Bench, measure: Measure) -> anyhow::Result<()> {
    for peer in PEERS {
        let measured = match measure {
            Measure::Submit => submit(bench, peer),
            Measure::Drain => drain(bench, peer),
            Measure::Latency => latency(bench, peer),
            Measure::Idle => idle(bench, peer),
            Measure::Pinned if !peer.slow => pinned(bench, peer),
            Measure::Pinned | Measure::Renewals | Measure::Growth | Measure::Sweeps => Ok(()),
        };
        measured.with_context(|| format!("measuring {} failed", peer.name))?;
    }
    Ok(())
}

fn submit(bench: &mut Bench, peer: Peer) -> anyhow::Result<()> {
    let jobs = u64::from(bench.load.large_sweeps) * crate::coordinator::LARGEST_SWEEP;
    let many = whole(bench, peer, &["insert", "--jobs", &jobs.to_string()])?;
    add(bench, peer, Names::SUBMIT_MANY, "jobs/s", Better::Higher, rate(&many)?);
    let one_by_one = whole(bench, peer, &["submit", "--jobs", &bench.load.tiny_sweeps.to_string()])?;
    add(bench, peer, Names::SUBMIT_ONE, "submits/s", Better::Higher, rate(&one_by_one)?);
    Ok(())
}

fn drain(bench: &mut Bench, peer: Peer) -> anyhow::Result<()> {
    let jobs = bench.load.backlog;
    let mut process = start(bench, peer, &drain_arguments(jobs, LIMIT), false)?;
    bench.server.checkpoint()?;
    let before = (process.cpu()?, bench.server.cpu()?);
    process.go()?;
    let answer = process.answer()?;
    let after = (process.cpu()?, bench.server.cpu()?);
    let done = number(&answer, "jobs")?;
    add(bench, peer, Names::DRAIN, "jobs/s", Better::Higher, rate(&answer)?);
    let each = |time: Duration| time.as_secs_f64() * 1e3 / done.max(1.0);
    add(bench, peer, Names::DRAIN_OUTSIDE, "ms/job", Better::Lower, each(after.0 - before.0));
    add(bench, peer, Names::DRAIN_SERVER, "ms/job", Better::Lower, each(after.1 - before.1));
    process.end(bench)
}

fn latency(bench: &mut Bench, peer: Peer) -> anyhow::Result<()> {
    let answer = whole(bench, peer, &["latency", "--rounds", &bench.load.rounds.to_string()])?;
    for (field, measure) in [("from_send", Names::LATENCY_SEND), ("from_answer", Names::LATENCY_ANSWER)] {
        let waits = answer[field].as_array().with_context(|| format!("the peer's answer has no {field}"))?;
        let waits: Vec<f64> = waits.iter().filter_map(Value::as_f64).collect();
        bench.figures.add_waits(peer.name, measure, &waits);
    }
    Ok(())
}

fn idle(bench: &mut Bench, peer: Peer) -> anyhow::Result<()> {
    let process = start(bench, peer, &["idle".to_owned()], true)?;
    bench.server.forget_statements()?;
    let (begun, own, server) = (Instant::now(), process.cpu()?, bench.server.cpu()?);
    std::thread::sleep(bench.load.idle);
    let statements: u64 = bench.server.statements(&process.database)?.iter().map(|statement| statement.calls).sum();
    let seconds = begun.elapsed().as_secs_f64();
    let percent = |time: Duration| 100.0 * time.as_secs_f64() / seconds;
    let (own, server) = (percent(process.cpu()? - own), percent(bench.server.cpu()? - server));
    add(bench, peer, Names::IDLE, "1/s", Better::Lower, statements as f64 / seconds);
    add(bench, peer, Names::IDLE_OUTSIDE, "% of a core", Better::Lower, own);
    add(bench, peer, Names::IDLE_SERVER, "% of a core", Better::Lower, server);
    process.end(bench)
}

fn pinned(bench: &mut Bench, peer: Peer) -> anyhow::Result<()> {
    let trial = whole(bench, peer, &["drain", "--jobs", &pinned::TRIAL.to_string(), "--seconds", "20"])?;
    let backlog = pinned::backlog(rate(&trial)?, bench.load.pinned);
    let mut drain = |pin: bool| -> anyhow::Result<pinned::Rates> {
        let mut process = start(bench, peer, &drain_arguments(backlog, bench.load.pinned), false)?;
        bench.server.checkpoint()?;
        let reader = if pin { Some(bench.server.pin(&process.database)?) } else { None };
        process.go()?;
        let answer = process.answer()?;
        drop(reader);
        process.end(bench)?;
        let windows = answer["windows"].as_array().context("the peer's answer has no windows")?;
        let windows: Vec<u64> = windows.iter().filter_map(Value::as_u64).collect();
        eprintln!("    {}: {} jobs of {backlog}; windows {windows:?}", peer.name, answer["jobs"]);
        Ok(pinned::Rates { mean: rate(&answer)?, windows })
    };
    let (free, pinned) = (drain(false)?, drain(true)?);
    pinned::add(bench, peer.name, &free, &pinned);
    Ok(())
}

fn drain_arguments(jobs: u64, limit: Duration) -> Vec<String> {
    ["drain", "--jobs", &jobs.to_string(), "--seconds", &limit.as_secs().to_string()].map(str::to_owned).to_vec()
}

/// A measure from its start to its end, without anything to do in between.
fn whole(bench: &mut Bench, peer: Peer, arguments: &[&str]) -> anyhow::Result<Value> {
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let database = bench.server.database()?;
    let mut process = Process::start(bench, peer, &arguments, database)?;
    let mut answer = process.answer()?;
    if answer["ready"] == true {
        process.go()?;
        answer = process.answer()?;
    }
    process.end(bench)?;
    Ok(answer)
}

/// A measure that is ready to go.
fn start(bench: &mut Bench, peer: Peer, arguments: &[String], counted: bool) -> anyhow::Result<Process> {
    let database = bench.server.database()?;
    if counted {
        bench.server.count_statements(&database)?;
    }
    let mut process = Process::start(bench, peer, arguments, database)?;
    let answer = process.answer()?;
    anyhow::ensure!(answer["ready"] == true, "the peer is not ready: {answer}");
    Ok(process)
}

impl Process {
    fn start(bench: &Bench, peer: Peer, arguments: &[String], database: Database) -> anyhow::Result<Self> {
        let program =
            bench.options.peers_program.as_ref().context(
                "no program for the peers: run `cargo xtask bench queue`, which builds it, or give --no-peers",
            )?;
        let mut child = Command::new(program)
            .args(["--database-url", &database.url])
            .args(peer.arguments)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let input = child.stdin.take().context("a peer without input")?;
        let output = BufReader::new(child.stdout.take().context("a peer without output")?);
        Ok(Self { child, input, output, database })
    }

    /// The next line. Nothing else runs meanwhile, so waiting for it blocks nobody.
    fn answer(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "the peer ended without an answer ({})", self.child.wait()?);
        serde_json::from_str(&line).with_context(|| format!("the peer answered {line:?}"))
    }

    fn go(&mut self) -> anyhow::Result<()> {
        Ok(self.input.write_all(b"go\n")?)
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        cpu::of_process(self.child.id())
    }

    fn end(mut self, bench: &Bench) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        bench.server.remove(&self.database)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn add(bench: &mut Bench, peer: Peer, measure: &str, unit: &str, better: Better, value: f64) {
    bench.figures.add(peer.name, measure, unit, better, value);
}

fn rate(answer: &Value) -> anyhow::Result<f64> {
    Ok(number(answer, "jobs")? / number(answer, "seconds")?)
}

fn number(answer: &Value, field: &str) -> anyhow::Result<f64> {
    answer[field].as_f64().with_context(|| format!("the peer's answer {answer} has no {field}"))
}
