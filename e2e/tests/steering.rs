//! Steering a running cluster: logs, cancelling, draining.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use std::path::Path;

use e2e::{Cluster, ClusterOptions, eventually, tiny_sweep};
use proto::v1::{CancelRequest, DrainRequest, JobLogRequest, ListWorkersRequest, WorkerRow, drain_request::Target};

/// Enough steps that training outlasts what is done to it.
const LONG: u32 = 500;
/// More than any test waits for.
const ENDLESS: u32 = 1_000_000;

/// The lines of a job's log, to its end when it is followed.
async fn log(cluster: &Cluster, request: JobLogRequest) -> Vec<(i32, String)> {
    let mut stream = cluster.results().unwrap().job_log(request).await.unwrap().into_inner();
    let mut lines = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        lines.extend(message.lines.into_iter().map(|line| (line.epoch, line.text)));
    }
    lines
}

async fn workers(cluster: &Cluster) -> anyhow::Result<Vec<WorkerRow>> {
    Ok(cluster.fleet()?.list_workers(ListWorkersRequest::default()).await?.into_inner().workers)
}

/// The process that runs the job, as its log says.
async fn child_of(cluster: &Cluster, job_id: i64) -> u32 {
    const STARTED: &str = "worker: child started, process ";
    eventually("the log tells of the child", || async {
        let request = JobLogRequest { job_id, ..JobLogRequest::default() };
        let lines = log(cluster, request).await;
        Ok(lines.iter().find_map(|(_, text)| text.strip_prefix(STARTED)?.parse().ok()))
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_cancelled_sweep_ends_the_process_that_trains_and_the_worker_goes_on() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&tiny_sweep("cancelled", &[1], ENDLESS)).await.unwrap();
    let train = cluster.await_mid_training("cancelled").await.unwrap();
    let child = child_of(&cluster, train.job_id).await;
    let process = format!("/proc/{child}");
    assert!(Path::new(&process).exists());
    let follow = JobLogRequest { job_id: train.job_id, follow: true, ..JobLogRequest::default() };

    let cancel = CancelRequest { sweep: "cancelled".to_owned(), reason: "seen enough".to_owned(), job_id: 0 };
    cluster.sweeps().unwrap().cancel(cancel).await.unwrap();

    eventually("the child's end", || async { Ok((!Path::new(&process).exists()).then_some(())) }).await.unwrap();
    assert!(!log(&cluster, follow).await.is_empty(), "a followed log of an ended job ends");
    cluster.submit(&tiny_sweep("next", &[1], 10)).await.unwrap();
    cluster.await_success("next").await.unwrap();
    let states: Vec<String> = cluster.jobs("cancelled").await.unwrap().into_iter().map(|job| job.state).collect();
    assert_eq!(states, ["cancelled", "cancelled"]);
    let history = "select state from job_event where sweep = 'cancelled' and kind = 'train' order by event_id";
    assert_eq!(cluster.sql(history).unwrap().split_whitespace().collect::<Vec<_>>(), ["running", "cancelled"]);
}

#[tokio::test]
async fn a_drained_worker_hands_its_training_over_and_ends() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let first = cluster.add_worker().unwrap();
    cluster.submit(&tiny_sweep("handed-over", &[1], LONG)).await.unwrap();
    let train = cluster.await_mid_training("handed-over").await.unwrap();
    let shown = workers(&cluster).await.unwrap();
    assert_eq!((shown.len(), shown[0].jobs[0].job_id), (1, train.job_id));
    assert_eq!((shown[0].name.as_str(), shown[0].heartbeat.as_str()), ("worker-0", "on-time"));

    let target = Target::Worker("worker-0".to_owned());
    let drain = DrainRequest { target: Some(target) };
    let told = cluster.fleet().unwrap().drain(drain).await.unwrap().into_inner().workers;
    assert_eq!(told[0].job_ids, [train.job_id]);
    let mut status = None;
    while status.is_none() {
        status = cluster.worker(first).try_wait().unwrap();
        tokio::task::yield_now().await;
    }

    assert!(status.unwrap().success(), "{}", cluster.worker(first).output());
    assert!(workers(&cluster).await.unwrap().is_empty());
    cluster.add_worker().unwrap();
    cluster.await_success("handed-over").await.unwrap();
    let train = cluster.jobs("handed-over").await.unwrap().into_iter().find(|job| job.kind == "train").unwrap();
    assert_eq!((train.attempts, train.failures, train.crashes), (2, 0, 0));
    let of = |epoch| JobLogRequest { job_id: train.job_id, epoch: Some(epoch), ..JobLogRequest::default() };
    let (before, after) = (log(&cluster, of(0)).await, log(&cluster, of(1)).await);
    let says = |lines: &[(i32, String)], words: &str| lines.iter().any(|(_, text)| text.contains(words));
    assert!(says(&before, "the worker drains") && says(&before, "stopped as it was told"), "{before:?}");
    assert!(says(&after, &format!("child ended: trained {LONG} steps")), "{after:?}");
}
