//! The program `spillway`: runs a cluster on this machine, submits sweeps, follows them and prints their results.

#![allow(clippy::print_stderr, reason = "a program says on standard error what it does")]

mod artifact;
mod client;
mod commands;
mod document;
mod endpoint;
mod evidence;
mod failure;
mod images;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    client::Client,
    commands::{
        Command, cancel, checkpoint, compare, data, drain, figures, jobs, list, logs, metrics, plot, report, rescore,
        results, retry, submit, up, validate, watch, why, workers,
    },
    endpoint::Cluster,
    failure::{EXIT_CODES, Failure},
};

const EXAMPLES: &str = "\
Examples:
  spillway up --workers 2              a cluster on this machine, until Ctrl-C
  spillway submit sweeps/demo.toml     prints the sweep's id
  spillway watch demo                  progress and the AUROC table, live
  spillway results demo --format csv   the table for a program

Colours appear on a terminal only, and never when NO_COLOR is set.
";

/// Trains normalizing flows on a cluster and measures how well they detect out-of-distribution data
#[derive(Debug, Parser)]
#[command(name = "spillway", version, about, after_help = format!("{EXAMPLES}\n{EXIT_CODES}"))]
struct Arguments {
    #[command(flatten)]
    cluster: Cluster,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let Arguments { cluster, command } = Arguments::parse();
    match run(&cluster, &command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(cluster: &Cluster, command: &Command) -> Result<(), Failure> {
    match command {
        // These read files for seconds and call nobody.
        Command::Validate(arguments) => validate::run(arguments),
        Command::Data(arguments) => data::run(arguments),
        Command::Metrics(arguments) => metrics::run(arguments),
        waiting => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run_waiting(cluster, waiting))
        }
    }
}

async fn run_waiting(cluster: &Cluster, command: &Command) -> Result<(), Failure> {
    let client = || Client::new(cluster.endpoint());
    match command {
        Command::Up(arguments) => up::run(arguments, &cluster.state_dir).await,
        Command::Submit(arguments) => submit::run(arguments, &client()).await,
        Command::List(arguments) => list::run(arguments, &client()).await,
        Command::Watch(arguments) => watch::run(arguments, &client()).await,
        Command::Results(arguments) => results::run(arguments, &client()).await,
        Command::Report(arguments) => report::run(arguments, &client()).await,
        Command::Plot(arguments) => plot::run(arguments, &client()).await,
        Command::Compare(arguments) => compare::run(arguments, &client()).await,
        Command::Checkpoint(arguments) => checkpoint::run(arguments, &client()).await,
        Command::Figures(arguments) => figures::run(arguments, &client()).await,
        Command::Jobs(arguments) => jobs::run(arguments, &client()).await,
        Command::Why(arguments) => why::run(arguments, &client()).await,
        Command::Logs(arguments) => logs::run(arguments, &client()).await,
        Command::Workers(arguments) => workers::run(arguments, &client()).await,
        Command::Drain(arguments) => drain::run(arguments, &client()).await,
        Command::Cancel(arguments) => cancel::run(arguments, &client()).await,
        Command::Retry(arguments) => retry::run(arguments, &client()).await,
        Command::Rescore(arguments) => rescore::run(arguments, &client()).await,
        Command::Validate(_) | Command::Data(_) | Command::Metrics(_) => unreachable!("these wait for nobody"),
    }
}
