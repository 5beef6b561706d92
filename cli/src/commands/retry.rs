//! `retry`: opens the failed, cancelled and quarantined jobs of a sweep again.

use clap::Args;
use proto::v1::RetryRequest;

use crate::{client::Client, failure::Failure};

const EXAMPLES: &str = "\
Examples:
  spillway jobs demo --state failed    first look at why
  spillway retry demo";

/// Which sweep.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The sweep's name or id
    sweep: String,
}

/// Retries and says how many jobs that opened.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let Arguments { sweep } = arguments;
    let request = RetryRequest { sweep: sweep.clone() };
    let retried = client.checked(client.sweeps().retry(request).await)?.into_inner().retried;
    match retried {
        0 => eprintln!("no job of `{sweep}` needs another try"),
        _ => eprintln!("opened {retried} jobs of `{sweep}` again, with fresh budgets"),
    }
    Ok(())
}
