//! Faults: whatever dies, nothing is lost, nothing counts twice, and the results are the undisturbed ones, bit for bit.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use e2e::{Cluster, ClusterOptions, Ending, Persistence, eventually, tiny_sweep};
use proto::v1::{
    Attempt, ClaimRequest, CompleteRequest, FailRequest, FailureKind, Offer, OpenSessionRequest, TrainResult,
};
use rustix::process::Signal;
use tonic::Code;

/// Enough steps that training outlasts its first checkpoint by far.
const LONG: u32 = 500;
/// Enough steps that training outlasts its test.
const ENDLESS: u32 = 100_000;

/// Runs the same experiment undisturbed under another name and asserts that every bit is the same.
async fn assert_equals_undisturbed(cluster: &Cluster, disturbed: &str, steps: u32) {
    let undisturbed = format!("{disturbed}-undisturbed");
    cluster.submit(&tiny_sweep(&undisturbed, &[1], steps)).await.unwrap();
    cluster.await_success(&undisturbed).await.unwrap();
    assert_eq!(cluster.numbers(disturbed).await.unwrap(), cluster.numbers(&undisturbed).await.unwrap());
    assert_eq!(cluster.artifacts(disturbed).unwrap(), cluster.artifacts(&undisturbed).unwrap());
}

#[tokio::test]
async fn a_killed_worker_changes_no_bit_of_the_result() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let first = cluster.add_worker().unwrap();
    cluster.submit(&tiny_sweep("killed-worker", &[1], LONG)).await.unwrap();
    cluster.await_mid_training("killed-worker").await.unwrap();

    cluster.worker(first).kill().unwrap();
    cluster.add_worker().unwrap();
    cluster.await_success("killed-worker").await.unwrap();

    let train = cluster.jobs("killed-worker").await.unwrap().into_iter().find(|job| job.kind == "train").unwrap();
    assert_eq!((train.attempts, train.crashes, train.failures), (2, 1, 0));
    let resumed = "select count(*) from curve_point where epoch = 1 and step <= \
                   (select min(step) from checkpoint where epoch = 0)";
    assert_eq!(cluster.sql(resumed).unwrap().trim(), "0", "the second attempt began before the first one's checkpoint");
    assert_equals_undisturbed(&cluster, "killed-worker", LONG).await;
}

#[tokio::test]
async fn a_killed_coordinator_costs_no_attempt() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&tiny_sweep("killed-coordinator", &[1], LONG)).await.unwrap();
    cluster.await_mid_training("killed-coordinator").await.unwrap();

    cluster.kill_coordinator(0).unwrap();
    cluster.restart_coordinator(0).await.unwrap();
    cluster.await_success("killed-coordinator").await.unwrap();

    let attempts: Vec<u32> = cluster.jobs("killed-coordinator").await.unwrap().iter().map(|job| job.attempts).collect();
    assert_eq!(attempts, [1, 1]);
    assert_equals_undisturbed(&cluster, "killed-coordinator", LONG).await;
}

#[tokio::test]
async fn a_terminated_worker_checkpoints_and_gives_its_job_back() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let first = cluster.add_worker().unwrap();
    cluster.submit(&tiny_sweep("drained", &[1], LONG)).await.unwrap();
    cluster.await_mid_training("drained").await.unwrap();

    cluster.worker(first).signal(Signal::TERM).unwrap();
    let mut status = None;
    while status.is_none() {
        status = cluster.worker(first).try_wait().unwrap();
        tokio::task::yield_now().await;
    }

    assert!(status.unwrap().success(), "{}", cluster.worker(first).output());
    let train = cluster.jobs("drained").await.unwrap().into_iter().find(|job| job.kind == "train").unwrap();
    assert_eq!((train.state.as_str(), train.crashes, train.failures), ("ready", 0, 0));
    let outcome = cluster.sql("select kind from attempt_outcome").unwrap();
    assert_eq!(outcome.trim(), "released");
    cluster.add_worker().unwrap();
    cluster.await_success("drained").await.unwrap();
    assert_equals_undisturbed(&cluster, "drained", LONG).await;
}

/// Waits until two more checkpoints of the only training are accepted, and asserts that it is the same attempt as before.
async fn assert_trains_on(cluster: &Cluster) {
    let before = cluster.sql("select count(*) from checkpoint").unwrap();
    eventually("training goes on and is heard", || async {
        let more = format!("select count(*) > {} + 1 from checkpoint", before.trim());
        Ok((cluster.sql(&more)?.trim() == "t").then_some(()))
    })
    .await
    .unwrap_or_else(|error| panic!("{error:#}\n{}", cluster.logs()));
    let state = "select state, epoch, crashes, infrastructure_failures from job where kind = 'train'";
    assert_eq!(cluster.sql(state).unwrap().trim(), "running|0|0|0");
}

#[tokio::test]
async fn a_stopped_coordinator_is_left_for_one_that_answers() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_coordinator().await.unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&tiny_sweep("stopped-coordinator", &[1], ENDLESS)).await.unwrap();
    cluster.await_mid_training("stopped-coordinator").await.unwrap();

    // It keeps its connections and answers nothing: nobody is told that it is gone.
    cluster.coordinator(0).signal(Signal::STOP).unwrap();

    assert_trains_on(&cluster).await;
}

#[tokio::test]
async fn a_worker_whose_coordinators_are_gone_trains_on_and_attaches_again() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_coordinator().await.unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&tiny_sweep("left-alone", &[1], ENDLESS)).await.unwrap();
    cluster.await_mid_training("left-alone").await.unwrap();

    cluster.kill_coordinator(0).unwrap();
    cluster.kill_coordinator(1).unwrap();
    // Longer than its lease: only the reaper's patience after a start lets it keep its job.
    eventually("the lease has run out", || async {
        let out = "select bool_and(lease_until < clock_timestamp()) from session";
        Ok((cluster.sql(out)?.trim() == "t").then_some(()))
    })
    .await
    .unwrap();
    cluster.restart_coordinator(1).await.unwrap();

    assert_trains_on(&cluster).await;
}

#[tokio::test]
async fn a_postgres_that_is_killed_and_restarted_costs_no_attempt() {
    let options = ClusterOptions { persistence: Persistence::Restartable, ..ClusterOptions::default() };
    let mut cluster = Cluster::start(options).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&tiny_sweep("database", &[1], ENDLESS)).await.unwrap();
    cluster.await_mid_training("database").await.unwrap();

    for ending in [Ending::Fast, Ending::Immediate, Ending::Killed] {
        cluster.end_database(ending).unwrap();
        cluster.restart_database().unwrap();

        assert_trains_on(&cluster).await;
    }
}

#[tokio::test]
async fn a_report_with_a_stale_epoch_is_refused_and_changes_nothing() {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.submit(&tiny_sweep("stale", &[1], 10)).await.unwrap();
    let mut zombie = cluster.worker_service().unwrap();
    let offer = Offer { device: "cpu".to_owned(), ..Offer::default() };
    let session_id = uuid::Uuid::new_v4().to_string();
    let open = OpenSessionRequest {
        session_id: session_id.clone(),
        worker_name: "zombie".to_owned(),
        offer: Some(offer.clone()),
        worker_version: "test".to_owned(),
    };
    zombie.open_session(open).await.unwrap();
    let claim = ClaimRequest { session_id, offer: Some(offer), wait_millis: 5000, max_jobs: 1 };
    let attempt = zombie.claim(claim).await.unwrap().into_inner().assignments[0].attempt.unwrap();

    // No heartbeat comes, so the lease runs out and the job is taken back.
    eventually("the zombie's job is taken back", || async {
        let job = cluster.jobs("stale").await?.into_iter().find(|job| job.job_id == attempt.job_id);
        Ok(job.filter(|job| job.state == "ready" && job.epoch > attempt.epoch))
    })
    .await
    .unwrap();
    let complete = CompleteRequest { attempt: Some(attempt), result: Some(train_result()) };
    let completion = zombie.complete(complete).await.unwrap_err();
    let failure = zombie.fail(fail_request(attempt)).await.unwrap_err();

    assert_eq!((completion.code(), failure.code()), (Code::FailedPrecondition, Code::FailedPrecondition));
    assert!(completion.message().contains("stale epoch"), "{completion}");
    let job = cluster.jobs("stale").await.unwrap().into_iter().find(|job| job.job_id == attempt.job_id).unwrap();
    assert_eq!((job.state.as_str(), job.crashes, job.failures), ("ready", 1, 0));
    assert_eq!(cluster.sql("select count(*) from result").unwrap().trim(), "0");
}

fn train_result() -> proto::v1::complete_request::Result {
    proto::v1::complete_request::Result::Train(TrainResult {
        checkpoint: Some(proto::v1::CheckpointRef { digest: vec![7; 32], step: 10 }),
        provenance: Some(proto::v1::Provenance {
            worker_version: "test".to_owned(),
            device: "cpu".to_owned(),
            threads: 1,
            precision: "float32".to_owned(),
            noise_draws: 1,
        }),
        statistics: Vec::new(),
    })
}

fn fail_request(attempt: Attempt) -> FailRequest {
    FailRequest { attempt: Some(attempt), kind: FailureKind::Own.into(), message: "from the grave".to_owned() }
}
