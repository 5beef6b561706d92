//! More than a coordinator takes at once: large messages, crowds of claims, storms of submits, quotas.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::{collections::BTreeSet, time::Duration};

use proto::{
    convert::{ToWire, retry_after_of},
    v1,
};
use scene::{Scene, soon, sweep_spec, trained};
use tonic::Code;

/// As many as a large cluster has workers.
const CROWD: usize = 1000;
/// A server answers two hundred calls of one connection at once.
const PER_CONNECTION: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_large_is_refused_with_the_limit() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut worker = coordinator.open_worker().await;
    let attempt = v1::Attempt { job_id: 1, epoch: 0 };
    let point = v1::CurvePoint { step: 1 << 40, loss_nats: 1.0, bits_per_dim: 1.0, gradient_norm: 1.0 };

    let request = v1::ReportRequest {
        attempt: Some(attempt),
        curve: vec![point; 600_000],
        checkpoint: None,
        ..v1::ReportRequest::default()
    };
    let refusal = worker.client.report(request).await.unwrap_err();

    assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal:?}");
    assert!(refusal.message().contains("at most 16 MiB"), "{refusal}");
    // So is one within the limit that holds too many items, and the coordinator goes on.
    let request = v1::ReportRequest {
        attempt: Some(attempt),
        curve: vec![point; 10_001],
        checkpoint: None,
        ..v1::ReportRequest::default()
    };
    let refusal = worker.client.report(request).await.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert!(refusal.message().contains("curve: 10001 items: at most 10000 allowed"), "{refusal}");
    assert_eq!(worker.heartbeat(&[]).await.unwrap(), []);
    let mut large = sweep_spec("large", &[1]);
    large.description = "x".repeat(17 << 20);
    let refusal = coordinator.submit(&large).await.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal:?}");
    assert!(refusal.message().contains("at most 16 MiB"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_claims_at_once_share_the_jobs_and_leave_room_for_others() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let (sender, mut claimed) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..CROWD / PER_CONNECTION {
        let channel = coordinator.connect().await;
        for _ in 0..PER_CONNECTION {
            let (mut worker, sender) = (coordinator.worker_on(channel.clone()), sender.clone());
            worker.open().await.unwrap();
            tokio::spawn(async move {
                let assignment = loop {
                    if let Some(assignment) = worker.claim(30_000).await.unwrap() {
                        break assignment;
                    }
                };
                sender.send(assignment.attempt.unwrap().job_id).unwrap();
            });
        }
    }
    let waiting = async |claims: usize| {
        let seen = async {
            while coordinator.metric("spillway_claims_waiting").await != Some(claims as f64) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        soon("the crowd", seen).await;
    };
    waiting(CROWD).await;

    // Others are answered while the crowd waits, and while it is served.
    let mut beating = coordinator.open_worker().await;
    assert_eq!(soon("a heartbeat", beating.heartbeat(&[])).await.unwrap(), []);
    let seeds: Vec<u64> = (0..CROWD as u64).collect();
    let (few, others) = seeds.split_at(200);
    soon("a submit", coordinator.submit(&sweep_spec("few", few))).await.unwrap();
    assert_eq!(soon("a heartbeat", beating.heartbeat(&[])).await.unwrap(), []);
    let mut jobs = BTreeSet::new();
    for _ in few {
        assert!(jobs.insert(soon("a job", claimed.recv()).await.unwrap()), "a job went to two of them");
    }
    waiting(CROWD - few.len()).await;
    assert!(claimed.is_empty(), "as many jobs as there were");
    soon("a submit", coordinator.submit(&sweep_spec("others", others))).await.unwrap();
    for _ in others {
        assert!(jobs.insert(soon("a job", claimed.recv()).await.unwrap()), "a job went to two of them");
    }
    assert_eq!(jobs.len(), CROWD);
    assert_eq!(coordinator.metric("spillway_claims_waiting").await, Some(0.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_submits_is_answered_and_what_was_taken_is_stored_once() {
    let mut scene = Scene::new();
    scene.flags = vec!["--max-submits-at-once", "1", "--max-submits-waiting", "2"];
    let coordinator = scene.start().await;
    let mut worker = coordinator.open_worker().await;
    let seeds: Vec<u64> = (0..50).collect();
    let specs: Vec<_> = (0..40).map(|index| sweep_spec(&format!("storm-{index}"), &seeds)).collect();

    let answers = futures::future::join_all(specs.iter().map(|spec| coordinator.submit(spec))).await;

    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    let stored = answers.len() - refused.len();
    assert!(stored >= 3, "one at work and two that wait: {stored}");
    assert!(!refused.is_empty());
    for refusal in &refused {
        assert_eq!(refusal.code(), Code::ResourceExhausted, "{refusal}");
        assert_eq!(retry_after_of(refusal), Some(Duration::from_secs(2)));
        let text = "1 submits are worked on and 2 wait, the most at once: nothing was stored; submit again in 2 s";
        assert_eq!(refusal.message(), text);
    }
    let list = v1::ListSweepsRequest { limit: 500 };
    assert_eq!(coordinator.sweeps().list(list).await.unwrap().into_inner().sweeps.len(), stored);
    let busy = coordinator.metric(r#"spillway_submits_refused_total{reason="busy"}"#).await;
    assert_eq!(busy, Some(refused.len() as f64));
    // Who comes again is served, and the workers were never shut out.
    worker.attempt().await;
    coordinator.submit(&specs[39]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_holds_against_two_submits_at_once_and_counts_what_has_not_ended() {
    let mut scene = Scene::new();
    scene.flags = vec!["--max-open-jobs-per-user", "6"];
    let (first, second) = (scene.start().await, scene.start().await);
    let submit = |at: &scene::Running, user: &str, name: &str, seeds: &[u64]| {
        let request = v1::SubmitRequest {
            sweep: Some(sweep_spec(name, seeds).to_wire()),
            user: user.to_owned(),
            ..v1::SubmitRequest::default()
        };
        let mut sweeps = at.sweeps();
        async move { sweeps.submit(request).await }
    };

    // Eight submits of two jobs each, at two coordinators: room for three.
    let names: Vec<String> = (0..8).map(|index| format!("quota-{index}")).collect();
    let at_once = names
        .iter()
        .enumerate()
        .map(|(index, name)| submit(if index % 2 == 0 { &first } else { &second }, "ada", name, &[1]));
    let answers = futures::future::join_all(at_once).await;

    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!(answers.len() - refused.len(), 3, "{refused:?}");
    for refusal in &refused {
        assert_eq!(refusal.code(), Code::ResourceExhausted);
        assert_eq!(retry_after_of(refusal), Some(Duration::from_secs(60)));
        let said = refusal.message();
        assert!(
            said.starts_with("user `ada` has 6 jobs that have not ended, and this sweep has 2: at most 6"),
            "{said}"
        );
        assert!(said.contains("`spillway cancel SWEEP`") && said.contains("SPILLWAY_MAX_OPEN_JOBS_PER_USER"), "{said}");
    }
    // Others have quotas of their own, and what is stored already is no new work.
    submit(&first, "grace", "others", &[1, 2, 3]).await.unwrap();
    let stored = names.iter().zip(&answers).find(|(_, answer)| answer.is_ok()).unwrap().0;
    assert!(!submit(&second, "ada", stored, &[1]).await.unwrap().into_inner().created);
    let unnamed = submit(&first, "", "unnamed", &[1, 2, 3, 4]).await.unwrap_err();
    assert!(unnamed.message().starts_with("whoever submits without a name has 0 jobs"), "{unnamed}");
    // A job that ends makes room: cancelling does.
    let cancel = v1::CancelRequest { sweep: stored.clone(), reason: String::new(), ..v1::CancelRequest::default() };
    first.sweeps().cancel(cancel).await.unwrap();
    submit(&second, "ada", "room", &[1]).await.unwrap();
    let quota = first.metric(r#"spillway_submits_refused_total{reason="quota"}"#).await.unwrap()
        + second.metric(r#"spillway_submits_refused_total{reason="quota"}"#).await.unwrap();
    assert_eq!(quota, refused.len() as f64 + 1.0);
}

#[tokio::test]
async fn a_quota_of_zero_is_none() {
    let mut scene = Scene::new();
    scene.flags = vec!["--max-open-jobs-per-user", "0"];
    let coordinator = scene.start().await;

    coordinator.submit(&sweep_spec("free", &[1, 2, 3])).await.unwrap();

    let mut worker = coordinator.open_worker().await;
    let weights = coordinator.put(b"weights").await;
    let attempt = worker.attempt().await;
    assert!(!worker.complete(attempt, trained(weights, 10)).await.unwrap());
}
