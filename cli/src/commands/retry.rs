//! `retry`: opens jobs of a sweep that ended without a result again.

use clap::Args;
use proto::v1::{RetryRequest, RetryScope};

use crate::{client::Client, failure::Failure};

const EXAMPLES: &str = "\
Examples:
  spillway jobs demo --state failed    first look at why
  spillway retry demo
  spillway retry demo --failed         what somebody cancelled stays cancelled
  spillway retry demo --job 17

Without --failed, every job without a result is opened again: failed, quarantined and cancelled ones. Jobs that ended with
another one (the evaluations of a training that failed) follow it.";

/// Which jobs of which sweep.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The sweep's name or id
    sweep: String,
    /// Only failed and quarantined jobs
    #[arg(long, conflicts_with = "missing")]
    failed: bool,
    /// Every job without a result, cancelled ones too: what happens without it as well
    #[arg(long)]
    missing: bool,
    /// Only this job, and those that ended with it
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    job: Option<i64>,
}

/// Retries and says how many jobs that opened.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let Arguments { sweep, failed, missing: _, job } = arguments;
    let scope = if *failed { RetryScope::Failed } else { RetryScope::Missing };
    let request = RetryRequest { sweep: sweep.clone(), scope: scope.into(), job_id: job.unwrap_or_default() };
    let retried = client.checked(client.sweeps().retry(request).await)?.into_inner().retried;
    match (retried, job) {
        (0, None) => eprintln!("no job of `{sweep}` needs another try"),
        (0, Some(job)) => eprintln!("job {job} needs no other try: `spillway why {job}` says where it stands"),
        _ => eprintln!("opened {retried} jobs of `{sweep}` again, with fresh budgets"),
    }
    Ok(())
}
