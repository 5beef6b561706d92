//! `checkpoint export`: a checkpoint's weights under the reference's names.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use statedict::{Limits, pt, safetensors};

use super::{Dialect, source};
use crate::{client::Client, failure::Failure};

/// The key under which the reference keeps a model's weights in its checkpoints.
const REFERENCE_KEY: &str = "net";

/// What to export.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A checkpoint: a file, or the SHA-256 of an artifact of the cluster
    checkpoint: String,
    /// Whose names the tensors get
    #[arg(long, value_enum)]
    format: Dialect,
    /// Where to write it; `.pt` and `.pth` for PyTorch, `.safetensors` otherwise
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Exports.
pub async fn run(arguments: &Arguments, limits: &Limits, client: &Client) -> Result<(), Failure> {
    let Arguments { checkpoint, format: Dialect::FlowsOod, out } = arguments;
    let local = source::locate(checkpoint, client).await?;
    let file = source::read(&local.path, limits)?;
    let architecture = file
        .spec
        .architecture("model")
        .map_err(|violations| Failure::Invalid { subject: checkpoint.clone(), violations })?;
    let exported =
        checkpoints::export(&file.model, &architecture).with_context(|| format!("{checkpoint} cannot be exported"))?;
    let written = match out.extension().and_then(|ending| ending.to_str()) {
        Some("pt" | "pth") => {
            pt::write_file(out, &exported, pt::Wrapping::Under(REFERENCE_KEY)).map_err(anyhow::Error::new)
        }
        Some("safetensors") => safetensors::write_file(out, &exported, &Default::default()).map_err(anyhow::Error::new),
        _ => Err(anyhow!("it ends in none of .pt, .pth, .safetensors")),
    };
    let bytes = written.with_context(|| format!("cannot write {}", out.display()))?;
    eprintln!("exported {} tensors into {} ({bytes} bytes)", exported.len(), out.display());
    Ok(())
}
