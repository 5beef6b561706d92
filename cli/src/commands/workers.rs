//! `workers`: who is there, what each runs, and how late its heartbeat is.

use clap::Args;
use proto::v1::{HeldJob, ListWorkersRequest, WorkerRow};

use super::list::written;
use crate::{
    client::Client,
    failure::Failure,
    output::{self, Audience, Cell, Column, Format, Table},
};

const EXAMPLES: &str = "\
Examples:
  spillway workers
  spillway workers --all --limit 50    those that have ended too
  spillway workers --format json

A heartbeat is `late` when more than two beats have passed since the last one, `lapsed` when the lease has run out (the worker
claims nothing until it comes back), `overdue` when its jobs are about to be given to others.";

/// Which workers, and how to write them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Show workers that have ended too
    #[arg(long)]
    all: bool,
    /// Show at most so many
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2000))]
    limit: u32,
    /// How to write the table
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints the workers.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let Arguments { all, limit, format } = *arguments;
    let answer = client.fleet().list_workers(ListWorkersRequest { closed: all, limit }).await;
    let workers = client.checked(answer)?.into_inner().workers;
    if workers.is_empty() && format == Format::Table {
        eprintln!("no worker is there: `spillway up` or `spillway-worker` starts one");
        return Ok(());
    }
    let table = match format.audience() {
        Audience::People => for_people(&workers, all),
        Audience::Machines => for_machines(&workers),
    };
    output::print(&[table], format)?;
    Ok(())
}

fn for_people(workers: &[WorkerRow], all: bool) -> Table {
    let mut columns = vec![
        Column::text("name", "worker"),
        Column::text("device", "device"),
        Column::number("memory_bytes", "memory"),
        Column::text("labels", "labels"),
        Column::text("heartbeat", "heartbeat"),
        Column::text("state", "state"),
        Column::text("since", "since"),
        Column::text("jobs", "runs"),
        Column::text("session_id", "session"),
    ];
    if all {
        columns.push(Column::text("closed_at", "closed"));
    }
    let mut table = Table::new("workers", columns);
    for worker in workers {
        let mut row = vec![
            Cell::text(&worker.name),
            Cell::text(&worker.device),
            Cell::quantity(Some(worker.memory_bytes).filter(|bytes| *bytes > 0), "B"),
            Cell::text(worker.labels.join(" ")),
            Cell::text(heartbeat(worker)),
            Cell::text(state(worker)),
            since(worker),
            Cell::text(worker.jobs.iter().map(describe).collect::<Vec<_>>().join("; ")),
            Cell::text(&worker.session_id),
        ];
        if all {
            row.push(written(worker.closed_at.map(|at| at.seconds)));
        }
        table.push(row);
    }
    table
}

/// One row for each job that a worker runs, and one for a worker that runs none.
fn for_machines(workers: &[WorkerRow]) -> Table {
    let columns = vec![
        Column::text("session_id", "session"),
        Column::text("name", "worker"),
        Column::text("version", "version"),
        Column::text("device", "device"),
        Column::number("memory_bytes", "memory"),
        Column::text("labels", "labels"),
        Column::text("opened_at", "opened"),
        Column::text("closed_at", "closed"),
        Column::text("state", "state"),
        Column::text("heartbeat", "heartbeat"),
        Column::number("heartbeat_secs", "seconds since"),
        Column::text("idle_since", "idle since"),
        Column::number("job_id", "job"),
        Column::text("kind", "kind"),
        Column::text("sweep", "sweep"),
        Column::text("variant", "variant"),
        Column::number("seed", "seed"),
        Column::text("out_dataset", "out"),
        Column::text("started_at", "started"),
        Column::number("done", "done"),
        Column::number("total", "of"),
    ];
    let mut table = Table::new("workers", columns);
    for worker in workers {
        let jobs: Vec<Option<&HeldJob>> =
            if worker.jobs.is_empty() { vec![None] } else { worker.jobs.iter().map(Some).collect() };
        for job in jobs {
            let mut row = vec![
                Cell::text(&worker.session_id),
                Cell::text(&worker.name),
                Cell::text(&worker.version),
                Cell::text(&worker.device),
                Some(worker.memory_bytes).filter(|bytes| *bytes > 0).map_or(Cell::Absent, Cell::from),
                Cell::text(worker.labels.join(" ")),
                written(worker.opened_at.map(|at| at.seconds)),
                written(worker.closed_at.map(|at| at.seconds)),
                Cell::text(state(worker)),
                Cell::text(&worker.heartbeat),
                Cell::real(Some(worker.heartbeat_secs).filter(|_| worker.closed_at.is_none()), 1),
                written(worker.idle_since.map(|at| at.seconds)),
            ];
            row.extend(job_cells(job));
            table.push(row);
        }
    }
    table
}

fn job_cells(job: Option<&HeldJob>) -> [Cell; 9] {
    let Some(job) = job else { return std::array::from_fn(|_| Cell::Absent) };
    [
        job.job_id.into(),
        Cell::text(&job.kind),
        Cell::text(&job.sweep),
        Cell::text(&job.variant),
        job.seed.into(),
        Cell::text(&job.out_dataset),
        written(job.since.map(|at| at.seconds)),
        job.done.into(),
        job.total.into(),
    ]
}

/// `closed`, `lost`, `draining`, `running` or `idle`.
fn state(worker: &WorkerRow) -> &str {
    if worker.closed_at.is_some() {
        return &worker.close_reason;
    }
    match (worker.draining, worker.jobs.is_empty()) {
        (true, _) => "draining",
        (false, true) => "idle",
        (false, false) => "running",
    }
}

fn heartbeat(worker: &WorkerRow) -> String {
    match worker.heartbeat.as_str() {
        "" => String::new(),
        "on-time" => format!("{:.1} s ago", worker.heartbeat_secs),
        late => format!("{late}: {:.0} s ago", worker.heartbeat_secs),
    }
}

/// Since when it runs what it runs, or nothing.
fn since(worker: &WorkerRow) -> Cell {
    let began = worker.jobs.iter().filter_map(|job| job.since).map(|at| at.seconds).min();
    written(began.or(worker.idle_since.map(|at| at.seconds)))
}

/// A job in words.
fn describe(job: &HeldJob) -> String {
    let HeldJob { job_id, kind, sweep, variant, seed, out_dataset, since: _, done, total } = job;
    let out = if out_dataset.is_empty() { String::new() } else { format!(" against {out_dataset}") };
    let progress = if *total > 0 { format!(", {done}/{total}") } else { String::new() };
    format!("job {job_id}: {kind} {sweep} {variant} seed {seed}{out}{progress}")
}
