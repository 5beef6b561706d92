//! `checkpoint import`: another program's weights, checked against a document, as a checkpoint of ours.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use checkpoints::{ModelFile, Origin};
use clap::Args;
use domain::Digest;
use statedict::{Limits, StateDict};

use super::{Dialect, experiment};
use crate::{artifact, client::Client, failure::Failure};

/// What to import.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file: PyTorch's `.pt` or `.pth`, or safetensors with the same names
    file: PathBuf,
    /// Whose names its tensors have
    #[arg(long, value_enum)]
    format: Dialect,
    /// The sweep file whose model it is
    #[arg(long, value_name = "SWEEP")]
    spec: PathBuf,
    /// Which variant of the sweep, by its label; needed when there are several
    #[arg(long, value_name = "LABEL")]
    variant: Option<String>,
    /// Where to write the checkpoint
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Also put it into the cluster's artifact store, so that experiments can start from it
    #[arg(long)]
    store: bool,
}

/// Imports, and prints the checkpoint's SHA-256 alone on standard output.
pub async fn run(arguments: &Arguments, limits: &Limits, client: &Client) -> Result<(), Failure> {
    let Arguments { file, format, spec, variant, out, store } = arguments;
    let spec = experiment::of_sweep(spec, variant.as_deref())?;
    let architecture = spec
        .architecture("base")
        .map_err(|violations| Failure::Invalid { subject: arguments.spec.display().to_string(), violations })?;
    let contents = statedict::read(file, limits).map_err(anyhow::Error::new)?;
    if !contents.ignored.is_empty() {
        eprintln!("read over {}", contents.ignored.join(", "));
    }
    let count = contents.state_dict.len();
    let model = checkpoints::import(&contents.state_dict, &architecture)
        .with_context(|| format!("{} cannot be imported", file.display()))?;
    let origin = Origin { format: format.as_str().to_owned(), sha256: digest_of(file)?.to_string() };
    let checkpoint = ModelFile { spec, seed: 0, step: 0, origin: Some(origin), model, optimiser: StateDict::new() };
    let write = checkpoint.write(out).with_context(|| format!("cannot write {}", out.display()));
    let bytes = write?;

    let digest = digest_of(out)?;
    let parameters = architecture.count().parameters;
    eprintln!("imported {count} tensors, {parameters} parameters, into {} ({bytes} bytes)", out.display());
    if *store {
        match artifact::store(client, digest, out).await? {
            artifact::Stored::New => eprintln!("stored in the cluster"),
            artifact::Stored::Before => eprintln!("the cluster had it already"),
        }
    }
    writeln!(io::stdout(), "{digest}")?;
    Ok(())
}

/// SHA-256 of a file's bytes.
pub fn digest_of(path: &Path) -> Result<Digest, Failure> {
    let read = File::open(path).and_then(artifact::digest_of);
    Ok(read.with_context(|| format!("cannot read {}", path.display()))?)
}
