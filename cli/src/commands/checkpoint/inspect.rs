//! `checkpoint inspect`: what a file of weights holds.

use std::io::{self, Write};

use clap::Args;
use domain::spec::canonical;
use statedict::{Limits, StateDict};

use super::{import::digest_of, source};
use crate::{
    client::Client,
    failure::Failure,
    output::{self, Cell, Column, Format, Table},
};

/// What to look at.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A checkpoint: a file, or the SHA-256 of an artifact of the cluster
    checkpoint: String,
    /// List every tensor with its shape, type and SHA-256
    #[arg(long)]
    tensors: bool,
    /// How to write the list of tensors
    #[arg(long, value_enum, default_value_t, requires = "tensors")]
    format: Format,
}

/// Prints document, counts and digests.
pub async fn run(arguments: &Arguments, limits: &Limits, client: &Client) -> Result<(), Failure> {
    let local = source::locate(&arguments.checkpoint, client).await?;
    let file = source::read(&local.path, limits)?;
    if arguments.tensors {
        output::print(&[tensors(&file.model)], arguments.format)?;
        return Ok(());
    }
    let architecture = file
        .spec
        .architecture("model")
        .map_err(|violations| Failure::Invalid { subject: arguments.checkpoint.clone(), violations })?;
    let count = architecture.count();
    let mut out = io::stdout().lock();
    writeln!(out, "sha256       {}", digest_of(&local.path)?)?;
    writeln!(out, "weights      {}", hex(&file.model.digest()))?;
    writeln!(out, "input        {}", architecture.input)?;
    writeln!(out, "couplings    {}", architecture.couplings())?;
    writeln!(out, "parameters   {} ({} of them gains)", count.parameters, count.gains)?;
    writeln!(out, "statistics   {}", count.statistics)?;
    writeln!(out, "tensors      {} of the model, {} of the optimiser", file.model.len(), file.optimiser.len())?;
    writeln!(out, "steps        {}", file.step)?;
    writeln!(out, "seed         {}", file.seed)?;
    match &file.origin {
        Some(origin) => writeln!(out, "origin       {} file with SHA-256 {}", origin.format, origin.sha256)?,
        None => writeln!(out, "origin       trained by Spillway")?,
    }
    writeln!(out, "spec         {}", canonical::to_string(&file.spec))?;
    Ok(())
}

fn tensors(model: &StateDict) -> Table {
    let columns = vec![
        Column::text("name", "name"),
        Column::text("shape", "shape"),
        Column::text("element", "type"),
        Column::text("sha256", "sha-256"),
    ];
    let mut table = Table::new("tensors", columns);
    for tensor in model.iter() {
        let sizes: Vec<String> = tensor.shape().iter().map(usize::to_string).collect();
        table.push(vec![
            Cell::text(tensor.name()),
            Cell::text(format!("[{}]", sizes.join(", "))),
            Cell::text(tensor.element().to_string()),
            Cell::text(hex(&tensor.digest())),
        ]);
    }
    table
}

fn hex(digest: &[u8; 32]) -> String {
    domain::Digest::from(*digest).to_string()
}
