//! One run: the undisturbed results, the same sweeps under faults, and the comparison.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use domain::sweep::SweepSpec;
use proto::{convert::ToWire, v1::SubmitRequest};
use tokio::time::{Instant, sleep, timeout};

use super::{
    check,
    faults::Faults,
    field::{Field, LOOK},
    schedule::{Fault, Members, Schedule},
    tally::Tally,
    workload::{self, Size},
};
use crate::{Cluster, ClusterOptions};

/// Coordinators of every run: one may die and another stands.
const COORDINATORS: usize = 2;
/// How long a coordinator may take to answer a submission under chaos.
const SUBMIT_LIMIT: Duration = Duration::from_secs(5);
/// Time between two looks at how many jobs are open.
const FEED_PAUSE: Duration = Duration::from_secs(1);
/// How long the jobs that are left may take once the faults have ended. A job that crashed often waits up to five minutes.
const FINISH_LIMIT: Duration = Duration::from_secs(30 * 60);

/// What to run.
#[derive(Debug, Clone)]
pub struct ChaosOptions {
    /// Fixes the faults.
    pub seed: u64,
    /// How long there are faults.
    pub length: Duration,
    /// Workers.
    pub workers: usize,
    /// Experiments of a round.
    pub size: Size,
    /// Where the logs of all programs go when something is wrong.
    pub logs: Option<PathBuf>,
}

/// Runs chaos; `say` hears how it goes.
///
/// # Errors
/// When the scene cannot be set, or jobs do not end: a violation that was found is in the tally instead.
pub async fn run(options: &ChaosOptions, say: impl Fn(&str)) -> anyhow::Result<Tally> {
    let expected = undisturbed(options).await?;
    say("the undisturbed results are there; the faults begin");
    let members = Members { workers: options.workers, coordinators: COORDINATORS };
    let mut field = Field::start(members).await?;
    let mut tally = Tally { seed: options.seed, ..Tally::default() };
    let ran = disturb(options, &mut field, &mut tally, &say).await;
    if let Err(error) = &ran {
        tally.violations.push(format!("it did not come to an end: {error:#}"));
    } else {
        judge(&field, &expected, &mut tally)?;
    }
    if !tally.violations.is_empty()
        && let Some(folder) = &options.logs
    {
        keep_logs(field.cluster.folder(), folder)?;
        say(&format!("the logs of all programs are in {}", folder.display()));
    }
    Ok(tally)
}

/// The results of one round without any fault, by the kind of sweep.
async fn undisturbed(options: &ChaosOptions) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut cluster =
        Cluster::start(ClusterOptions { lease_ttl: Duration::from_secs(60), ..ClusterOptions::default() }).await?;
    for _ in 0..options.workers {
        cluster.add_worker()?;
    }
    let sweeps = workload::round("calm", options.size);
    for sweep in &sweeps {
        cluster.submit(sweep).await?;
    }
    let begun = Instant::now();
    while !open_jobs(&cluster)?.is_empty() {
        ensure!(begun.elapsed() < FINISH_LIMIT, "the undisturbed run does not end\n{}", cluster.logs());
        sleep(FEED_PAUSE).await;
    }
    let found = check::violations(&cluster)?;
    ensure!(found.is_empty(), "without any fault: {found:#?}\n{}", cluster.logs());
    sweeps.iter().map(|sweep| Ok((kind_of(&sweep.name), check::results(&cluster, &sweep.name)?))).collect()
}

/// Lets the faults happen while the cluster is fed with rounds, then mends everything and waits for the last job.
async fn disturb(
    options: &ChaosOptions,
    field: &mut Field,
    tally: &mut Tally,
    say: &impl Fn(&str),
) -> anyhow::Result<()> {
    let members = Members { workers: options.workers, coordinators: COORDINATORS };
    let schedule = Schedule::generate(options.seed, options.length, members);
    let mut feed = Feed::new(options);
    let mut faults = Faults::default();
    let begun = Instant::now();
    for Moment { at, number, fault, begins } in timeline(&schedule) {
        while begun.elapsed() < at {
            field.tend()?;
            feed.look(&field.cluster, options).await?;
            sleep(LOOK.min(at.saturating_sub(begun.elapsed()))).await;
        }
        if !begins {
            faults.end(field, number, fault).with_context(|| format!("the end of {fault:?}"))?;
        } else if faults.begin(field, number, fault).with_context(|| format!("{fault:?}"))? {
            *tally.faults.entry(fault.kind.name()).or_default() += 1;
            say(&format!("{:>6.1} s  {} {}", begun.elapsed().as_secs_f64(), fault.kind.name(), fault.index));
        }
    }
    field.mend()?;
    tally.seconds[0] = begun.elapsed().as_secs();
    say("the faults have ended; the jobs that are left are waited for");
    let mended = Instant::now();
    loop {
        field.tend()?;
        feed.submit_rest(&field.cluster).await;
        let open = open_jobs(&field.cluster).unwrap_or_else(|error| error.to_string());
        if feed.waiting.is_empty() && open.is_empty() {
            break;
        }
        ensure!(mended.elapsed() < FINISH_LIMIT, "jobs are open still:\n{open}");
        sleep(FEED_PAUSE).await;
    }
    tally.seconds[1] = mended.elapsed().as_secs();
    tally.rounds = feed.rounds;
    Ok(())
}

/// A fault's beginning or end.
struct Moment {
    at: Duration,
    number: usize,
    fault: Fault,
    begins: bool,
}

fn timeline(schedule: &Schedule) -> Vec<Moment> {
    let both = |(number, &fault): (usize, &Fault)| {
        let Fault { at, lasting, .. } = fault;
        [Moment { at, number, fault, begins: true }, Moment { at: at + lasting, number, fault, begins: false }]
    };
    let mut moments: Vec<Moment> = schedule.faults.iter().enumerate().flat_map(both).collect();
    moments.sort_by_key(|moment| (moment.at, moment.number, !moment.begins));
    moments
}

/// Keeps the cluster busy.
struct Feed {
    size: Size,
    rounds: u64,
    waiting: Vec<SweepSpec>,
    looked: Instant,
}

impl Feed {
    fn new(options: &ChaosOptions) -> Self {
        Self { size: options.size, rounds: 0, waiting: Vec::new(), looked: Instant::now() - FEED_PAUSE }
    }

    /// Submits another round when few jobs are open. A database that is down is asked later.
    async fn look(&mut self, cluster: &Cluster, options: &ChaosOptions) -> anyhow::Result<()> {
        if self.looked.elapsed() < FEED_PAUSE {
            return Ok(());
        }
        self.looked = Instant::now();
        self.submit_rest(cluster).await;
        let few = open_jobs(cluster).is_ok_and(|open| open.lines().count() < 2 * options.workers);
        if few && self.waiting.is_empty() {
            self.rounds += 1;
            self.waiting = workload::round(&format!("round-{}", self.rounds), self.size);
            self.submit_rest(cluster).await;
        }
        Ok(())
    }

    /// Submits what no coordinator has taken yet. One that took it and whose answer was lost takes it again as the same.
    async fn submit_rest(&mut self, cluster: &Cluster) {
        let mut rest = Vec::new();
        for sweep in std::mem::take(&mut self.waiting) {
            if !submitted(cluster, &sweep).await {
                rest.push(sweep);
            }
        }
        self.waiting = rest;
    }
}

async fn submitted(cluster: &Cluster, sweep: &SweepSpec) -> bool {
    for index in 0..COORDINATORS {
        let Ok(mut client) = cluster.sweeps_at(index) else { continue };
        let request = SubmitRequest {
            sweep: Some(sweep.to_wire()),
            idempotency_key: sweep.name.clone(),
            ..SubmitRequest::default()
        };
        if let Ok(Ok(_)) = timeout(SUBMIT_LIMIT, client.submit(request)).await {
            return true;
        }
    }
    false
}

/// One line for each job that has not ended.
fn open_jobs(cluster: &Cluster) -> anyhow::Result<String> {
    cluster.sql(
        "select id, kind, state, epoch, coalesce(not_before::text, '') from job \
         where state in ('blocked', 'ready', 'running') order by id",
    )
}

/// Fills the tally from the tables, the logs and the machine.
fn judge(field: &Field, expected: &BTreeMap<String, Vec<String>>, tally: &mut Tally) -> anyhow::Result<()> {
    let cluster = &field.cluster;
    tally.jobs = cluster.sql("select count(*) from job")?.trim().parse()?;
    tally.attempts = counts(cluster, "select kind, count(*) from attempt_outcome group by 1")?;
    tally.sessions = counts(cluster, "select coalesce(close_reason, 'open'), count(*) from session group by 1")?;
    let resumed = "select count(*) from attempt where exists (select from checkpoint \
                   where checkpoint.job_id = attempt.job_id and checkpoint.epoch < attempt.epoch)";
    tally.resumed = cluster.sql(resumed)?.trim().parse()?;
    for phrase in ["report was stale", "attempt was no longer this worker's"] {
        tally.stale += field.count_in_logs("worker", phrase) as u64;
    }
    tally.violations.extend(check::violations(cluster)?);
    tally.violations.extend(field.deserters.iter().map(|deserter| format!("ended by itself: {deserter}")));
    for sweep in cluster.sql("select name from sweep order by created_at")?.lines() {
        let found = check::results(cluster, sweep)?;
        let undisturbed = expected.get(&kind_of(sweep)).with_context(|| format!("{sweep} is of no known kind"))?;
        tally.equal[1] += 1;
        tally.compared += undisturbed.len() as u64;
        if found == *undisturbed {
            tally.equal[0] += 1;
        } else {
            tally.violations.extend(check::differences(sweep, &found, undisturbed));
        }
    }
    let orphans = field.orphans();
    if !orphans.is_empty() {
        tally.violations.push(format!("children outlived their workers: {orphans:?}"));
    }
    let folders = field.scratch_folders();
    if folders > field.workers.len() {
        tally.violations.push(format!("{folders} folders of {} workers are left", field.workers.len()));
    }
    for program in ["coordinator", "worker"] {
        let panics = field.count_in_logs(program, "panicked at");
        let bugs = field.count_in_logs(program, "through a bug");
        if panics + bugs > 0 {
            tally.violations.push(format!("{program}s panicked {panics} times and met {bugs} bugs: see their logs"));
        }
    }
    Ok(())
}

fn counts(cluster: &Cluster, statement: &str) -> anyhow::Result<BTreeMap<String, u64>> {
    let rows = cluster.sql(statement)?;
    let parse = |row: &str| {
        let (name, count) = row.split_once('|').context("two columns expected")?;
        Ok((name.to_owned(), count.trim().parse()?))
    };
    rows.lines().filter(|row| !row.is_empty()).map(parse).collect()
}

/// The last word of a sweep's name: `long` of `round-3-long`.
fn kind_of(sweep: &str) -> String {
    sweep.rsplit('-').next().unwrap_or_default().to_owned()
}

fn keep_logs(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "log") {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
