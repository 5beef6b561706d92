//! `compare`: two variants, or two scores of one variant, number by number, with paired tests.

mod lines;
mod pairs;
mod side;
mod table;

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use proto::v1::{QueryTableRequest, TableRow};

use self::{
    lines::{Lines, lines},
    pairs::{Pair, pair_scores, pair_sides},
    side::Side,
};
use super::results::{
    ALL,
    names::{FIRST_METRIC, FIRST_SCORES},
};
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
  spillway compare demo:mask=cycle demo:mask=horizontal --over images      seed by seed, over the same images

A paired t-test over the seeds that both have says whether they differ; where they share one seed, a paired DeLong test over the images of
both sides, whose statistics are fetched for it. The p-values of all the rows shown are adjusted together, by
Holm's method: fewer rows (--scores, --out, --metric) ask for less.";

/// What to compare.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The first: SWEEP, SWEEP:VARIANT, or an experiment's number
    first: String,
    /// The second; left out when two scores of the first are compared
    second: Option<String>,
    /// Compare these scores, or every one with `all` [default: log-likelihood,typicality,complexity-png,dose]; the two that are compared
    /// when there is no second
    #[arg(long, value_name = "SCORE", value_delimiter = ',')]
    scores: Vec<String>,
    /// Compare on these OOD datasets only
    #[arg(long, value_name = "DATASET")]
    out: Vec<String>,
    /// Compare these metrics; `all` takes every one
    #[arg(long, value_name = "METRIC", value_delimiter = ',', default_value = FIRST_METRIC)]
    metric: Vec<String>,
    /// What the test is over
    #[arg(long, value_enum, default_value_t)]
    over: Over,
    /// How to write the table
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What a test is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Over {
    /// Seeds where both have several of them, else images
    #[default]
    Auto,
    /// Seeds: would others say the same?
    Seeds,
    /// Images, seed by seed: would other images say the same of these two flows? AUROC only
    Images,
}

/// What is compared with what, for a reader.
struct Compared {
    first: String,
    second: String,
    found: Lines,
}

/// Compares and prints.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let first = Side::find(&arguments.first, client).await?;
    let (first, second, pairs) = match (&arguments.second, arguments.scores.as_slice()) {
        (Some(second), _) => of_sides(arguments, &first, &Side::find(second, client).await?, client).await?,
        (None, [one, other]) if one != other => of_scores(arguments, &first, [one, other], client).await?,
        (None, _) => {
            let text =
                "a second one is missing: name another variant, or two scores of this one with --scores ONE,OTHER";
            return Err(anyhow!(text).into());
        }
    };
    if pairs.iter().all(|pair| pair.both.is_empty()) {
        return Err(Failure::NotFound(format!(
            "{first} and {second} share no number: they have no OOD dataset, score, metric and seed in common that --out, --scores \
             and --metric leave"
        )));
    }
    let found = lines(pairs, arguments.over, client).await?;
    let compared = Compared { first, second, found };
    output::print(&[table::table(&compared, arguments.format.audience())], arguments.format)?;
    Ok(())
}

/// Two names and what they share.
type Shared = (String, String, Vec<Pair>);

async fn of_sides(arguments: &Arguments, first: &Side, second: &Side, client: &Client) -> Result<Shared, Failure> {
    if first == second {
        return Err(anyhow!("`{}` is compared with itself", arguments.first).into());
    }
    let (ours, theirs) = (numbers(arguments, first, client).await?, numbers(arguments, second, client).await?);
    let pairs = match (first.seed, second.seed) {
        // Two experiments are compared whatever their seeds are.
        (Some(seed), Some(_)) => pair_sides(&ours, &with_seed(theirs, seed)),
        (_, _) => pair_sides(&ours, &theirs),
    };
    Ok((first.to_string(), second.to_string(), pairs))
}

fn with_seed(rows: Vec<TableRow>, seed: u64) -> Vec<TableRow> {
    rows.into_iter().map(|row| TableRow { seed: Some(seed), ..row }).collect()
}

async fn of_scores(
    arguments: &Arguments,
    side: &Side,
    [one, other]: [&String; 2],
    client: &Client,
) -> Result<Shared, Failure> {
    let numbers = numbers(arguments, side, client).await?;
    let name = |score: &str| format!("{score} of {side}");
    Ok((name(one), name(other), pair_scores(&numbers, one, other)))
}

/// The numbers of a side's experiments that compare both sides of an evaluation.
async fn numbers(arguments: &Arguments, side: &Side, client: &Client) -> Result<Vec<TableRow>, Failure> {
    let without_all = |names: &[String]| if names.iter().any(|name| name == ALL) { Vec::new() } else { names.to_vec() };
    let request = QueryTableRequest {
        sweep: side.sweep.clone(),
        variants: vec![side.variant.clone()],
        in_datasets: Vec::new(),
        out_datasets: arguments.out.clone(),
        scores: if arguments.scores.is_empty() {
            FIRST_SCORES.map(str::to_owned).to_vec()
        } else {
            without_all(&arguments.scores)
        },
        metrics: without_all(&arguments.metric),
        seeds: side.seed.into_iter().collect(),
        per_seed: true,
    };
    let mut rows = Vec::new();
    let keep = |row: TableRow| {
        rows.extend(row.dataset.is_empty().then_some(row));
        Ok(())
    };
    client.table(request, keep).await?;
    Ok(rows)
}
