//! `rescore`: computes more scores of what a sweep evaluated.

use clap::Args;
use proto::v1::{RescoreRequest, RescoreResponse};

use crate::{client::Client, failure::Failure};

const EXAMPLES: &str = "\
Examples:
  spillway rescore demo --scores dose,typicality-10
  spillway rescore demo --scores waic                    one for each variant, over its seeds
  spillway rescore demo --scores gradient-norm           runs each trained flow over a part of the examples
  spillway results demo

Most scores are computed from the per-image statistics that evaluations stored: no GPU and no checkpoint is needed, and any
worker does it in seconds. Evaluations that have not ended are waited for. Scores that the sweep has, or has jobs for, are not
added again; a job that failed is tried again with `spillway retry`.";

/// Which scores of which sweep.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The sweep's name or id
    sweep: String,
    /// The scores, by name, with commas between them
    #[arg(long, value_name = "SCORES", value_delimiter = ',', required = true)]
    scores: Vec<String>,
}

/// Adds the jobs and says how many.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let Arguments { sweep, scores } = arguments;
    let scores: Vec<String> = scores.iter().map(|score| score.trim().to_owned()).collect();
    let request = RescoreRequest { sweep: sweep.clone(), scores };
    let RescoreResponse { added, blocked } = client.checked(client.sweeps().rescore(request).await)?.into_inner();
    match (added, blocked) {
        (0, _) => {
            eprintln!("nothing to add: `{sweep}` has these scores, or jobs that compute them (`spillway jobs {sweep}`)")
        }
        (_, 0) => eprintln!("added {added} jobs to `{sweep}`: `spillway watch {sweep}` follows them"),
        _ => eprintln!("added {added} jobs to `{sweep}`, {blocked} of which wait for evaluations"),
    }
    Ok(())
}
