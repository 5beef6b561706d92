//! `submit`: checks a sweep file, stores it and prints the sweep's id.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::anyhow;
use clap::Args;
use proto::{
    convert::{ToWire, idempotency_key_from_wire, user_from_wire},
    v1::{SubmitRequest, SubmitResponse},
};

use super::{validate, watch};
use crate::{client::Client, document::read_sweep, failure::Failure};

const EXAMPLES: &str = "\
Examples:
  spillway submit sweeps/demo.toml
  spillway submit sweeps/demo.toml --name demo-again --watch
  spillway watch $(spillway submit sweeps/demo.toml)

Standard output gets the sweep's id alone. The same document under the same name is not stored twice.";

/// What to submit, and how.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A sweep in TOML, YAML or JSON, by the file's ending
    file: PathBuf,
    /// Name the sweep so, whatever the file says
    #[arg(long)]
    name: Option<String>,
    /// Follow the sweep until it ends
    #[arg(long)]
    watch: bool,
    /// Your own key for this submit: sent again with the same key, nothing new is stored
    #[arg(long, value_name = "KEY", default_value = "", hide_default_value = true, value_parser = parse_key)]
    idempotency_key: String,
    /// Who submits, for fair shares and quotas; a label that nobody checks
    #[arg(long, env = "SPILLWAY_USER", default_value_t = login_name(), value_parser = parse_user)]
    user: String,
}

/// Submits, and follows the sweep when asked to.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let Arguments { file, name, watch, idempotency_key, user } = arguments;
    let sweep = read_sweep(file, name.as_deref())?;
    // All violations of the file are shown here; the coordinator's answer holds only so many.
    validate::expand(&sweep, file)?;
    let request =
        SubmitRequest { sweep: Some(sweep.to_wire()), idempotency_key: idempotency_key.clone(), user: user.clone() };
    let answer = client.checked(client.sweeps().submit(request).await)?.into_inner();

    let SubmitResponse { sweep: stored, created } = answer;
    let stored = stored.ok_or_else(|| anyhow!("the coordinator's answer lacks the sweep"))?;
    let what = format!("sweep `{}`: {} variants, {} experiments", stored.name, stored.variants, stored.experiments);
    if created {
        eprintln!("stored {what}");
    } else {
        eprintln!("stored before, nothing new: {what}");
    }
    writeln!(io::stdout(), "{}", stored.id)?;
    if *watch { watch::follow(client, &stored.id).await } else { Ok(()) }
}

/// The name of the account that runs this; empty when the environment does not tell.
fn login_name() -> String {
    std::env::var("USER").ok().filter(|name| parse_user(name).is_ok()).unwrap_or_default()
}

fn parse_user(text: &str) -> Result<String, String> {
    user_from_wire(text.to_owned(), "user").map_err(|violations| violations.to_string())
}

fn parse_key(text: &str) -> Result<String, String> {
    let key = idempotency_key_from_wire(text.to_owned(), "key").map_err(|violations| violations.to_string())?;
    Ok(key.unwrap_or_default())
}
