//! Workers that are late, repeat themselves, or are gone.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use domain::Digest;
use proto::{
    convert::{ToWire, violations_of},
    v1::{self, directive::Kind},
};
use scene::{Scene, code, soon, sweep_spec, trained};
use tonic::Code;

#[tokio::test]
async fn a_stale_epoch_is_refused_everywhere_and_changes_nothing() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("stale", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let old = worker.attempt().await;
    worker.client.release(v1::ReleaseRequest { attempt: Some(old) }).await.unwrap();
    let current = worker.attempt().await;
    assert_eq!((current.job_id, current.epoch), (old.job_id, 1));
    let weights = coordinator.put(b"weights").await;

    let completion = worker.complete(old, trained(weights, 10)).await.unwrap_err();

    assert!(completion.message().contains("stale epoch 0: the job is at epoch 1"), "{completion}");
    assert_eq!(completion.code(), Code::FailedPrecondition);
    assert_eq!(code(worker.fail(old, "late").await), Code::FailedPrecondition);
    let checkpoint = v1::CheckpointRef { digest: weights.to_wire(), step: 5 };
    assert_eq!(code(worker.report(old, &[1], None).await), Code::FailedPrecondition);
    assert_eq!(code(worker.report(old, &[], Some(checkpoint)).await), Code::FailedPrecondition);
    assert_eq!(worker.heartbeat(&[old, current]).await.unwrap(), [Kind::Abandon(old)]);
    assert_eq!(coordinator.states("stale").await, ["running", "blocked"]);
    let nobody = v1::Attempt { job_id: 999, epoch: 0 };
    assert_eq!(code(worker.complete(nobody, trained(weights, 10)).await), Code::FailedPrecondition);
    assert!(!worker.complete(current, trained(weights, 10)).await.unwrap());
}

#[tokio::test]
async fn the_same_word_twice_is_one_word() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("twice", &[1, 2])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let done = worker.attempt().await;
    let failing = worker.attempt().await;
    let weights = coordinator.put(b"weights").await;
    let others = coordinator.put(b"other weights").await;

    assert!(!worker.complete(done, trained(weights, 10)).await.unwrap());
    assert!(worker.complete(done, trained(weights, 10)).await.unwrap(), "a duplicate");
    let other = worker.complete(done, trained(others, 10)).await.unwrap_err();
    worker.fail(failing, "diverged").await.unwrap();
    worker.fail(failing, "diverged").await.unwrap();
    let other_failure = worker.fail(failing, "something else").await.unwrap_err();

    assert_eq!((other.code(), other_failure.code()), (Code::FailedPrecondition, Code::FailedPrecondition));
    let job = coordinator.jobs("twice").await.into_iter().find(|job| job.job_id == failing.job_id).unwrap();
    assert_eq!((job.state.as_str(), job.failures, job.attempts), ("ready", 1, 1));
}

#[tokio::test]
async fn a_result_of_the_wrong_kind_or_without_its_artifact_is_refused() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("kinds", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempt = worker.attempt().await;
    let nowhere = Digest::of(b"never stored");
    let checkpoint = v1::CheckpointRef { digest: nowhere.to_wire(), step: 5 };

    let wrong_kind = worker.complete(attempt, scene::evaluated(nowhere, 0.5)).await.unwrap_err();
    let unknown = worker.complete(attempt, trained(nowhere, 10)).await.unwrap_err();

    assert_eq!(violations_of(&wrong_kind).unwrap().iter().next().unwrap().field, "evaluate");
    assert!(unknown.message().contains("put it into the artifact store first"), "{unknown}");
    assert_eq!(code(worker.report(attempt, &[], Some(checkpoint)).await), Code::InvalidArgument);
    assert_eq!(coordinator.states("kinds").await, ["running", "blocked"]);
}

#[tokio::test]
async fn a_cancelled_attempt_is_abandoned_at_the_next_heartbeat_and_may_be_retried() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("cancelled", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempt = worker.attempt().await;
    assert_eq!(worker.heartbeat(&[attempt]).await.unwrap(), []);

    let request = v1::CancelRequest { sweep: "cancelled".to_owned(), ..Default::default() };
    coordinator.sweeps().cancel(request).await.unwrap();

    assert_eq!(worker.heartbeat(&[attempt]).await.unwrap(), [Kind::Abandon(attempt)]);
    assert_eq!(coordinator.states("cancelled").await, ["cancelled", "cancelled"]);
    let retry = v1::RetryRequest { sweep: "cancelled".to_owned(), ..Default::default() };
    assert_eq!(coordinator.sweeps().retry(retry).await.unwrap().into_inner().retried, 2);
    assert_eq!(coordinator.states("cancelled").await, ["ready", "blocked"]);
    assert_eq!(worker.attempt().await.epoch, 1);
}

#[tokio::test]
async fn a_session_ends_once_and_gives_back_what_it_held() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("sessions", &[1])).await.unwrap();
    let mut worker = coordinator.worker();
    assert_eq!(code(worker.claim(0).await), Code::NotFound);
    assert_eq!(worker.heartbeat(&[]).await.unwrap(), [Kind::SessionLost(v1::SessionLost {})]);
    let terms = worker.open().await.unwrap();
    assert_eq!(worker.open().await.unwrap(), terms, "opening again is opening once");
    assert_eq!((terms.ttl_millis, terms.beat_millis, terms.grace_millis), (30_000, 5_000, 5_000));
    let attempt = worker.attempt().await;

    for _ in 0..2 {
        let close = v1::CloseSessionRequest { session_id: worker.session.clone() };
        worker.client.close_session(close).await.unwrap();
    }

    assert_eq!(code(worker.claim(0).await), Code::NotFound);
    assert_eq!(code(worker.open().await), Code::NotFound);
    assert_eq!(worker.heartbeat(&[attempt]).await.unwrap(), [Kind::SessionLost(v1::SessionLost {})]);
    let job = coordinator.jobs("sessions").await.remove(0);
    assert_eq!((job.state.as_str(), job.epoch, job.crashes, job.failures), ("ready", 1, 0, 0));
}

#[tokio::test]
async fn a_silent_session_is_lost_and_its_job_goes_to_another() {
    let scene = Scene::with_lease([400, 100, 100]);
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("lost", &[1])).await.unwrap();
    let mut silent = coordinator.open_worker().await;
    let old = silent.attempt().await;

    let mut other = coordinator.open_worker().await;
    let mut beating = coordinator.worker();
    beating.session.clone_from(&other.session);
    let beat = async {
        loop {
            beating.heartbeat(&[]).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let new = tokio::select! {
        new = other.attempt() => new,
        () = beat => unreachable!("beats never end"),
    };

    assert_eq!((new.job_id, new.epoch), (old.job_id, 1));
    let job = coordinator.jobs("lost").await.remove(0);
    assert_eq!((job.crashes, job.attempts), (1, 2));
    assert_eq!(silent.heartbeat(&[old]).await.unwrap(), [Kind::SessionLost(v1::SessionLost {})]);
}

#[tokio::test]
async fn a_session_that_is_to_drain_is_told_and_claims_no_more() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("drained", &[1, 2])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempt = worker.attempt().await;

    scene.sql("update session set drain = true");

    assert_eq!(worker.heartbeat(&[attempt]).await.unwrap(), [Kind::Drain(v1::Drain {})]);
    assert_eq!(worker.claim(0).await.unwrap(), None);
}

#[tokio::test]
async fn a_coordinator_that_just_started_gives_workers_time_to_come_back() {
    let scene = Scene::with_lease([3_000, 100, 100]);
    let first = scene.start().await;
    first.submit(&sweep_spec("reattached", &[1])).await.unwrap();
    let mut worker = first.open_worker().await;
    let attempt = worker.attempt().await;
    first.ended().await;
    scene.sql("update session set lease_until = now() - interval '1 hour'");

    let second = scene.start().await;
    let mut other = second.open_worker().await;
    assert_eq!(other.claim(500).await.unwrap(), None, "the job is not given away in the meantime");
    worker.client = other.client;

    assert_eq!(worker.heartbeat(&[attempt]).await.unwrap(), []);
    let job = second.jobs("reattached").await.remove(0);
    assert_eq!((job.state.as_str(), job.epoch, job.crashes), ("running", 0, 0));
}

#[tokio::test]
async fn a_job_whose_document_nobody_reads_ends_instead_of_coming_back() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("unreadable", &[1])).await.unwrap();
    scene.sql("update experiment_spec set document = '{\"model\": \"from another version\"}'");

    let mut worker = coordinator.open_worker().await;

    assert_eq!(soon("the claim", worker.claim(0)).await.unwrap(), None);
    let job = coordinator.jobs("unreadable").await.remove(0);
    assert_eq!(job.state, "failed");
    assert!(job.reason.contains("breaks the rules"), "{}", job.reason);
}
