//! `cancel`: ends the jobs of a sweep that have not ended, or one of them.

use clap::Args;
use proto::{convert::reason_from_wire, v1::CancelRequest};

use crate::{client::Client, failure::Failure};

const EXAMPLES: &str = "\
Examples:
  spillway cancel demo
  spillway cancel demo --reason \"wrong learning rate\"
  spillway cancel demo --job 17        one job, and those that wait for it

Workers hear of it with their next heartbeat and end what runs.";

/// Which sweep, and why.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The sweep's name or id
    sweep: String,
    /// Why: kept with the jobs, for people
    #[arg(long, default_value = "", hide_default_value = true, value_parser = parse_reason)]
    reason: String,
    /// Only this job, and those that wait for it
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    job: Option<i64>,
}

/// Cancels and says how many jobs that ended.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let Arguments { sweep, reason, job } = arguments;
    let request = CancelRequest { sweep: sweep.clone(), reason: reason.clone(), job_id: job.unwrap_or_default() };
    let cancelled = client.checked(client.sweeps().cancel(request).await)?.into_inner().cancelled;
    match (cancelled, job) {
        (0, Some(job)) => eprintln!("job {job} had ended already"),
        (0, None) => eprintln!("every job of `{sweep}` had ended already"),
        _ => eprintln!("cancelled {cancelled} jobs of `{sweep}`"),
    }
    Ok(())
}

fn parse_reason(text: &str) -> Result<String, String> {
    reason_from_wire(text.to_owned(), "reason").map_err(|violations| violations.to_string())
}
