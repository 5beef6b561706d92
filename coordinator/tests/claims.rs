//! Who gets which job, through gRPC: limits, several jobs in a claim, requirements, shares of users, ageing, claims that are
//! given up.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::collections::{BTreeMap, BTreeSet};

use domain::sweep::SweepSpec;
use futures::future::join_all;
use proto::{convert::ToWire, v1};
use scene::{Running, Scene, Worker, offer, soon, sweep_spec};
use tonic::Code;

async fn submit_as(coordinator: &Running, spec: &SweepSpec, user: &str) {
    let request =
        v1::SubmitRequest { sweep: Some(spec.to_wire()), user: user.to_owned(), ..v1::SubmitRequest::default() };
    coordinator.sweeps().submit(request).await.unwrap();
}

async fn claim_with(worker: &mut Worker, offer: v1::Offer, max_jobs: u32) -> Vec<v1::Assignment> {
    let request = v1::ClaimRequest { session_id: worker.session.clone(), offer: Some(offer), wait_millis: 0, max_jobs };
    worker.client.claim(request).await.unwrap().into_inner().assignments
}

/// Opens a session with this offer and claims two jobs.
async fn claim_as(coordinator: &Running, offer: v1::Offer) -> Vec<v1::Assignment> {
    let mut worker = coordinator.worker();
    let open = v1::OpenSessionRequest {
        session_id: worker.session.clone(),
        worker_name: "scripted".to_owned(),
        offer: Some(offer.clone()),
        worker_version: "test".to_owned(),
    };
    worker.client.open_session(open).await.unwrap();
    claim_with(&mut worker, offer, 2).await
}

fn with_trainings(name: &str, trainings: u64) -> SweepSpec {
    let seeds: Vec<u64> = (0..trainings).collect();
    sweep_spec(name, &seeds)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_holds_however_many_coordinators_claim() {
    let scene = Scene::new();
    let coordinators = [scene.start().await, scene.start().await];
    let mut spec = with_trainings("limited", 20);
    spec.execution.max_running = Some(3);
    coordinators[0].submit(&spec).await.unwrap();
    let mut workers = Vec::new();
    for place in 0..12 {
        workers.push(coordinators[place % 2].open_worker().await);
    }

    let claims = join_all(workers.iter_mut().map(|worker| worker.claim(1500))).await;
    let mut claimed: Vec<_> = claims.into_iter().map(Result::unwrap).enumerate().collect();
    claimed.retain(|(_, assignment)| assignment.is_some());
    assert_eq!(claimed.len(), 3);

    let (first, assignment) = claimed.remove(0);
    let attempt = assignment.unwrap().attempt.unwrap();
    let request = v1::ReleaseRequest { attempt: Some(attempt) };
    workers[first].client.release(request).await.unwrap();
    assert!(soon("a place that is free again", workers[11].claim(20_000)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_claim_for_several_jobs_takes_as_many_as_there_are() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&with_trainings("several", 5)).await.unwrap();
    let mut worker = coordinator.open_worker().await;

    let first = claim_with(&mut worker, offer(), 3).await;
    let rest = claim_with(&mut worker, offer(), 64).await;

    assert_eq!((first.len(), rest.len()), (3, 2));
    let jobs: BTreeSet<_> = first.iter().chain(&rest).map(|one| one.attempt.unwrap().job_id).collect();
    assert_eq!(jobs.len(), 5);
    let request =
        v1::ClaimRequest { session_id: worker.session.clone(), offer: Some(offer()), wait_millis: 0, max_jobs: 65 };
    let refusal = worker.client.claim(request).await.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert!(refusal.message().contains("max_jobs"), "{refusal}");
}

#[tokio::test]
async fn a_sweep_waits_for_a_worker_that_has_what_it_asks_for() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut spec = with_trainings("demanding", 2);
    spec.execution.labels = ["a100", "site=oslo"].map(|label| label.parse().unwrap()).into();
    spec.execution.memory_mib = 1024;
    coordinator.submit(&spec).await.unwrap();
    let labels = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();

    let poor = v1::Offer { memory_bytes: 1 << 40, labels: labels(&["a100"]), ..offer() };
    let small = v1::Offer { memory_bytes: 1 << 20, labels: labels(&["a100", "site=oslo"]), ..offer() };
    let fit = v1::Offer { memory_bytes: 1 << 30, labels: labels(&["a100", "fast", "site=oslo"]), ..offer() };

    assert_eq!(claim_as(&coordinator, poor).await, []);
    assert_eq!(claim_as(&coordinator, small).await, []);
    assert_eq!(claim_as(&coordinator, fit).await.len(), 2);
}

#[tokio::test]
async fn users_share_alike_and_the_weight_of_a_share_counts() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    scene.sql("insert into user_share (name, weight) values ('cleo', 2)");
    submit_as(&coordinator, &with_trainings("ada-1", 20), "ada").await;
    submit_as(&coordinator, &with_trainings("ada-2", 20), "ada").await;
    submit_as(&coordinator, &with_trainings("bob", 20), "bob").await;
    submit_as(&coordinator, &with_trainings("cleo", 20), "cleo").await;
    let mut worker = coordinator.open_worker().await;

    let claimed = claim_with(&mut worker, offer(), 24).await;

    let names: BTreeMap<String, String> = {
        let listed = coordinator.sweeps().list(v1::ListSweepsRequest { limit: 0 }).await.unwrap().into_inner();
        listed.sweeps.into_iter().map(|sweep| (sweep.id, sweep.name)).collect()
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for assignment in &claimed {
        *counts.entry(names[&assignment.sweep_id].as_str()).or_default() += 1;
    }
    assert_eq!(counts, BTreeMap::from([("ada-1", 3), ("ada-2", 3), ("bob", 6), ("cleo", 12)]));
}

#[tokio::test]
async fn a_job_that_waited_for_long_goes_before_a_younger_one_of_higher_priority() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut old = with_trainings("old", 1);
    old.execution.priority = 10;
    let mut young = with_trainings("young", 2);
    young.execution.priority = 60;
    coordinator.submit(&old).await.unwrap();
    coordinator.submit(&young).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let first = claim_with(&mut worker, offer(), 1).await;

    // Fifty points are four hours and ten minutes at the default of five minutes a point.
    scene.sql("update job set ready_at = ready_at - interval '5 hours' where priority = 10");
    let restarted = scene.start().await;
    let mut other = restarted.open_worker().await;
    let second = claim_with(&mut other, offer(), 1).await;

    assert_ne!(first[0].sweep_id, second[0].sweep_id);
    let summary = v1::GetSweepRequest { sweep: "old".to_owned() };
    let old = coordinator.sweeps().get(summary).await.unwrap().into_inner();
    assert_eq!(second[0].sweep_id, old.id, "ageing fires");
}

#[tokio::test]
async fn a_claim_that_hangs_up_costs_no_job() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut gone = coordinator.open_worker().await;
    let waiting = tokio::spawn(async move { gone.claim(30_000).await });
    tokio::task::yield_now().await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());

    coordinator.submit(&with_trainings("alone", 1)).await.unwrap();
    let mut worker = coordinator.open_worker().await;

    assert!(soon("the only job", worker.claim(20_000)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_submitted_at_one_coordinator_reach_a_claim_that_waits_at_another() {
    let scene = Scene::new();
    let (one, other) = (scene.start().await, scene.start().await);
    let mut worker = other.open_worker().await;
    let waiting = tokio::spawn(async move { worker.claim(30_000).await });

    one.submit(&with_trainings("elsewhere", 1)).await.unwrap();

    let claimed = soon("the claim at the other coordinator", waiting).await.unwrap().unwrap();
    assert!(claimed.is_some());
}
