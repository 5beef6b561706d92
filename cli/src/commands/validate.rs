//! `validate`: expands a sweep file with the same rules as the coordinator, on this machine alone.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use domain::{
    job::JobKind,
    spec::DatasetName,
    sweep::{Expanded, SweepSpec},
};

use crate::{
    document::read_sweep,
    failure::Failure,
    output::{self, Cell, Column, Format, Table},
};

const EXAMPLES: &str = "\
Examples:
  spillway validate sweeps/demo.toml
  spillway validate my-sweep.yaml && spillway submit my-sweep.yaml

Every violation is printed on a line of its own, `field: what is wrong and what is allowed`; the exit code is then 4.";

/// Letters of a fingerprint that people compare.
const FINGERPRINT_LETTERS: usize = 12;

/// What to check.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A sweep in TOML, YAML or JSON, by the file's ending
    file: PathBuf,
}

/// Prints variants, seeds and job counts.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let sweep = read_sweep(&arguments.file, None)?;
    let expanded = expand(&sweep, &arguments.file)?;
    output::print(&[variants(&expanded)], Format::Table)?;
    let (jobs, experiments) = (expanded.job_count(), expanded.experiments.len());
    let evaluations = expanded.jobs_of_kind(JobKind::Evaluate);
    let inspections = match expanded.jobs_of_kind(JobKind::Inspect) {
        0 => String::new(),
        count => format!(" + {count} inspect"),
    };
    let seeds: Vec<String> = sweep.seeds.iter().map(u64::to_string).collect();
    let mut out = io::stdout().lock();
    writeln!(out, "\nsweep        {}", sweep.name)?;
    writeln!(out, "seeds        {}", seeds.join(", "))?;
    writeln!(out, "experiments  {experiments} = {} variants × {} seeds", expanded.variants.len(), seeds.len())?;
    writeln!(out, "jobs         {jobs} = {experiments} train + {evaluations} evaluate{inspections}")?;
    Ok(())
}

/// Expands a sweep, or says everything that is wrong with the file it came from.
pub fn expand(sweep: &SweepSpec, file: &Path) -> Result<Expanded, Failure> {
    sweep.expand().map_err(|violations| Failure::Invalid { subject: file.display().to_string(), violations })
}

fn variants(expanded: &Expanded) -> Table {
    let columns = vec![
        Column::text("variant", "variant"),
        Column::text("in_dataset", "in"),
        Column::text("out_datasets", "out"),
        Column::number("steps", "steps"),
        Column::number("batch_size", "batch"),
        Column::text("fingerprint", "fingerprint"),
    ];
    let mut table = Table::new("variants", columns);
    for variant in &expanded.variants {
        let spec = &variant.spec;
        let out: Vec<&str> = spec.evaluation.out.iter().copied().map(DatasetName::as_str).collect();
        let fingerprint: String = variant.fingerprint.to_string().chars().take(FINGERPRINT_LETTERS).collect();
        table.push(vec![
            Cell::text(&variant.label),
            Cell::text(spec.data.dataset.as_str()),
            Cell::text(out.join(", ")),
            spec.training.steps.into(),
            spec.training.batch_size.into(),
            Cell::text(fingerprint),
        ]);
    }
    table
}
