//! `metrics`: how well any scores tell in-distribution from out-of-distribution examples.

mod delimited;
mod parquet;
mod source;

use std::num::NonZeroU32;

use anyhow::{Context, anyhow};
use clap::Args;
use ood::{
    Bootstrap, DEFAULT_RESAMPLES, Interval, PairedTest, Scores, Separation, SeparationMetric, bootstrap, delong_test,
    separation,
};

use self::source::{Column as Named, Source};
use crate::{
    failure::Failure,
    output::{self, Audience, Cell, Column, Format, Table},
};

/// Scores up to which intervals by resampling are computed unasked: some seconds.
const RESAMPLED_UNASKED: usize = 100_000;

/// Fewest resamples: the ends of an interval from fewer are noise.
const FEWEST_RESAMPLES: u32 = 1000;

/// Most resamples: each keeps nine numbers.
const MOST_RESAMPLES: u32 = 1_000_000;

const EXAMPLES: &str = "\
Examples:
  spillway metrics in.csv out.csv
  spillway metrics scores-in.parquet scores-out.parquet --column typicality --json
  spillway metrics in.npy out.npy --negate                   log-likelihoods: higher for in-distribution
  spillway metrics a-in.csv a-out.csv --paired-with b-in.csv b-out.csv
  spillway metrics in.csv out.csv --column dose --paired-column typicality
  zcat in.csv.gz | spillway metrics - out.csv

A score is higher for what looks more out-of-distribution. Files are told apart by their endings: .csv and .tsv (one
column, with or without a header, or the one that --column names; any other ending, and -, are read as .csv), .npy, .npz
and .safetensors (an array of one dimension; --column names it), .parquet. Infinite scores are extremes; NaN is refused.
docs/statistics-of-results.md has every definition.";

/// Which scores.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Scores of in-distribution examples; - is standard input
    #[arg(value_name = "IN")]
    inside: Source,
    /// Scores of out-of-distribution examples; - is standard input
    #[arg(value_name = "OUT")]
    outside: Source,
    /// Read the column (or array) of this name
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Also test the difference to other scores of the same examples, in the same order
    #[arg(long, num_args = 2, value_names = ["IN2", "OUT2"])]
    paired_with: Option<Vec<Source>>,
    /// The column of the other scores; without --paired-with, of the same files
    #[arg(long, value_name = "NAME")]
    paired_column: Option<String>,
    /// Scores are higher for in-distribution examples: take them times -1
    #[arg(long)]
    negate: bool,
    /// Resamples for the intervals of metrics without a closed form: 0 for none, or at least 1000 [default: 1000 up to
    /// 100000 scores, 0 beyond]
    #[arg(long, value_name = "N", value_parser = resamples)]
    resamples: Option<u32>,
    /// The seed of the resamples
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How to write the tables
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

fn resamples(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(count) if count == 0 || (FEWEST_RESAMPLES..=MOST_RESAMPLES).contains(&count) => Ok(count),
        _ => Err(format!("it is 0 or a number from {FEWEST_RESAMPLES} to {MOST_RESAMPLES}")),
    }
}

/// Both sides of one score.
struct Sides {
    inside: Vec<f64>,
    outside: Vec<f64>,
}

/// Reads the files and prints the metrics.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let other = arguments.other();
    let sources = [&arguments.inside, &arguments.outside].into_iter().chain(other.iter().flat_map(|(sides, _)| *sides));
    if sources.filter(|source| source.is_standard_input()).count() > 1 {
        return Err(anyhow!("standard input is one stream; give a file for the other side").into());
    }
    let sides = arguments.read([&arguments.inside, &arguments.outside], arguments.column.as_deref())?;
    let format = if arguments.json { Format::Json } else { arguments.format };

    let found = separation(&sides.inside, &sides.outside).context("there are no metrics")?;
    let resampled = match arguments.resamples(&sides).map(NonZeroU32::get) {
        None => None,
        Some(count) => Some(
            bootstrap(&sides.inside, &sides.outside, count, arguments.seed)
                .context("the scores cannot be resampled")?,
        ),
    };
    let mut tables = vec![table(&found, resampled.as_ref())];
    if let Some((others, column)) = other {
        let others = arguments.read(others, column)?;
        let test = delong_test(scores(&sides), scores(&others)).context("the scores cannot be compared")?;
        tables.push(paired(&test, format.audience()));
    }
    output::print(&tables, format)?;
    Ok(())
}

impl Arguments {
    /// The other scores' files and column, if there are other scores.
    fn other(&self) -> Option<([&Source; 2], Option<&str>)> {
        let column = self.paired_column.as_deref().or(self.column.as_deref());
        match (self.paired_with.as_deref(), &self.paired_column) {
            (Some([inside, outside]), _) => Some(([inside, outside], column)),
            (_, Some(_)) => Some(([&self.inside, &self.outside], column)),
            _ => None,
        }
    }

    fn read(&self, sides: [&Source; 2], column: Option<&str>) -> Result<Sides, Failure> {
        let [inside, outside] = sides.map(|source| {
            let mut scores = source.read(Named(column))?;
            if self.negate {
                scores.iter_mut().for_each(|score| *score = -*score);
            }
            anyhow::Ok(scores)
        });
        Ok(Sides { inside: inside?, outside: outside? })
    }

    /// How often to resample, if at all.
    fn resamples(&self, sides: &Sides) -> Option<NonZeroU32> {
        let unasked = if sides.inside.len() + sides.outside.len() > RESAMPLED_UNASKED { 0 } else { DEFAULT_RESAMPLES };
        NonZeroU32::new(self.resamples.unwrap_or(unasked))
    }
}

fn scores(sides: &Sides) -> Scores<'_> {
    Scores { inside: &sides.inside, outside: &sides.outside }
}

/// One row for each metric.
fn table(found: &Separation, resampled: Option<&Bootstrap>) -> Table {
    let columns = vec![
        Column::text("metric", "metric"),
        Column::number("value", "value"),
        Column::number("ci_low", "low"),
        Column::number("ci_high", "high"),
        Column::number("ci_level", "level"),
        Column::text("ci_method", "interval"),
        Column::number("threshold", "threshold"),
        Column::number("n_in", "in"),
        Column::number("n_out", "out"),
        Column::text("definition", "definition"),
    ];
    let mut table = Table::new("metrics", columns);
    for metric in SeparationMetric::ALL {
        let interval = match metric {
            SeparationMetric::Auroc => Some(found.auroc.interval),
            other => resampled.and_then(|resampled| resampled.interval(other)),
        };
        let mut row = vec![Cell::text(metric.as_str()), Cell::real(found.value(metric), 4)];
        row.extend(bounds(interval));
        row.extend([
            Cell::text(interval.map_or_else(String::new, |interval| interval.method.to_string())),
            Cell::real(found.threshold(metric), 4),
            (found.auroc.in_count as u64).into(),
            (found.auroc.out_count as u64).into(),
            Cell::text(metric.definition()),
        ]);
        table.push(row);
    }
    table.note(
        "Out-of-distribution is positive and scores high; thresholds are at distinct scores, ties fall together.",
    );
    if resampled.is_none() {
        table.note("Intervals by resampling were left out; --resamples 1000 computes them.");
    }
    table
}

fn paired(test: &PairedTest, audience: Audience) -> Table {
    let columns = vec![
        Column::number("auroc_first", "AUROC"),
        Column::number("auroc_second", "other"),
        Column::number("difference", "difference"),
        Column::number("ci_low", "low"),
        Column::number("ci_high", "high"),
        Column::number("ci_level", "level"),
        Column::text("ci_method", "interval"),
        Column::number("z", "z"),
        Column::number("p", "p"),
        Column::text("p_method", "test"),
        Column::number("n_in", "in"),
        Column::number("n_out", "out"),
    ];
    let p = match audience {
        // 0.0000 says less than the power of ten.
        Audience::People if test.p < 1e-3 => Cell::text(format!("{:.1e}", test.p)),
        Audience::People | Audience::Machines => Cell::real(test.p, 4),
    };
    let mut row = vec![Cell::real(test.first, 4), Cell::real(test.second, 4), Cell::real(test.difference, 4)];
    row.extend(bounds(Some(test.interval)));
    row.extend([
        Cell::text(test.interval.method.to_string()),
        Cell::real(test.z, 2),
        p,
        Cell::text(test.method.to_string()),
        (test.in_count as u64).into(),
        (test.out_count as u64).into(),
    ]);
    let mut table = Table::new("paired", columns);
    table.push(row);
    table.note("Two-sided, over the same examples: p is how often scores that separate equally well differ so much.");
    table
}

fn bounds(interval: Option<Interval>) -> [Cell; 3] {
    [
        Cell::real(interval.map(|interval| interval.low), 4),
        Cell::real(interval.map(|interval| interval.high), 4),
        Cell::real(interval.map(|interval| interval.level), 2),
    ]
}
