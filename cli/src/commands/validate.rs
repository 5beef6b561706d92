//! `validate`: expands a sweep file with the same rules as the coordinator, on this machine alone, and says what training
//! each variant takes.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use domain::{
    job::JobKind,
    spec::Workload,
    stopping::{Asha, EarlyStopping, MedianRule},
    sweep::{Expanded, SweepSpec, Variant},
};

use crate::{
    document::read_sweep,
    failure::Failure,
    output::{self, Audience, Cell, Column, Format, Table},
};

const EXAMPLES: &str = "\
Examples:
  spillway validate sweeps/demo.toml
  spillway validate my-sweep.yaml && spillway submit my-sweep.yaml
  spillway validate sweeps/demo.toml --format csv   exact numbers, for a program

Per variant: coupling layers, trained values, examples and epochs (none where only the data file can tell), and FLOPs in
convolutions and matrix products, forward and backward; evaluations are not counted.

Every violation is printed on a line of its own, `field: what is wrong and what is allowed`; the exit code is then 4.";

/// Letters of a fingerprint that people compare.
const FINGERPRINT_LETTERS: usize = 12;

/// What to check.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A sweep in TOML, YAML or JSON, by the file's ending
    file: PathBuf,
    /// How to print the tables
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A variant with what training it takes.
struct Measured<'a> {
    variant: &'a Variant,
    workload: Workload,
}

/// Prints variants with their sizes, seeds and job counts.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { file, format } = arguments;
    let sweep = read_sweep(file, None)?;
    let expanded = expand(&sweep, file)?;
    let measured = expanded.variants.iter().map(|variant| measure(variant, file)).collect::<Result<Vec<_>, _>>()?;
    match format.audience() {
        Audience::People => {
            output::print(&[for_people(&measured)], *format)?;
            summarise(&sweep, &expanded, &measured)?;
        }
        Audience::Machines => output::print(&[for_machines(&measured), counts(&sweep, &expanded)], *format)?,
    }
    Ok(())
}

/// Expands a sweep, or says everything that is wrong with the file it came from.
pub fn expand(sweep: &SweepSpec, file: &Path) -> Result<Expanded, Failure> {
    sweep.expand().map_err(|violations| Failure::Invalid { subject: file.display().to_string(), violations })
}

fn measure<'a>(variant: &'a Variant, file: &Path) -> Result<Measured<'a>, Failure> {
    let refused = |violations| Failure::Invalid { subject: file.display().to_string(), violations };
    let workload = variant.spec.workload("base").map_err(refused)?;
    Ok(Measured { variant, workload })
}

/// The lines below the table.
fn summarise(sweep: &SweepSpec, expanded: &Expanded, measured: &[Measured<'_>]) -> io::Result<()> {
    let (jobs, experiments) = (expanded.job_count(), expanded.experiments.len());
    let seeds: Vec<String> = sweep.seeds.iter().map(u64::to_string).collect();
    let flops = measured.iter().fold(0_u64, |sum, measured| sum.saturating_add(measured.workload.flops));
    let all_flops = output::quantity(flops.saturating_mul(seeds.len() as u64), "FLOP");
    let mut out = io::stdout().lock();
    writeln!(out, "\nsweep        {}", sweep.name)?;
    writeln!(out, "seeds        {}", seeds.join(", "))?;
    writeln!(out, "experiments  {experiments} = {} variants × {} seeds", expanded.variants.len(), seeds.len())?;
    let evaluations = expanded.jobs_of_kind(JobKind::Evaluate);
    let further = [JobKind::Inspect, JobKind::Score, JobKind::Probe].map(|kind| match expanded.jobs_of_kind(kind) {
        0 => String::new(),
        count => format!(" + {count} {kind}"),
    });
    writeln!(out, "jobs         {jobs} = {experiments} train + {evaluations} evaluate{}", further.concat())?;
    if let Some(rule) = &sweep.early_stopping {
        writeln!(out, "stopping     {}", stopping(rule, expanded))?;
    }
    if let Some(budget) = &sweep.budget {
        let experiments = budget.experiments.map(|limit| format!("{limit} experiments"));
        let hours = budget.device_hours.map(|limit| format!("{limit} device hours of training"));
        let limits: Vec<String> = [experiments, hours].into_iter().flatten().collect();
        writeln!(out, "budget       {}", limits.join(", "))?;
    }
    writeln!(out, "training     {all_flops} in convolutions and matrix products, all experiments together")
}

/// `asha: the best 1/3 by bits-per-dim go on at 50, 150 steps`.
fn stopping(rule: &EarlyStopping, expanded: &Expanded) -> String {
    match rule {
        EarlyStopping::Asha(asha) => {
            let longest = expanded.variants.iter().map(|variant| variant.spec.training.steps).max().unwrap_or_default();
            let rungs: Vec<String> = asha.rungs(longest).map(|rung| rung.to_string()).collect();
            let Asha { metric, reduction_factor, .. } = asha;
            format!("asha: the best 1/{reduction_factor} by {metric} go on at {} steps", rungs.join(", "))
        }
        EarlyStopping::Median(MedianRule { metric, after_steps, every_steps, min_experiments }) => format!(
            "median: by {metric}, every {every_steps} steps from {after_steps} on, beside {min_experiments} others or more"
        ),
    }
}

fn for_people(measured: &[Measured<'_>]) -> Table {
    let columns = vec![
        Column::text("variant", "variant"),
        Column::text("in_dataset", "in"),
        Column::text("out_datasets", "out"),
        Column::number("couplings", "couplings"),
        Column::number("parameters", "parameters"),
        Column::number("examples_per_epoch", "examples/epoch"),
        Column::number("epochs", "epochs"),
        Column::number("steps", "steps"),
        Column::number("batch_size", "batch"),
        Column::number("flops_per_step", "per step"),
        Column::number("flops", "training"),
        Column::text("fingerprint", "fingerprint"),
    ];
    let mut table = Table::new("variants", columns);
    for Measured { variant, workload } in measured {
        let spec = &variant.spec;
        table.push(vec![
            Cell::text(&variant.label),
            Cell::text(spec.data.dataset.to_string()),
            Cell::text(out_datasets(variant)),
            workload.couplings.into(),
            Cell::quantity(workload.parameters, ""),
            workload.examples_per_epoch.map_or(Cell::Absent, Cell::from),
            Cell::real(workload.epochs, 2),
            spec.training.steps.into(),
            spec.training.batch_size.into(),
            Cell::quantity(workload.flops_per_step, "FLOP"),
            Cell::quantity(workload.flops, "FLOP"),
            Cell::text(variant.fingerprint.to_string().chars().take(FINGERPRINT_LETTERS).collect::<String>()),
        ]);
    }
    table
}

fn for_machines(measured: &[Measured<'_>]) -> Table {
    let columns = vec![
        Column::text("variant", "variant"),
        Column::text("in_dataset", "in"),
        Column::text("out_datasets", "out"),
        Column::number("couplings", "couplings"),
        Column::number("parameters", "parameters"),
        Column::number("gains", "gains"),
        Column::number("examples_per_epoch", "examples/epoch"),
        Column::number("steps_per_epoch", "steps/epoch"),
        Column::number("epochs", "epochs"),
        Column::number("steps", "steps"),
        Column::number("batch_size", "batch"),
        Column::number("flops_per_step", "FLOP/step"),
        Column::number("flops", "FLOP"),
        Column::text("fingerprint", "fingerprint"),
    ];
    let mut table = Table::new("variants", columns);
    for Measured { variant, workload } in measured {
        let spec = &variant.spec;
        table.push(vec![
            Cell::text(&variant.label),
            Cell::text(spec.data.dataset.to_string()),
            Cell::text(out_datasets(variant)),
            workload.couplings.into(),
            Cell::quantity(workload.parameters, ""),
            Cell::quantity(workload.gains, ""),
            Cell::quantity(workload.examples_per_epoch, ""),
            Cell::quantity(workload.steps_per_epoch, ""),
            Cell::real(workload.epochs, 2),
            spec.training.steps.into(),
            spec.training.batch_size.into(),
            Cell::quantity(workload.flops_per_step, "FLOP"),
            Cell::quantity(workload.flops, "FLOP"),
            Cell::text(variant.fingerprint.to_string()),
        ]);
    }
    table
}

fn out_datasets(variant: &Variant) -> String {
    let out: Vec<String> = variant.spec.evaluation.out.iter().map(ToString::to_string).collect();
    out.join(", ")
}

fn counts(sweep: &SweepSpec, expanded: &Expanded) -> Table {
    let columns = vec![
        Column::text("sweep", "sweep"),
        Column::number("variants", "variants"),
        Column::number("seeds", "seeds"),
        Column::number("experiments", "experiments"),
        Column::number("train_jobs", "train jobs"),
        Column::number("evaluate_jobs", "evaluate jobs"),
        Column::number("inspect_jobs", "inspect jobs"),
        Column::number("score_jobs", "score jobs"),
        Column::number("probe_jobs", "probe jobs"),
    ];
    let experiments = expanded.experiments.len() as u64;
    let mut table = Table::new("sweep", columns);
    table.push(vec![
        Cell::text(&sweep.name),
        (expanded.variants.len() as u64).into(),
        (sweep.seeds.len() as u64).into(),
        experiments.into(),
        experiments.into(),
        (expanded.jobs_of_kind(JobKind::Evaluate) as u64).into(),
        (expanded.jobs_of_kind(JobKind::Inspect) as u64).into(),
        (expanded.jobs_of_kind(JobKind::Score) as u64).into(),
        (expanded.jobs_of_kind(JobKind::Probe) as u64).into(),
    ]);
    table
}
