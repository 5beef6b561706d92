//! `why`: why a job does not run, or how it ended.

use std::io::{Write, stdout};

use clap::Args;
use proto::v1::{AttemptRow, ExplainRequest, ExplainResponse};

use super::list::written;
use crate::{
    client::Client,
    failure::Failure,
    output::{self, Audience, Cell, Column, Format, Look, Table, render},
};

const EXAMPLES: &str = "\
Examples:
  spillway jobs demo                   the numbers of jobs
  spillway why 17
  spillway why 17 --format json

Every reason that holds is printed, the most decisive first; then the attempts so far.";

/// Which job.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The job's number
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    job: i64,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints the reasons and the attempts.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let Arguments { job, format } = *arguments;
    let answer = client.fleet().explain(ExplainRequest { job_id: job }).await;
    let explained = client.checked(answer)?.into_inner();
    if format != Format::Table {
        output::print(&[job_table(&explained), causes(&explained), attempts(&explained, format.audience())], format)?;
        return Ok(());
    }
    let mut out = stdout().lock();
    writeln!(out, "{}", headline(&explained))?;
    for cause in &explained.causes {
        writeln!(out, "  {}", shown(&cause.text))?;
    }
    let table = attempts(&explained, Audience::People);
    if !table.is_empty() {
        writeln!(out, "\n{}", render(&table, Look::of_stdout()))?;
    }
    Ok(())
}

/// `job 17 (train, mask=cycle seed 1 of demo) is ready`
fn headline(explained: &ExplainResponse) -> String {
    let ExplainResponse { job_id, sweep, kind, variant, seed, out_dataset, state, .. } = explained;
    let out = if out_dataset.is_empty() { String::new() } else { format!(" against {out_dataset}") };
    format!("job {job_id} ({kind} {variant} seed {seed}{out} of {sweep}) is {state}")
}

/// A reason may quote a job's last words: no control character of theirs reaches the terminal.
fn shown(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ").chars().filter(|letter| *letter == '\n' || !letter.is_control()).collect()
}

fn job_table(explained: &ExplainResponse) -> Table {
    let columns = vec![
        Column::number("job_id", "job"),
        Column::text("sweep", "sweep"),
        Column::text("kind", "kind"),
        Column::text("variant", "variant"),
        Column::number("seed", "seed"),
        Column::text("out_dataset", "out"),
        Column::text("state", "state"),
        Column::number("epoch", "epoch"),
        Column::number("attempts", "attempts"),
    ];
    let mut table = Table::new("job", columns);
    table.push(vec![
        explained.job_id.into(),
        Cell::text(&explained.sweep),
        Cell::text(&explained.kind),
        Cell::text(&explained.variant),
        explained.seed.into(),
        Cell::text(&explained.out_dataset),
        Cell::text(&explained.state),
        explained.epoch.into(),
        explained.attempts_in_all.into(),
    ]);
    table
}

fn causes(explained: &ExplainResponse) -> Table {
    let mut table = Table::new("causes", vec![Column::text("kind", "reason"), Column::text("text", "in words")]);
    for cause in &explained.causes {
        table.push(vec![Cell::text(&cause.kind), Cell::text(&cause.text)]);
    }
    table
}

fn attempts(explained: &ExplainResponse, audience: Audience) -> Table {
    let columns = vec![
        Column::number("epoch", "attempt"),
        Column::text("worker", "worker"),
        Column::text("session_id", "session"),
        Column::text("started_at", "started"),
        Column::text("ended_at", "ended"),
        Column::text("outcome", "outcome"),
        Column::text("detail", "detail"),
    ];
    let mut table = Table::new("attempts", columns);
    for attempt in &explained.attempts {
        let AttemptRow { epoch, worker, session_id, started_at, ended_at, outcome, detail } = attempt;
        let detail = match audience {
            Audience::People => super::jobs::shorten(detail),
            Audience::Machines => detail.clone(),
        };
        table.push(vec![
            (*epoch).into(),
            Cell::text(worker),
            Cell::text(session_id),
            written(started_at.map(|at| at.seconds)),
            written(ended_at.map(|at| at.seconds)),
            Cell::text(if outcome.is_empty() { "running" } else { outcome }),
            Cell::text(detail),
        ]);
    }
    let more = usize::try_from(explained.attempts_in_all).unwrap_or_default().saturating_sub(explained.attempts.len());
    if more > 0 {
        table.note(format!("{more} earlier attempts are not shown."));
    }
    table
}
