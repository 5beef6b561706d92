//! Which job runs where and when: trainings that make room, evaluations that find their checkpoint on the worker's disk.

use std::time::Duration;

use e2e::{Cluster, ClusterOptions, tiny_sweep};

/// Enough steps that the training still runs when a job has waited long enough.
const LONG: u32 = 300;

#[tokio::test]
async fn a_preempted_training_changes_no_bit_of_the_result() {
    let options = ClusterOptions { preempt_after: Duration::from_secs(1), ..ClusterOptions::default() };
    let mut cluster = Cluster::start(options).await.unwrap();
    cluster.add_worker().unwrap();
    let low = |name: &str| {
        let mut sweep = tiny_sweep(name, &[1], LONG);
        sweep.execution.priority = 10;
        sweep
    };
    cluster.submit(&low("low")).await.unwrap();
    cluster.await_mid_training("low").await.unwrap();

    let mut urgent = tiny_sweep("urgent", &[1], 10);
    urgent.execution.priority = 90;
    cluster.submit(&urgent).await.unwrap();
    // It is as if it had waited: on a fast machine the training might end meanwhile.
    let waited = "update job set ready_at = ready_at - interval '1 minute' \
                  where state = 'ready' and sweep_id = (select id from sweep where name = 'urgent')";
    cluster.sql(waited).unwrap();
    cluster.await_success("urgent").await.unwrap();
    let state = "select state from job join sweep on sweep.id = sweep_id where name = 'low' and kind = 'train'";
    assert_ne!(cluster.sql(state).unwrap().trim(), "succeeded", "{}", cluster.logs());
    cluster.await_success("low").await.unwrap();

    let train = cluster.jobs("low").await.unwrap().into_iter().find(|job| job.kind == "train").unwrap();
    assert_eq!((train.attempts, train.crashes, train.failures, train.infrastructure_failures), (2, 0, 0, 0));
    let released = "select count(*) from attempt_outcome where kind = 'released' and detail like 'preempted: %urgent%'";
    assert_eq!(cluster.sql(released).unwrap().trim(), "1");
    let history = "select kind from event join sweep on sweep.id = sweep_id where name = 'low' and job_id = \
                   (select min(job_id) from preemption) order by event.id";
    let history: Vec<String> = cluster.sql(history).unwrap().split_whitespace().map(str::to_owned).collect();
    assert_eq!(history, ["running", "preempted", "ready", "running", "succeeded"]);
    cluster.submit(&low("undisturbed")).await.unwrap();
    cluster.await_success("undisturbed").await.unwrap();
    assert_eq!(cluster.numbers("low").await.unwrap(), cluster.numbers("undisturbed").await.unwrap());
    assert_eq!(cluster.artifacts("low").unwrap(), cluster.artifacts("undisturbed").unwrap());
}

#[tokio::test]
async fn evaluations_on_the_worker_that_trained_download_nothing() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let only = cluster.add_worker().unwrap();
    let mut sweep = tiny_sweep("local", &[1, 2, 3], 10);
    sweep.base.evaluation = serde_json::from_value(serde_json::json!({
        "out": ["synthetic-strokes", "uniform-noise"],
        "images": 64,
    }))
    .unwrap();

    cluster.submit(&sweep).await.unwrap();
    cluster.await_success("local").await.unwrap();

    let said = cluster.worker(only).output();
    let (hits, downloads) = (
        said.matches("checkpoint found on this machine's disk").count(),
        said.matches("checkpoint downloaded").count(),
    );
    assert_eq!((hits, downloads), (6, 0), "{said}");
}
