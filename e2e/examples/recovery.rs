//! How long it takes until work goes on after a part of the cluster has died: medians of several rounds, each on real
//! processes. `--rounds N` sets how many; the slow rows, whose leases last half a minute, take a third of them.

#![expect(clippy::print_stdout, reason = "a benchmark speaks on its standard output")]

use std::time::{Duration, Instant};

use anyhow::Context;
use e2e::{Cluster, ClusterOptions, Ending, Persistence, tiny_sweep};
use proto::v1::{CancelRequest, SubmitRequest};
use rustix::process::Signal;

/// Rounds when nothing is said.
const ROUNDS: usize = 9;
/// Steps of a training that outlasts every measurement.
const ENDLESS: u32 = 1_000_000;
/// Longest wait for what is measured.
const LIMIT: Duration = Duration::from_secs(120);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(5);
/// How long a cluster is left without coordinators: longer than a beat.
const ABSENCE: Duration = Duration::from_secs(3);

/// The terms that come with the programs.
const DEFAULT_TERMS: [u64; 3] = [30_000, 5_000, 5_000];
/// The terms that docs/recovery.md gives for fast recovery.
const TUNED_TERMS: [u64; 3] = [3_000, 1_000, 1_000];

/// What goes on afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// A training runs, and stores a checkpoint each second.
    Report,
    /// An idle worker waits for a job.
    Claim,
}

/// What happens to a coordinator.
#[derive(Debug, Clone, Copy)]
enum Blow {
    None,
    Kill,
    Stop,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let rounds = match std::env::args().skip_while(|argument| argument != "--rounds").nth(1) {
        Some(given) => {
            given.parse().ok().filter(|&rounds| rounds > 0).context("--rounds: a number above 0 expected")?
        }
        None => ROUNDS,
    };
    println!("{:<70} {:>9} {:>9} {:>9} {:>6}", "from … to …", "median", "best", "worst", "rounds");
    let slow = rounds.div_ceil(3);
    print("worker killed → its job runs elsewhere, default terms", worker_killed(DEFAULT_TERMS, slow).await?);
    print("worker killed → its job runs elsewhere, tuned terms", worker_killed(TUNED_TERMS, rounds).await?);
    for (blow, what) in [
        (Blow::None, "nothing happens → next checkpoint accepted (for comparison)"),
        (Blow::Kill, "coordinator killed → next checkpoint accepted by the second one"),
        (Blow::Stop, "coordinator stands still → next checkpoint accepted by the second one"),
    ] {
        print(what, coordinator_lost(blow, rounds, Work::Report).await?);
    }
    for (blow, what) in [
        (Blow::None, "nothing happens → next job claimed (for comparison)"),
        (Blow::Kill, "coordinator killed → next job claimed from the second one"),
        (Blow::Stop, "coordinator stands still → next job claimed from the second one"),
    ] {
        print(what, coordinator_lost(blow, rounds, Work::Claim).await?);
    }
    for (ending, what) in [
        (Ending::Fast, "Postgres restarted"),
        (Ending::Immediate, "Postgres shut down immediately and started"),
        (Ending::Killed, "Postgres killed and started"),
    ] {
        let [server, claim] = database_lost(ending, rounds).await?;
        print(&format!("{what} → it accepts connections"), server);
        print(&format!("{what} → next job claimed"), claim);
    }
    print("all coordinators gone and started again → next checkpoint accepted", all_coordinators_lost(rounds).await?);
    Ok(())
}

fn options([ttl, beat, grace]: [u64; 3]) -> ClusterOptions {
    let [lease_ttl, beat, grace] = [ttl, beat, grace].map(Duration::from_millis);
    ClusterOptions { lease_ttl, beat, grace, ..ClusterOptions::default() }
}

async fn worker_killed(terms: [u64; 3], rounds: usize) -> anyhow::Result<Vec<Duration>> {
    let mut cluster = Cluster::start(options(terms)).await?;
    cluster.add_worker()?;
    cluster.add_worker()?;
    let mut times = Vec::new();
    for round in 0..rounds {
        let sweep = format!("killed-{round}");
        cluster.submit(&tiny_sweep(&sweep, &[1], ENDLESS)).await?;
        cluster.await_mid_training(&sweep).await?;
        let holder = format!(
            "select session.id, worker_name from session join job on session_id = session.id \
             join sweep on sweep.id = sweep_id where sweep.name = '{sweep}'"
        );
        let holder = cluster.sql(&holder)?;
        let (session, name) = holder.trim().split_once('|').context("nobody runs the job")?;
        let index: usize = name.trim_start_matches("worker-").parse()?;

        let killed = Instant::now();
        cluster.worker(index).kill()?;
        let elsewhere = format!(
            "select count(*) > 0 from job join sweep on sweep.id = sweep_id \
             where sweep.name = '{sweep}' and job.state = 'running' and session_id <> '{session}'"
        );
        times.push(until(&cluster, &elsewhere, killed).await?);
        cancel(&cluster, &sweep).await?;
        let command = cluster.worker_command(index)?;
        cluster.revive_worker(index, command)?;
    }
    Ok(times)
}

/// Strikes the coordinator that serves the worker, and measures until work goes on.
async fn coordinator_lost(blow: Blow, rounds: usize, work: Work) -> anyhow::Result<Vec<Duration>> {
    let mut cluster = Cluster::start(options(DEFAULT_TERMS)).await?;
    cluster.add_coordinator().await?;
    cluster.add_worker()?;
    prepare(&cluster).await?;
    if work == Work::Report {
        cluster.submit(&tiny_sweep("reports", &[1], ENDLESS)).await?;
        cluster.await_mid_training("reports").await?;
    }
    let mut times = Vec::new();
    for round in 0..rounds {
        // The worker has moved on with every blow.
        let (struck, other) = if matches!(blow, Blow::None) { (0, 0) } else { (round % 2, (round + 1) % 2) };
        let begun = Instant::now();
        match blow {
            Blow::None => {}
            Blow::Kill => cluster.kill_coordinator(struck)?,
            Blow::Stop => cluster.coordinator(struck).signal(Signal::STOP)?,
        }
        times.push(match work {
            Work::Report => next_report(&cluster, begun).await?,
            Work::Claim => next_claim(&cluster, other, round, begun).await?,
        });
        match blow {
            Blow::None => {}
            Blow::Kill => cluster.restart_coordinator(struck).await?,
            Blow::Stop => cluster.coordinator(struck).signal(Signal::CONT)?,
        }
        // Both connections of the worker must have moved before the next blow: a beat and a claim.
        tokio::time::sleep(Duration::from_secs(6)).await;
    }
    Ok(times)
}

/// Lets the worker wait for a job.
async fn prepare(cluster: &Cluster) -> anyhow::Result<()> {
    cluster.submit(&tiny_sweep("first", &[1], 1)).await?;
    cluster.await_success("first").await
}

async fn next_report(cluster: &Cluster, begun: Instant) -> anyhow::Result<Duration> {
    let before = cluster.sql("select count(*) from checkpoint")?;
    until(cluster, &format!("select count(*) > {} from checkpoint", before.trim()), begun).await
}

/// A job is submitted to the coordinator that stands, while the worker waits at the other one.
async fn next_claim(cluster: &Cluster, other: usize, round: usize, begun: Instant) -> anyhow::Result<Duration> {
    let sweep = format!("claims-{round}");
    submit_to(cluster, other, &sweep, 1).await?;
    let time = until(cluster, &claimed(&sweep), begun).await?;
    let ended = format!(
        "select bool_and(state = 'succeeded') from job join sweep on sweep.id = sweep_id where sweep.name = '{sweep}'"
    );
    until(cluster, &ended, begun).await?;
    Ok(time)
}

/// Until the server accepts connections again, and until an idle worker has claimed a job submitted meanwhile.
async fn database_lost(ending: Ending, rounds: usize) -> anyhow::Result<[Vec<Duration>; 2]> {
    let options = ClusterOptions { persistence: Persistence::Restartable, ..options(DEFAULT_TERMS) };
    let mut cluster = Cluster::start(options).await?;
    cluster.add_worker()?;
    prepare(&cluster).await?;
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        let begun = Instant::now();
        cluster.end_database(ending)?;
        cluster.restart_database()?;
        times[0].push(begun.elapsed());
        let sweep = format!("restart-{round}");
        submit_to(&cluster, 0, &sweep, 1).await?;
        times[1].push(until(&cluster, &claimed(&sweep), begun).await?);
        cluster.await_success(&sweep).await?;
    }
    Ok(times)
}

async fn all_coordinators_lost(rounds: usize) -> anyhow::Result<Vec<Duration>> {
    let mut cluster = Cluster::start(options(DEFAULT_TERMS)).await?;
    cluster.add_coordinator().await?;
    cluster.add_worker()?;
    cluster.submit(&tiny_sweep("alone", &[1], ENDLESS)).await?;
    cluster.await_mid_training("alone").await?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        cluster.kill_coordinator(0)?;
        cluster.kill_coordinator(1)?;
        tokio::time::sleep(ABSENCE).await;
        let started = Instant::now();
        cluster.revive_coordinator(0)?;
        cluster.revive_coordinator(1)?;
        times.push(next_report(&cluster, started).await?);
    }
    let attempts = cluster.jobs("alone").await?.iter().map(|job| job.attempts).max();
    anyhow::ensure!(attempts == Some(1), "the training began anew: {attempts:?} attempts");
    Ok(times)
}

fn claimed(sweep: &str) -> String {
    format!(
        "select count(*) > 0 from attempt join job on job.id = job_id join sweep on sweep.id = sweep_id \
         where sweep.name = '{sweep}'"
    )
}

/// Submits to one coordinator, again until it answers.
async fn submit_to(cluster: &Cluster, index: usize, sweep: &str, steps: u32) -> anyhow::Result<()> {
    use proto::convert::ToWire;
    let begun = Instant::now();
    let sweep = tiny_sweep(sweep, &[1], steps);
    loop {
        let request = SubmitRequest { sweep: Some(sweep.to_wire()), ..SubmitRequest::default() };
        match cluster.sweeps_at(index)?.submit(request).await {
            Ok(_) => return Ok(()),
            Err(refusal) => anyhow::ensure!(begun.elapsed() < LIMIT, "{} is not taken: {refusal}", sweep.name),
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn cancel(cluster: &Cluster, sweep: &str) -> anyhow::Result<()> {
    let request = CancelRequest { sweep: sweep.to_owned(), ..CancelRequest::default() };
    cluster.sweeps()?.cancel(request).await?;
    Ok(())
}

/// Waits until a statement says `t`; the time since `begun`.
async fn until(cluster: &Cluster, statement: &str, begun: Instant) -> anyhow::Result<Duration> {
    loop {
        if cluster.sql(statement).is_ok_and(|answer| answer.trim() == "t") {
            return Ok(begun.elapsed());
        }
        anyhow::ensure!(begun.elapsed() < LIMIT, "not within {LIMIT:?}: {statement}\n{}", cluster.logs());
        tokio::time::sleep(LOOK).await;
    }
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let seconds = |time: Option<&Duration>| time.map_or(f64::NAN, Duration::as_secs_f64);
    let (median, best, worst) = (times.get(times.len() / 2), times.first(), times.last());
    println!(
        "{what:<70} {:>7.2} s {:>7.2} s {:>7.2} s {:>6}",
        seconds(median),
        seconds(best),
        seconds(worst),
        times.len()
    );
}
