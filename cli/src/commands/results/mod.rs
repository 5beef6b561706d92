//! `results`: the AUROC table of a sweep, and the bits/dim of each dataset.

mod auroc;
mod bits_per_dim;
mod evaluations;
mod sql;

use std::io::{self, Write};

use clap::Args;

pub use self::{
    auroc::{auroc_table, interval, mean, mean_and_deviation, seeds},
    bits_per_dim::table as bits_per_dim_table,
    evaluations::table as evaluations_table,
};
use crate::{
    client::Client,
    failure::Failure,
    output::{self, Format},
};

const EXAMPLES: &str = "\
Examples:
  spillway results demo
  spillway results demo --format csv > auroc.csv
  spillway results demo --format json --evaluations
  psql \"$DATABASE_URL\" -c \"$(spillway results demo --sql)\"

CSV holds one table: the AUROC rows, or every number with --evaluations.";

/// Which results, and how to write them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The sweep's name or id
    sweep: String,
    /// How to write the tables
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print every number instead, one row for each experiment, dataset and metric
    #[arg(long)]
    evaluations: bool,
    /// Print the SQL that gives the same tables, and ask nobody
    #[arg(long, conflicts_with = "format")]
    sql: bool,
}

/// Prints the tables.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let Arguments { sweep, format, evaluations, sql } = arguments;
    if *sql {
        let query = if *evaluations { sql::evaluations(sweep) } else { sql::tables(sweep) };
        writeln!(io::stdout(), "{query}")?;
        return Ok(());
    }
    if *evaluations {
        let rows = client.evaluations(sweep).await?;
        output::print(&[evaluations::table(&rows)], *format)?;
        return Ok(());
    }
    let auroc = auroc_table(&client.auroc(sweep).await?, format.audience());
    if auroc.is_empty() && *format == Format::Table {
        eprintln!("sweep `{sweep}` has no results yet: `spillway watch {sweep}` shows how far it is");
        return Ok(());
    }
    if *format == Format::Csv {
        output::print(&[auroc], *format)?;
        return Ok(());
    }
    let bits = bits_per_dim::table(&client.evaluations(sweep).await?, format.audience());
    output::print(&[auroc, bits], *format)?;
    Ok(())
}
