//! Chaos for as long as one likes; `cargo xtask chaos` builds the programs and starts this. Prints the tally; the exit code is
//! 1 when something is wrong, and the seed is said, which fixes the faults of another run.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program speaks on its standard output")]

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, bail, ensure};
use e2e::chaos::{self, ChaosOptions, Size};
use tokio::signal::unix::{SignalKind, signal};

/// Longest run, in minutes: a day.
const MOST_MINUTES: u64 = 1440;
/// Most workers.
const MOST_WORKERS: usize = 64;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(refusal) => {
            eprintln!("error: {refusal:#}");
            return ExitCode::from(2);
        }
    };
    println!("chaos with seed {} for {} minutes", options.seed, options.length.as_secs() / 60);
    let ran = tokio::select! {
        ran = chaos::run(&options, |said| println!("{said}")) => ran,
        // Dropped, the cluster takes its programs with it.
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    match ran {
        Ok(tally) => {
            println!("{tally}");
            if tally.violations.is_empty() {
                return ExitCode::SUCCESS;
            }
        }
        Err(error) => eprintln!("error: {error:#}"),
    }
    eprintln!("chaos with seed {} FAILED; the same faults again: --seed {}", options.seed, options.seed);
    ExitCode::FAILURE
}

/// Waits for Ctrl-C or SIGTERM.
async fn interrupted() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<ChaosOptions> {
    let mut options = ChaosOptions {
        seed: u64::from(std::process::id()),
        length: Duration::from_secs(5 * 60),
        workers: 4,
        size: Size::LARGE,
        logs: None,
    };
    while let Some(flag) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{flag}: a value is missing"))?;
        let bad = || format!("{flag} {value}: a whole number expected");
        match flag.as_str() {
            "--seed" => options.seed = value.parse().with_context(bad)?,
            "--minutes" => {
                let minutes: u64 = value.parse().with_context(bad)?;
                ensure!((1..=MOST_MINUTES).contains(&minutes), "--minutes {minutes}: 1 to {MOST_MINUTES} allowed");
                options.length = Duration::from_secs(60 * minutes);
            }
            "--workers" => {
                let workers: usize = value.parse().with_context(bad)?;
                ensure!((1..=MOST_WORKERS).contains(&workers), "--workers {workers}: 1 to {MOST_WORKERS} allowed");
                options.workers = workers;
            }
            "--logs" => options.logs = Some(PathBuf::from(value)),
            _ => bail!("unknown flag {flag}: --minutes, --seed, --workers and --logs are known"),
        }
    }
    Ok(options)
}
