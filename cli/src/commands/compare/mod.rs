//! `compare`: two variants, or two scores of one variant, number by number, with paired tests.

mod pairs;
mod side;
mod table;

use anyhow::anyhow;
use clap::Args;
use proto::v1::QueryTableRequest;

use self::{
    pairs::{Pair, pair_scores, pair_sides},
    side::Side,
};
use super::results::{ALL, names::FIRST_METRIC};
use crate::{
    client::Client,
    failure::Failure,
    output::{self, Format},
};

const EXAMPLES: &str = "\
Examples:
  spillway compare demo:mask=cycle demo:mask=horizontal          two variants of a sweep
  spillway compare glow realnvp                                  two sweeps that have one variant each
  spillway compare 17 23                                         two experiments
  spillway compare demo:mask=cycle --scores typicality,log-likelihood      two scores of one variant

A paired t-test over the seeds that both have says whether they differ. The p-values of all the rows shown are adjusted together, by
Holm's method: fewer rows (--scores, --out, --metric) ask for less.";

/// What to compare.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The first: SWEEP, SWEEP:VARIANT, or an experiment's number
    first: String,
    /// The second; left out when two scores of the first are compared
    second: Option<String>,
    /// Compare these scores; the two that are compared when there is no second
    #[arg(long, value_name = "SCORE", value_delimiter = ',')]
    scores: Vec<String>,
    /// Compare on these OOD datasets only
    #[arg(long, value_name = "DATASET")]
    out: Vec<String>,
    /// Compare these metrics; `all` takes every one
    #[arg(long, value_name = "METRIC", value_delimiter = ',', default_value = FIRST_METRIC)]
    metric: Vec<String>,
    /// How to write the table
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What is compared with what, for a reader.
struct Compared {
    first: String,
    second: String,
    pairs: Vec<Pair>,
}

/// Compares and prints.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let first = Side::find(&arguments.first, client).await?;
    let compared = match (&arguments.second, arguments.scores.as_slice()) {
        (Some(second), _) => of_sides(arguments, &first, &Side::find(second, client).await?, client).await?,
        (None, [one, other]) if one != other => of_scores(arguments, &first, [one, other], client).await?,
        (None, _) => {
            let text =
                "a second one is missing: name another variant, or two scores of this one with --scores ONE,OTHER";
            return Err(anyhow!(text).into());
        }
    };
    if compared.pairs.is_empty() {
        return Err(Failure::NotFound(format!(
            "{} and {} share no number: they have no OOD dataset, score and metric in common that --out, --scores and --metric leave",
            compared.first, compared.second
        )));
    }
    output::print(&[table::table(&compared, arguments.format.audience())], arguments.format)?;
    Ok(())
}

async fn of_sides(arguments: &Arguments, first: &Side, second: &Side, client: &Client) -> Result<Compared, Failure> {
    if first == second {
        return Err(anyhow!("`{}` is compared with itself", arguments.first).into());
    }
    let (ours, theirs) = (numbers(arguments, first, client).await?, numbers(arguments, second, client).await?);
    Ok(Compared { first: first.to_string(), second: second.to_string(), pairs: pair_sides(&ours, &theirs) })
}

async fn of_scores(
    arguments: &Arguments,
    side: &Side,
    [one, other]: [&String; 2],
    client: &Client,
) -> Result<Compared, Failure> {
    let numbers = numbers(arguments, side, client).await?;
    let name = |score: &str| format!("{score} of {side}");
    Ok(Compared { first: name(one), second: name(other), pairs: pair_scores(&numbers, one, other) })
}

/// The numbers of a side's experiments that compare both sides of an evaluation.
async fn numbers(arguments: &Arguments, side: &Side, client: &Client) -> Result<Vec<proto::v1::TableRow>, Failure> {
    let without_all = |names: &[String]| if names.iter().any(|name| name == ALL) { Vec::new() } else { names.to_vec() };
    let request = QueryTableRequest {
        sweep: side.sweep.clone(),
        variants: vec![side.variant.clone()],
        in_datasets: Vec::new(),
        out_datasets: arguments.out.clone(),
        scores: without_all(&arguments.scores),
        metrics: without_all(&arguments.metric),
        seeds: side.seed.into_iter().collect(),
        per_seed: true,
    };
    let mut rows = Vec::new();
    client.table(request, |row| Ok(rows.extend(row.dataset.is_empty().then_some(row)))).await?;
    Ok(rows)
}
