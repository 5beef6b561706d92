//! `list`: the sweeps that the cluster knows.

use clap::Args;
use proto::v1::{JobCounts, ListSweepsRequest, SweepSummary};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    client::Client,
    failure::Failure,
    output::{self, Audience, Cell, Column, Format, Table},
};

const EXAMPLES: &str = "\
Examples:
  spillway list
  spillway list --limit 5 --format json";

/// How many sweeps, and how to write them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Show at most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// How to write the table
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints the sweeps.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let Arguments { limit, format } = *arguments;
    let answer = client.sweeps().list(ListSweepsRequest { limit }).await;
    let sweeps = client.checked(answer)?.into_inner().sweeps;
    let table = match format.audience() {
        Audience::People => for_people(&sweeps),
        Audience::Machines => for_machines(&sweeps),
    };
    if table.is_empty() && format == Format::Table {
        eprintln!("there is no sweep yet: `spillway submit FILE` stores one");
        return Ok(());
    }
    output::print(&[table], format)?;
    Ok(())
}

fn for_people(sweeps: &[SweepSummary]) -> Table {
    let columns = vec![
        Column::text("name", "sweep"),
        Column::text("created_at", "created"),
        Column::number("variants", "variants"),
        Column::number("experiments", "experiments"),
        Column::text("jobs", "jobs"),
        Column::text("id", "id"),
    ];
    let mut table = Table::new("sweeps", columns);
    for sweep in sweeps {
        table.push(vec![
            Cell::text(&sweep.name),
            created(sweep),
            sweep.variants.into(),
            sweep.experiments.into(),
            Cell::text(describe(&sweep.jobs.unwrap_or_default())),
            Cell::text(&sweep.id),
        ]);
    }
    table
}

fn for_machines(sweeps: &[SweepSummary]) -> Table {
    let states = ["blocked", "ready", "running", "succeeded", "failed", "cancelled", "quarantined", "stopped"];
    let mut columns = vec![
        Column::text("id", "id"),
        Column::text("name", "sweep"),
        Column::text("description", "description"),
        Column::text("created_at", "created"),
        Column::number("variants", "variants"),
        Column::number("experiments", "experiments"),
    ];
    columns.extend(states.map(|state| Column::number(state, state)));
    let mut table = Table::new("sweeps", columns);
    for sweep in sweeps {
        let mut row = vec![
            Cell::text(&sweep.id),
            Cell::text(&sweep.name),
            Cell::text(&sweep.description),
            created(sweep),
            sweep.variants.into(),
            sweep.experiments.into(),
        ];
        row.extend(by_state(&sweep.jobs.unwrap_or_default()).map(|(_, count)| Cell::from(count)));
        table.push(row);
    }
    table
}

/// Job counts by state, in the order of a job's life.
pub fn by_state(jobs: &JobCounts) -> [(&'static str, u32); 8] {
    let JobCounts { blocked, ready, running, succeeded, failed, cancelled, quarantined, stopped } = *jobs;
    [
        ("blocked", blocked),
        ("ready", ready),
        ("running", running),
        ("succeeded", succeeded),
        ("failed", failed),
        ("cancelled", cancelled),
        ("quarantined", quarantined),
        ("stopped", stopped),
    ]
}

/// `2 running, 10 succeeded`: the states that have jobs.
pub fn describe(jobs: &JobCounts) -> String {
    let some = by_state(jobs).into_iter().filter(|(_, count)| *count > 0);
    some.map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
}

fn created(sweep: &SweepSummary) -> Cell {
    written(sweep.created_at.map(|time| time.seconds))
}

/// A time in UTC, from seconds since 1970.
pub fn written(seconds: Option<i64>) -> Cell {
    let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    Cell::text(time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default())
}
