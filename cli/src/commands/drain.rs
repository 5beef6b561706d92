//! `drain`: tells workers to give back what they run and to end.

use clap::Args;
use proto::{
    convert::worker_name_from_wire,
    v1::{AllWorkers, DrainRequest, DrainedWorker, drain_request::Target},
};

use crate::{client::Client, failure::Failure};

const EXAMPLES: &str = "\
Examples:
  spillway drain gpu-3
  spillway drain 0198c2d4-6a3f-7c11-9b1e-2f4a5b6c7d8e
  spillway drain --all

A worker that drains claims nothing more; a training writes a checkpoint, its job goes back to the queue at no cost and
continues elsewhere in the same bits; then the worker ends. It cannot be undone, since the worker is on its way out: start a new one.";

/// Which workers.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The worker's name, or its session's id
    #[arg(required_unless_present = "all", conflicts_with = "all", value_parser = parse_name)]
    worker: Option<String>,
    /// Every worker that is there
    #[arg(long)]
    all: bool,
}

/// Drains and says what will happen.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let target = match &arguments.worker {
        Some(name) => Target::Worker(name.clone()),
        None => Target::All(AllWorkers {}),
    };
    let answer = client.fleet().drain(DrainRequest { target: Some(target) }).await;
    let answer = client.checked(answer)?.into_inner();
    if answer.workers.is_empty() {
        eprintln!("no worker is there");
    }
    let beat = answer.beat_millis as f64 / 1000.0;
    answer.workers.iter().for_each(|worker| eprintln!("{}", describe(worker, beat)));
    Ok(())
}

fn describe(worker: &DrainedWorker, beat_secs: f64) -> String {
    let DrainedWorker { session_id, name, already, job_ids } = worker;
    let jobs: Vec<String> = job_ids.iter().map(ToString::to_string).collect();
    let then = match jobs.as_slice() {
        [] => "runs nothing and ends".to_owned(),
        [job] => format!("gives job {job} back and ends"),
        several => format!("gives jobs {} back and ends", several.join(", ")),
    };
    if *already {
        return format!("{name} ({session_id}) was draining already: it {then}");
    }
    format!("{name} ({session_id}) hears of it within {beat_secs} s, {then}")
}

fn parse_name(text: &str) -> Result<String, String> {
    worker_name_from_wire(text.to_owned(), "worker").map_err(|violations| violations.to_string())
}
