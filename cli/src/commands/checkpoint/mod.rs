//! `checkpoint`: trained models as files: import the reference's, export ours under its names, look inside.

mod experiment;
mod export;
mod import;
mod inspect;
mod source;

use clap::{Args, Subcommand, ValueEnum};
use statedict::Limits;

use crate::{client::Client, failure::Failure};

const EXAMPLES: &str = "\
Examples:
  spillway checkpoint import ckpt_80.pt --format flows-ood --spec sweeps/paper/e02-glow-fashion-mnist.toml --out glow.safetensors
  spillway checkpoint import ckpt_80.pt --format flows-ood --spec glow.toml --out glow.safetensors --store
  spillway checkpoint inspect glow.safetensors
  spillway checkpoint export glow.safetensors --format flows-ood --out glow.pt

`--store` puts the imported model into the cluster's artifact store and prints its SHA-256. An experiment that says
`training.initial_weights = \"<that SHA-256>\"` starts from it; with `training.steps = 0` it is evaluated as it is.
Nothing that a file says is ever run: its pickle is read by a machine that only knows how to build tensors.";

/// What to do with trained models.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Refuse files whose tensors take more than so many MiB
    #[arg(long, global = true, value_name = "MIB", default_value_t = 8192)]
    max_mib: u64,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Read another program's weights, check them against a document and write a checkpoint
    #[command(after_help = EXAMPLES)]
    Import(import::Arguments),
    /// Write a checkpoint's weights under another program's names
    #[command(after_help = EXAMPLES)]
    Export(export::Arguments),
    /// Show what a file of weights holds: its document, counts, digests
    #[command(after_help = EXAMPLES)]
    Inspect(inspect::Arguments),
}

/// Whose names the tensors have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// The code of Kirichenko, Izmailov and Wilson 2020: `.pt` or safetensors
    FlowsOod,
}

impl Dialect {
    fn as_str(self) -> &'static str {
        match self {
            Self::FlowsOod => "flows-ood",
        }
    }
}

/// Imports, exports or inspects.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let limits = Limits::of_bytes(arguments.max_mib.saturating_mul(1 << 20));
    match &arguments.action {
        Action::Import(action) => import::run(action, &limits, client).await,
        Action::Export(action) => export::run(action, &limits, client).await,
        Action::Inspect(action) => inspect::run(action, &limits, client).await,
    }
}
