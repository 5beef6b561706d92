//! The queue, measured: through gRPC, on a private and durable PostgreSQL, with jobs that do nothing, beside peer crates on
//! the same server. `docs/benchmarks.md` says what each figure is.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark speaks on its standard output and error")]

mod coordinator;
mod cpu;
mod figures;
mod fleet;
mod measures;
mod options;
mod peers;
mod postgres;
mod profile;
mod worker;

use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;

use crate::{figures::Figures, measures::Bench, options::Options, postgres::Server};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let server = Server::start()?;
    eprintln!("on {}", server.description()?);
    let mut bench = Bench { server, load: options.load(), figures: Figures::default(), options };
    if bench.options.profile {
        return profile::run(&mut bench).await;
    }
    for repetition in 1..=bench.options.repetitions() {
        eprintln!("repetition {repetition} of {}", bench.options.repetitions());
        measures::run(&mut bench, repetition).await?;
    }
    report(&bench)
}

fn report(bench: &Bench) -> anyhow::Result<()> {
    let output = match &bench.options.output {
        Some(path) => path.clone(),
        None => default_output()?,
    };
    let document = serde_json::json!({
        "postgres": bench.server.description()?,
        "repetitions": bench.options.repetitions(),
        "quick": bench.options.quick,
        "workers": format!("{:?}", bench.options.shape()),
        "figures": bench.figures.json(),
    });
    std::fs::write(&output, serde_json::to_vec_pretty(&document)?)
        .with_context(|| format!("cannot write {}", output.display()))?;
    println!("{}", bench.figures.markdown());
    println!("Medians of {} (least–most); × is ours divided by the peer's.", bench.options.repetitions());
    println!("PostgreSQL: {}", bench.server.description()?);
    println!("Figures as JSON: {}", output.display());
    Ok(())
}

/// In the build's folder: this program lies in `release/examples/` below it.
fn default_output() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(3).context("this program lies in no build folder")?;
    Ok(target.join("queue-benchmark.json"))
}
