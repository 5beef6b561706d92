//! How long a job waits on an idle cluster: from the answer to `submit` until a worker that waits holds its assignment, and
//! from a claim until its child process runs. Prints medians and 99th percentiles.

#![expect(clippy::print_stdout, reason = "a benchmark speaks on its standard output")]

use std::time::{Duration, Instant};

use anyhow::Context;
use e2e::{Cluster, ClusterOptions, tiny_sweep};
use proto::v1::{CancelRequest, ClaimRequest, Offer, OpenSessionRequest};

/// Sweeps of one job each that are submitted to a waiting claim.
const SUBMITS: u32 = 200;
/// Experiments of two jobs each that a real worker runs.
const EXPERIMENTS: u64 = 50;
/// Time for a claim to arrive and wait before the job comes.
const SETTLE: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = ClusterOptions {
        lease_ttl: Duration::from_secs(300),
        beat: Duration::from_secs(5),
        ..ClusterOptions::default()
    };
    let mut cluster = Cluster::start(options).await?;
    print("submit answered to assignment received", &mut submit_to_claim(&cluster).await?);
    print("job claimed to child started", &mut claim_to_child(&mut cluster).await?);
    Ok(())
}

async fn submit_to_claim(cluster: &Cluster) -> anyhow::Result<Vec<Duration>> {
    let mut worker = cluster.worker_service()?;
    let offer = Some(Offer { device: "cpu".to_owned(), ..Offer::default() });
    let session_id = uuid::Uuid::new_v4().to_string();
    let open = OpenSessionRequest {
        session_id: session_id.clone(),
        worker_name: "stopwatch".to_owned(),
        offer: offer.clone(),
        worker_version: "benchmark".to_owned(),
    };
    worker.open_session(open).await?;
    let mut waits = Vec::new();
    for round in 0..SUBMITS {
        let claim =
            ClaimRequest { session_id: session_id.clone(), offer: offer.clone(), wait_millis: 30_000, max_jobs: 1 };
        let mut claimer = worker.clone();
        let waiting = tokio::spawn(async move { claimer.claim(claim).await.map(|answer| (answer, Instant::now())) });
        tokio::time::sleep(SETTLE).await;
        let name = format!("latency-{round}");
        cluster.submit(&tiny_sweep(&name, &[1], 1)).await?;
        let submitted = Instant::now();
        let (answer, received) = waiting.await??;
        answer.into_inner().assignments.first().context("the claim came back empty")?;
        waits.push(received.saturating_duration_since(submitted));
        cluster.sweeps()?.cancel(CancelRequest { sweep: name, reason: "measured".to_owned(), job_id: 0 }).await?;
    }
    Ok(waits)
}

async fn claim_to_child(cluster: &mut Cluster) -> anyhow::Result<Vec<Duration>> {
    let worker = cluster.add_worker()?;
    let seeds: Vec<u64> = (0..EXPERIMENTS).collect();
    cluster.submit(&tiny_sweep("children", &seeds, 1)).await?;
    cluster.await_success("children").await?;
    let log = cluster.worker(worker).output();
    let times = |event: &str| -> anyhow::Result<Vec<f64>> {
        log.lines().filter(|line| line.contains(event)).map(second_of_day).collect()
    };
    let (claims, starts) = (times("job claimed")?, times("child started")?);
    anyhow::ensure!(
        claims.len() == starts.len() && !claims.is_empty(),
        "the worker's log is not one start for each claim"
    );
    Ok(claims.iter().zip(starts).map(|(claim, start)| Duration::from_secs_f64((start - claim).max(0.0))).collect())
}

/// The time of a log line, `…T04:02:50.386987Z …`, in seconds of its day.
fn second_of_day(line: &str) -> anyhow::Result<f64> {
    let time = line.split_once('T').and_then(|(_, rest)| rest.split_once('Z')).context("a log line has no time")?.0;
    let mut seconds = 0.0;
    for part in time.split(':') {
        seconds = seconds * 60.0 + part.parse::<f64>()?;
    }
    Ok(seconds)
}

fn print(what: &str, waits: &mut [Duration]) {
    waits.sort_unstable();
    let at = |share: usize| waits[(waits.len() - 1) * share / 100].as_secs_f64() * 1e3;
    println!("{what}: median {:.1} ms, p99 {:.1} ms, worst {:.1} ms of {}", at(50), at(99), at(100), waits.len());
}
