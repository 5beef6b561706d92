//! `jobs`: every job of a sweep, where it stands and why.

use clap::{Args, builder::PossibleValuesParser};
use domain::job::StateName;
use proto::v1::JobRow;

use super::list::written;
use crate::{
    client::Client,
    failure::Failure,
    output::{self, Audience, Cell, Column, Format, Table},
};

const EXAMPLES: &str = "\
Examples:
  spillway jobs demo
  spillway jobs demo --state failed
  spillway jobs demo --format json     the whole reasons, last output included";

/// Longest reason that people are shown; programs get all of it.
const REASON_LETTERS: usize = 100;

/// Which jobs, and how to write them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The sweep's name or id
    sweep: String,
    /// Show jobs in this state only
    #[arg(long, value_parser = states())]
    state: Option<String>,
    /// How to write the table
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints the jobs.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let Arguments { sweep, state, format } = arguments;
    let jobs = client.jobs(sweep, state.as_deref().unwrap_or_default()).await?;
    let table = match format.audience() {
        Audience::People => for_people(&jobs),
        Audience::Machines => for_machines(&jobs),
    };
    output::print(&[table], *format)?;
    Ok(())
}

fn states() -> PossibleValuesParser {
    PossibleValuesParser::new(StateName::ALL.map(StateName::as_str))
}

fn for_people(jobs: &[JobRow]) -> Table {
    let columns = vec![
        Column::number("job_id", "job"),
        Column::text("kind", "kind"),
        Column::text("variant", "variant"),
        Column::number("seed", "seed"),
        Column::text("out_dataset", "out"),
        Column::text("state", "state"),
        Column::number("attempts", "attempts"),
        Column::text("worker", "worker"),
        Column::text("reason", "reason"),
    ];
    let mut table = Table::new("jobs", columns);
    for job in jobs {
        table.push(vec![
            job.job_id.into(),
            Cell::text(&job.kind),
            Cell::text(&job.variant),
            job.seed.into(),
            Cell::text(&job.out_dataset),
            Cell::text(&job.state),
            job.attempts.into(),
            Cell::text(&job.worker),
            Cell::text(shorten(&job.reason)),
        ]);
    }
    table
}

fn for_machines(jobs: &[JobRow]) -> Table {
    let columns = vec![
        Column::number("job_id", "job"),
        Column::number("experiment_id", "experiment"),
        Column::text("kind", "kind"),
        Column::text("variant", "variant"),
        Column::number("seed", "seed"),
        Column::text("out_dataset", "out"),
        Column::text("state", "state"),
        Column::number("epoch", "epoch"),
        Column::number("attempts", "attempts"),
        Column::number("failures", "failures"),
        Column::number("infrastructure_failures", "infrastructure failures"),
        Column::number("crashes", "crashes"),
        Column::text("worker", "worker"),
        Column::text("reason", "reason"),
        Column::text("started_at", "started"),
        Column::text("ended_at", "ended"),
    ];
    let mut table = Table::new("jobs", columns);
    for job in jobs {
        table.push(vec![
            job.job_id.into(),
            job.experiment_id.into(),
            Cell::text(&job.kind),
            Cell::text(&job.variant),
            job.seed.into(),
            Cell::text(&job.out_dataset),
            Cell::text(&job.state),
            job.epoch.into(),
            job.attempts.into(),
            job.failures.into(),
            job.infrastructure_failures.into(),
            job.crashes.into(),
            Cell::text(&job.worker),
            Cell::text(&job.reason),
            written(job.started_at.map(|time| time.seconds)),
            written(job.ended_at.map(|time| time.seconds)),
        ]);
    }
    table
}

/// The first line of a reason, cut where a table would burst.
pub fn shorten(reason: &str) -> String {
    let line = reason.lines().next().unwrap_or_default();
    let kept: String = line.chars().take(REASON_LETTERS).collect();
    if kept.len() < reason.trim_end().len() { format!("{kept}…") } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_cut_at_the_first_line_and_say_so() {
        assert_eq!(shorten("out of memory"), "out of memory");
        assert_eq!(shorten("crash\nstack trace"), "crash…");
        assert_eq!(shorten(&"é".repeat(150)), format!("{}…", "é".repeat(100)));
    }
}
