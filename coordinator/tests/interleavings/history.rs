//! The tables of the database as they stand after a run, read through `psql`.

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
    str::FromStr,
};

use domain::job::{Budgets, JobKind, StateName};
use uuid::Uuid;

use crate::log::Attempt;

#[derive(Debug)]
pub struct Job {
    pub sweep: String,
    pub kind: JobKind,
    /// Every job that it waits for.
    pub waits_for: Vec<i64>,
    pub state: StateName,
    pub epoch: i32,
    pub session: Option<Uuid>,
    pub spent: Budgets,
    pub limits: Budgets,
}

#[derive(Debug)]
pub struct Begun {
    pub session: Uuid,
    pub started_at: i64,
}

#[derive(Debug, Clone)]
pub struct Outcome {
    pub kind: String,
    pub detail: String,
    pub ended_at: i64,
}

/// A line of a job's history: the state that it came to.
#[derive(Debug)]
pub struct Event {
    pub at: i64,
    pub job: i64,
    pub epoch: Option<i32>,
    pub kind: String,
    pub detail: String,
}

#[derive(Debug)]
pub struct Session {
    pub closed_at: Option<i64>,
    pub reason: String,
}

#[derive(Debug)]
pub struct JobResult {
    pub job: i64,
    pub epoch: i32,
    pub checkpoint: String,
    pub statistics: String,
    pub version: String,
}

#[derive(Debug)]
pub struct Checkpoint {
    pub attempt: Attempt,
    pub step: u64,
    pub digest: String,
    pub stored_at: i64,
}

#[derive(Debug)]
pub struct Point {
    pub attempt: Attempt,
    pub step: u64,
    pub loss: f64,
}

#[derive(Debug)]
pub struct Line {
    pub attempt: Attempt,
    pub line: u32,
    pub text: String,
}

#[derive(Debug)]
pub struct Progress {
    pub attempt: Attempt,
    pub done: u64,
}

#[derive(Debug)]
pub struct Measurement {
    pub job: i64,
    pub value: f64,
    pub n_in: u64,
}

#[derive(Debug, Default)]
pub struct History {
    pub jobs: BTreeMap<i64, Job>,
    pub attempts: BTreeMap<Attempt, Begun>,
    /// All that there are: the table allows one for each attempt, and nobody should have to trust it.
    pub outcomes: BTreeMap<Attempt, Vec<Outcome>>,
    pub events: Vec<Event>,
    pub sessions: BTreeMap<Uuid, Session>,
    pub sweeps: Vec<String>,
    pub results: Vec<JobResult>,
    pub measurements: Vec<Measurement>,
    pub checkpoints: Vec<Checkpoint>,
    pub points: Vec<Point>,
    pub lines: Vec<Line>,
    pub progress: Vec<Progress>,
}

/// Columns by name, so that new ones do no harm; times in microseconds since 1970.
const READ: &str = r"
create function pg_temp.micros(at timestamptz) returns bigint language sql
    as $$ select (extract(epoch from at) * 1000000)::bigint $$;
create function pg_temp.line(given text) returns text language sql
    as $$ select translate(given, E'\t\n\r', '   ') $$;
\echo #job
select job.id, sweep.name, job.kind,
    concat_ws(' ', job.depends_on, (select string_agg(parent_id::text, ' ') from job_dependency where job_id = job.id)),
    job.state, job.epoch, job.session_id,
    job.failures, job.infrastructure_failures, job.crashes,
    job.max_failures, job.max_infrastructure_failures, job.max_crashes
from job join sweep on sweep.id = job.sweep_id;
\echo #attempt
select job_id, epoch, session_id, pg_temp.micros(started_at) from attempt;
\echo #outcome
select job_id, epoch, kind, pg_temp.line(detail), pg_temp.micros(ended_at) from attempt_outcome;
\echo #event
select pg_temp.micros(at), job_id, epoch, kind, pg_temp.line(detail) from event where job_id is not null order by id;
\echo #session
select id, pg_temp.micros(closed_at), close_reason from session;
\echo #sweep
select name from sweep;
\echo #result
select job_id, epoch, encode(checkpoint, 'hex'), encode(statistics, 'hex'), worker_version from result;
\echo #measurement
select job_id, value, n_in from measurement;
\echo #checkpoint
select job_id, epoch, step, encode(digest, 'hex'), pg_temp.micros(stored_at) from checkpoint;
\echo #point
select job_id, epoch, step, loss_nats from curve_point;
\echo #line
select job_id, epoch, line, pg_temp.line(text) from job_log;
\echo #progress
select job_id, epoch, done from progress;
";

/// The fields of a line, in order.
struct Fields<'line>(std::str::Split<'line, char>);

impl<'line> Fields<'line> {
    fn text(&mut self) -> &'line str {
        self.0.next().expect("as many fields as were selected")
    }

    fn value<T: FromStr<Err: std::fmt::Debug>>(&mut self) -> T {
        let text = self.text();
        text.parse().unwrap_or_else(|error| panic!("`{text}`: {error:?}"))
    }

    fn optional<T: FromStr<Err: std::fmt::Debug>>(&mut self) -> Option<T> {
        let text = self.text();
        (!text.is_empty()).then(|| text.parse().unwrap_or_else(|error| panic!("`{text}`: {error:?}")))
    }

    fn attempt(&mut self) -> Attempt {
        Attempt { job: self.value(), epoch: self.value() }
    }

    fn budgets(&mut self) -> Budgets {
        Budgets { failures: self.value(), infrastructure: self.value(), crashes: self.value() }
    }
}

impl History {
    /// Reads the database.
    pub fn read(database: &str) -> Self {
        Self::read_after(database, "")
    }

    /// Reads the database as it would be after `statements`, which no trigger forbids, and which are taken back.
    pub fn read_after(database: &str, statements: &str) -> Self {
        let script =
            format!("begin;\nset local session_replication_role = replica;\n{statements}\n{READ}\nrollback;\n");
        let mut history = Self::default();
        let mut table = "";
        let output = psql(database, &script);
        for line in output.lines() {
            match line.strip_prefix('#') {
                Some(name) => table = name,
                None => history.add(table, Fields(line.split('\t'))),
            }
        }
        history
    }

    fn add(&mut self, table: &str, mut fields: Fields<'_>) {
        match table {
            "job" => {
                let id = fields.value();
                self.jobs.insert(id, job(fields));
            }
            "attempt" => {
                let attempt = fields.attempt();
                let begun = Begun { session: fields.value(), started_at: fields.value() };
                self.attempts.insert(attempt, begun);
            }
            "outcome" => {
                let attempt = fields.attempt();
                let [kind, detail] = [fields.text(), fields.text()].map(str::to_owned);
                self.outcomes.entry(attempt).or_default().push(Outcome { kind, detail, ended_at: fields.value() });
            }
            "event" => self.events.push(event(fields)),
            "session" => {
                let id = fields.value();
                let session = Session { closed_at: fields.optional(), reason: fields.text().to_owned() };
                self.sessions.insert(id, session);
            }
            "sweep" => self.sweeps.push(fields.text().to_owned()),
            "result" => self.results.push(result(fields)),
            "measurement" => {
                let (job, value, n_in) = (fields.value(), fields.value(), fields.value());
                self.measurements.push(Measurement { job, value, n_in });
            }
            "checkpoint" => {
                let (attempt, step) = (fields.attempt(), fields.value());
                let digest = fields.text().to_owned();
                self.checkpoints.push(Checkpoint { attempt, step, digest, stored_at: fields.value() });
            }
            "point" => {
                let attempt = fields.attempt();
                self.points.push(Point { attempt, step: fields.value(), loss: fields.value() });
            }
            "line" => {
                let attempt = fields.attempt();
                self.lines.push(Line { attempt, line: fields.value(), text: fields.text().to_owned() });
            }
            "progress" => {
                let attempt = fields.attempt();
                self.progress.push(Progress { attempt, done: fields.value() });
            }
            other => panic!("a line before the first table, or of `{other}`"),
        }
    }

    /// How the attempt ended first.
    pub fn outcome(&self, attempt: Attempt) -> Option<&Outcome> {
        self.outcomes.get(&attempt)?.first()
    }
}

fn job(mut fields: Fields<'_>) -> Job {
    Job {
        sweep: fields.text().to_owned(),
        kind: fields.value(),
        waits_for: fields.text().split_whitespace().map(|parent| parent.parse().unwrap()).collect(),
        state: fields.value(),
        epoch: fields.value(),
        session: fields.optional(),
        spent: fields.budgets(),
        limits: fields.budgets(),
    }
}

fn event(mut fields: Fields<'_>) -> Event {
    Event {
        at: fields.value(),
        job: fields.value(),
        epoch: fields.optional(),
        kind: fields.text().to_owned(),
        detail: fields.text().to_owned(),
    }
}

fn result(mut fields: Fields<'_>) -> JobResult {
    JobResult {
        job: fields.value(),
        epoch: fields.value(),
        checkpoint: fields.text().to_owned(),
        statistics: fields.text().to_owned(),
        version: fields.text().to_owned(),
    }
}

fn psql(database: &str, script: &str) -> String {
    let psql = localdb::ServerBinaries::find().expect("Postgres is installed").directory().join("psql");
    let mut child = Command::new(psql)
        .args(["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1"])
        .args(["--no-align", "--tuples-only", "--field-separator", "\t", database])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("psql starts");
    let mut input = child.stdin.take().expect("it was piped");
    // Before the first answer is read psql has read all of it: the script is smaller than a pipe's buffer.
    input.write_all(script.as_bytes()).expect("psql reads");
    drop(input);
    let output = child.wait_with_output().expect("psql ends");
    assert!(output.status.success(), "the history could not be read");
    String::from_utf8(output.stdout).expect("the tables are in UTF-8")
}
