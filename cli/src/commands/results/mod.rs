//! `results`: the numbers of a sweep as a list or as a grid, and the bits/dim of each dataset.

mod best;
mod bits_per_dim;
mod key;
mod long;
pub mod names;
mod over_images;
mod pivot;
mod print;
mod provenance;
mod selection;
mod sql;

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;

use self::key::{Condition, Key};
pub use self::{
    bits_per_dim::table as bits_per_dim_table,
    long::{Rows, auroc_table, interval, mean, of_auroc, seeds, table as numbers_table},
    selection::ALL,
};
use crate::{client::Client, failure::Failure, output::Format};

const EXAMPLES: &str = "\
Examples:
  spillway results demo                                          a row for each number, with its interval
  spillway results demo --rows variant --columns out,score       a grid; the best of each column where a test supports it
  spillway results demo --rows model.realnvp.mask --columns out --where score=log-likelihood
  spillway results demo --columns out,metric --metric auroc,aupr-out --scores log-likelihood --format latex
  spillway results demo --scores all --sort -mean
  spillway results demo --per-seed --format csv -o numbers.csv
  spillway results demo --format parquet -o results.parquet
  psql \"$DATABASE_URL\" -c \"$(spillway results demo --sql)\"

Keys: variant, in, out, score, metric, seed, or the path of a setting such as model.realnvp.mask.
People see the scores log-likelihood, typicality, complexity-png and dose unless --scores names others; csv, json and parquet hold all.
CSV and Parquet hold one table: rows over seeds, or single ones with --per-seed or --evaluations.";

/// Which results, and how to write them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The sweep's name or id
    sweep: String,
    /// How to write the tables
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write to this file instead of standard output; it appears when it is whole
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Make a grid whose rows differ in these keys, such as `variant`
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    rows: Vec<Key>,
    /// Make a grid whose columns differ in these keys, such as `out,score`
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    columns: Vec<Key>,
    /// Take only numbers for which this holds, such as `out=mnist`; of one key any of its values, of several keys all
    #[arg(long = "where", value_name = "KEY=VALUE")]
    conditions: Vec<Condition>,
    /// Take these metrics, such as `auroc,aupr-out`; `all` takes every one [default: auroc]
    #[arg(long, value_name = "METRIC", value_delimiter = ',')]
    metric: Vec<String>,
    /// Take these scores; `all` takes every one
    #[arg(long, value_name = "SCORE", value_delimiter = ',')]
    scores: Vec<String>,
    /// Order rows by this column, largest first after a `-`: `-mean`, or `-mnist/dose` in a grid
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<String>,
    /// In a grid of a sweep with one seed, mark the best by a paired DeLong test over images, whose statistics are fetched
    #[arg(long)]
    images: bool,
    /// A row for each seed instead of one over seeds
    #[arg(long)]
    per_seed: bool,
    /// Print every number there is, one row for each experiment, dataset, score and metric
    #[arg(long, conflicts_with_all = ["rows", "columns", "metric", "scores", "conditions", "per_seed", "sort"])]
    evaluations: bool,
    /// Print the SQL that gives the same tables, and ask nobody
    #[arg(long, conflicts_with_all = ["format", "output", "rows", "columns", "metric", "scores", "conditions", "per_seed", "sort"])]
    sql: bool,
}

/// Prints the tables.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let Arguments { sweep, evaluations, sql, .. } = arguments;
    if *sql {
        let query = if *evaluations { sql::evaluations(sweep) } else { sql::tables(sweep) };
        writeln!(io::stdout(), "{query}")?;
        return Ok(());
    }
    print::run(arguments, client).await
}
