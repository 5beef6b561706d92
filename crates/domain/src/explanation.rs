//! Why a job stands where it stands: everything that holds, the most decisive first.

use std::{fmt, time::Duration};

use crate::{
    JobId, Timestamp,
    fleet::{Lacking, Offer, Requirement},
    job::{JobKind, State, StateName},
    lease::Heartbeat,
};

/// Workers that one reason names; the others are counted.
const NAMED_WORKERS: usize = 5;
/// Lanes that one reason names; the others are counted.
const NAMED_LANES: usize = 3;

/// What is known of a job, its sweep and the fleet, read at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// When.
    pub now: Timestamp,
    /// Where the job stands.
    pub state: State,
    /// The job that it waits or waited for.
    pub dependency: Option<DependencyFacts>,
    /// What it asks of workers.
    pub requirement: Requirement,
    /// Who runs it, while it runs.
    pub run: Option<RunFacts>,
    /// The workers whose sessions are open.
    pub workers: Vec<WorkerFacts>,
    /// Jobs of its sweep that run.
    pub running_of_sweep: u64,
    /// Most of them that may run at once.
    pub max_running: Option<u32>,
    /// Ready jobs of its sweep and kind that were there before it.
    pub before_in_lane: u64,
    /// Its own lane, when it has a job that may be claimed now.
    pub lane: Option<LaneFacts>,
    /// Lanes that are served before it, in order.
    pub lanes_before: Vec<LaneFacts>,
}

/// The job that another one waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyFacts {
    /// The job.
    pub job: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Where it stands.
    pub state: StateName,
    /// Why it ended.
    pub reason: Option<String>,
    /// Steps done and steps in all, while it runs.
    pub progress: Option<(u64, u64)>,
    /// How many others it waits for that have not succeeded either.
    pub others: u64,
}

/// An attempt that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFacts {
    /// The worker's name.
    pub worker: String,
    /// When the attempt began.
    pub since: Timestamp,
    /// Steps or images done and in all; absent before the first report.
    pub progress: Option<(u64, u64)>,
    /// How its worker's heartbeat stands; absent when the session is closed.
    pub heartbeat: Option<Heartbeat>,
}

/// A worker whose session is open.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerFacts {
    /// Its name.
    pub name: String,
    /// What it offers.
    pub offer: Offer,
    /// Whether it drains.
    pub is_draining: bool,
    /// How its heartbeat stands.
    pub heartbeat: Heartbeat,
    /// Jobs that it runs.
    pub jobs: usize,
}

/// Ready jobs of one kind of one sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneFacts {
    /// The sweep's name.
    pub sweep: String,
    /// What its jobs do.
    pub kind: JobKind,
    /// Their priority.
    pub priority: i16,
    /// What waiting adds to it.
    pub aged: i64,
    /// Jobs of the sweep that run.
    pub running: u64,
    /// The share that the sweep is owed.
    pub weight: u16,
}

/// One reason.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// It has ended.
    Ended {
        /// How.
        state: StateName,
        /// Why.
        reason: Option<String>,
        /// The job with which it ended.
        with: Option<DependencyFacts>,
    },
    /// It runs.
    Running {
        /// Where and since when.
        run: RunFacts,
        /// For how long.
        so_far: Duration,
    },
    /// It waits for another job.
    Blocked(DependencyFacts),
    /// It failed and is tried again later.
    BackingOff {
        /// In how long.
        left: Duration,
    },
    /// No session is open.
    NoWorkers,
    /// No worker offers what it asks for.
    NoFittingWorker {
        /// Each worker and what it lacks; some of them.
        workers: Vec<(String, Vec<Lacking>)>,
        /// How many there are.
        in_all: usize,
    },
    /// Every worker that fits drains.
    FittingWorkersDrain(Vec<String>),
    /// No worker that fits has a live lease.
    FittingWorkersLapsed(Vec<String>),
    /// Its sweep runs as many jobs as it may.
    SweepLimit {
        /// Jobs that run.
        running: u64,
        /// Most of them.
        limit: u32,
    },
    /// Every worker that fits runs something.
    FittingWorkersBusy(usize),
    /// Other lanes are served first.
    OthersFirst {
        /// The first of them.
        lanes: Vec<LaneFacts>,
        /// How many there are.
        in_all: usize,
        /// Its own.
        own: Option<LaneFacts>,
    },
    /// Jobs of its own sweep and kind were ready before it.
    OwnLane(u64),
    /// Nothing: it is about to be claimed.
    Unhindered,
}

/// Everything that holds of the job, the most decisive first; never empty.
#[must_use]
pub fn explain(facts: &Facts) -> Vec<Cause> {
    match &facts.state {
        State::Succeeded => vec![Cause::Ended { state: StateName::Succeeded, reason: None, with: None }],
        State::Failed { reason }
        | State::Cancelled { reason }
        | State::Quarantined { reason }
        | State::Stopped { reason } => {
            let ended = |dependency: &&DependencyFacts| dependency.state.is_final() && dependency.reason.is_some();
            let with = facts.dependency.as_ref().filter(ended).cloned();
            vec![Cause::Ended { state: facts.state.name(), reason: Some(reason.clone()), with }]
        }
        State::Running { .. } => facts.run.clone().map_or_else(
            || vec![Cause::Unhindered],
            |run| vec![Cause::Running { so_far: since(run.since, facts.now), run }],
        ),
        // What follows would hold once it is ready: a worker that fits is missing as long as it waits, too.
        State::Blocked => {
            facts.dependency.clone().map(Cause::Blocked).into_iter().chain(missing_worker(facts)).collect()
        }
        State::Ready { not_before } => ready(facts, *not_before),
    }
}

fn ready(facts: &Facts, not_before: Option<Timestamp>) -> Vec<Cause> {
    let mut causes = Vec::new();
    if let Some(until) = not_before.filter(|until| *until > facts.now) {
        causes.push(Cause::BackingOff { left: since(facts.now, until) });
    }
    let missing = missing_worker(facts);
    let has_worker = missing.is_none();
    causes.extend(missing);
    if let Some(limit) = facts.max_running.filter(|limit| facts.running_of_sweep >= u64::from(*limit)) {
        causes.push(Cause::SweepLimit { running: facts.running_of_sweep, limit });
    }
    if has_worker {
        let fitting = fitting(facts).filter(|worker| can_claim(worker));
        let (busy, idle): (Vec<_>, Vec<_>) = fitting.partition(|worker| worker.jobs > 0);
        if idle.is_empty() {
            causes.push(Cause::FittingWorkersBusy(busy.len()));
        }
    }
    if !facts.lanes_before.is_empty() {
        causes.push(Cause::OthersFirst {
            lanes: facts.lanes_before.iter().take(NAMED_LANES).cloned().collect(),
            in_all: facts.lanes_before.len(),
            own: facts.lane.clone(),
        });
    }
    if facts.before_in_lane > 0 {
        causes.push(Cause::OwnLane(facts.before_in_lane));
    }
    if causes.is_empty() {
        causes.push(Cause::Unhindered);
    }
    causes
}

/// Why no worker could take the job, however many are idle; nothing when one could.
fn missing_worker(facts: &Facts) -> Option<Cause> {
    if facts.workers.is_empty() {
        return Some(Cause::NoWorkers);
    }
    let names = |workers: &[&WorkerFacts]| workers.iter().map(|worker| worker.name.clone()).collect();
    let fitting: Vec<&WorkerFacts> = fitting(facts).collect();
    if fitting.is_empty() {
        let lacking = |worker: &WorkerFacts| (worker.name.clone(), facts.requirement.lacking(&worker.offer));
        let workers = facts.workers.iter().take(NAMED_WORKERS).map(lacking).collect();
        return Some(Cause::NoFittingWorker { workers, in_all: facts.workers.len() });
    }
    if fitting.iter().all(|worker| worker.is_draining) {
        return Some(Cause::FittingWorkersDrain(names(&fitting)));
    }
    let undrained: Vec<&WorkerFacts> = fitting.into_iter().filter(|worker| !worker.is_draining).collect();
    if undrained.iter().all(|worker| !worker.heartbeat.is_leased()) {
        return Some(Cause::FittingWorkersLapsed(names(&undrained)));
    }
    None
}

fn fitting(facts: &Facts) -> impl Iterator<Item = &WorkerFacts> {
    facts.workers.iter().filter(|worker| facts.requirement.is_met_by(&worker.offer))
}

fn can_claim(worker: &WorkerFacts) -> bool {
    !worker.is_draining && worker.heartbeat.is_leased()
}

/// The time from one to another; nothing when they lie the other way round.
fn since(from: Timestamp, to: Timestamp) -> Duration {
    let micros = to.as_micros().saturating_sub(from.as_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

impl LaneFacts {
    fn jobs(&self) -> String {
        format!("{} jobs", self.kind)
    }
}

impl fmt::Display for LaneFacts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sweep: _, kind: _, priority, aged, running, weight } = self;
        write!(formatter, "priority {priority}")?;
        if *aged > 0 {
            write!(formatter, " + {aged} for waiting")?;
        }
        write!(formatter, ", weight {weight}, {running} running")
    }
}

impl Cause {
    /// The name for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ended { .. } => "ended",
            Self::Running { .. } => "running",
            Self::Blocked(_) => "blocked",
            Self::BackingOff { .. } => "backing-off",
            Self::NoWorkers => "no-workers",
            Self::NoFittingWorker { .. } => "no-fitting-worker",
            Self::FittingWorkersDrain(_) => "fitting-workers-drain",
            Self::FittingWorkersLapsed(_) => "fitting-workers-lapsed",
            Self::SweepLimit { .. } => "sweep-limit",
            Self::FittingWorkersBusy(_) => "fitting-workers-busy",
            Self::OthersFirst { .. } => "others-first",
            Self::OwnLane(_) => "own-lane",
            Self::Unhindered => "unhindered",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended { state, reason, with } => {
                write!(formatter, "it has ended: {state}")?;
                if let Some(reason) = reason {
                    write!(formatter, ", {reason}")?;
                }
                match with {
                    Some(parent) => write!(formatter, " (it waited for {})", Named(parent)),
                    None => Ok(()),
                }
            }
            Self::Running { run, so_far } => write_run(formatter, run, *so_far),
            Self::Blocked(parent) => write!(formatter, "it waits for {}", Named(parent)),
            Self::BackingOff { left } => {
                write!(formatter, "it failed before and backs off for another {} s", left.as_secs() + 1)
            }
            Self::NoWorkers => write!(formatter, "no worker is there: start one with `spillway-worker`"),
            Self::NoFittingWorker { workers, in_all } => write_lacking(formatter, workers, *in_all),
            Self::FittingWorkersDrain(names) => {
                write!(formatter, "every worker that fits drains: {}", listed(names, NAMED_WORKERS))
            }
            Self::FittingWorkersLapsed(names) => {
                write!(formatter, "no worker that fits has been heard of in time: {}", listed(names, NAMED_WORKERS))
            }
            Self::SweepLimit { running, limit } => {
                write!(formatter, "its sweep runs {running} jobs, and its execution.max_running is {limit}")
            }
            Self::FittingWorkersBusy(1) => write!(formatter, "the only worker that fits is busy"),
            Self::FittingWorkersBusy(workers) => write!(formatter, "all {workers} workers that fit are busy"),
            Self::OthersFirst { lanes, in_all, own } => {
                let named: Vec<String> =
                    lanes.iter().map(|lane| format!("{} of `{}` ({lane})", lane.jobs(), lane.sweep)).collect();
                write!(formatter, "others go first: {}", named.join(", "))?;
                match in_all - lanes.len() {
                    0 => {}
                    more => write!(formatter, " and {more} more")?,
                }
                own.as_ref().map_or(Ok(()), |own| write!(formatter, "; {} of its own sweep have {own}", own.jobs()))
            }
            Self::OwnLane(1) => write!(formatter, "1 job of its sweep and kind was ready before it"),
            Self::OwnLane(jobs) => write!(formatter, "{jobs} jobs of its sweep and kind were ready before it"),
            Self::Unhindered => write!(formatter, "nothing keeps it: a worker is about to claim it"),
        }
    }
}

/// A job that another one waits for, in words.
struct Named<'a>(&'a DependencyFacts);

impl fmt::Display for Named<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DependencyFacts { job, kind, state, reason, progress, others } = self.0;
        write!(formatter, "job {job} ({kind}), which is {state}")?;
        let more = if *others > 0 { format!(", and for {others} more") } else { String::new() };
        match (progress, reason) {
            (Some((done, total)), _) => write!(formatter, " at {done}/{total}{more}"),
            (None, Some(reason)) => write!(formatter, ": {reason}{more}"),
            (None, None) => formatter.write_str(&more),
        }
    }
}

fn write_run(formatter: &mut fmt::Formatter<'_>, run: &RunFacts, so_far: Duration) -> fmt::Result {
    write!(formatter, "it has been running on {} for {} s", run.worker, so_far.as_secs())?;
    if let Some((done, total)) = run.progress {
        write!(formatter, ", {done} of {total} done")?;
    }
    match run.heartbeat {
        Some(Heartbeat::Late) => write!(formatter, "; its worker's heartbeat is late"),
        Some(Heartbeat::Lapsed | Heartbeat::Overdue) => {
            write!(formatter, "; its worker's lease has run out: the job is taken back unless a heartbeat comes")
        }
        Some(Heartbeat::OnTime) | None => Ok(()),
    }
}

fn write_lacking(formatter: &mut fmt::Formatter<'_>, workers: &[(String, Vec<Lacking>)], in_all: usize) -> fmt::Result {
    let lacks = |(name, lacking): &(String, Vec<Lacking>)| {
        let lacking: Vec<String> = lacking.iter().map(ToString::to_string).collect();
        format!("{name} lacks {}", lacking.join(" and "))
    };
    let named: Vec<String> = workers.iter().map(lacks).collect();
    write!(formatter, "no worker offers what it asks for: {}", named.join("; "))?;
    match in_all - workers.len() {
        0 => Ok(()),
        more => write!(formatter, "; and {more} more"),
    }
}

fn listed(names: &[String], most: usize) -> String {
    let shown = names.iter().take(most).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
