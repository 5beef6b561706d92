//! The queue against a real Postgres: claims, leases, fencing, what follows from an ending.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Epoch,
    fleet::{DeviceKind, Offer},
    job::{Dependency, Event, FailureKind, JobKind, OutcomeKind, Rejected},
    lease::Directive,
    report::{Attempt, CheckpointRef, CurvePoint, Progress, Split, Task},
};
use scene::{LONG, Scene, learned, offer, sweep_spec};
use store::{Currency, SessionStanding, Slot, SlotOutcome, StoreError, SubmittedSweep, TransitionError};

#[tokio::test]
async fn claimers_at_once_never_share_a_job() {
    let scene = Scene::new().await;
    let seeds: Vec<u64> = (0..40).collect();
    scene.submit(&sweep_spec("crowded", &seeds)).await;

    let claimers = (0..8).map(|_| async {
        let session = scene.open_session(LONG).await;
        let mut claimed = Vec::new();
        while let Some(attempt) = scene.claim(session).await {
            claimed.push(attempt.job);
        }
        claimed
    });
    let claimed: Vec<_> = futures::future::join_all(claimers).await.into_iter().flatten().collect();

    assert_eq!(claimed.len(), 40);
    assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), 40);
    assert_eq!(scene.count("attempt").await, 40);
}

#[tokio::test]
async fn claims_go_by_priority_and_then_to_the_sweep_with_fewer_running_jobs() {
    let scene = Scene::new().await;
    let (mut first, second, mut urgent) =
        (sweep_spec("first", &[1, 2]), sweep_spec("second", &[1]), sweep_spec("urgent", &[1]));
    first.execution.max_failures = 1;
    urgent.execution.priority = 90;
    let first = scene.submit(&first).await;
    let second = scene.submit(&second).await;
    let urgent = scene.submit(&urgent).await;
    let session = scene.open_session(LONG).await;

    let mut served = Vec::new();
    while let Some(attempt) = scene.claim(session).await {
        served.push(scene.assignment(attempt).sweep);
    }

    assert_eq!(served, [urgent, first, second, first]);
}

#[tokio::test]
async fn a_session_without_a_live_lease_claims_nothing() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("leases", &[1])).await;
    let lapsed = scene.open_session(Duration::ZERO).await;
    let drained = scene.open_session(LONG).await;
    assert_eq!(scene.store.drain_sessions(&[drained]).await.unwrap(), [drained]);
    let closed = scene.open_session(LONG).await;
    let mut transaction = scene.store.begin().await.unwrap();
    assert!(transaction.close_session(closed).await.unwrap());
    transaction.commit().await.unwrap();

    for session in [lapsed, drained, closed] {
        assert_eq!(scene.claim(session).await, None);
    }

    assert_eq!(scene.standing(lapsed).await, Some(SessionStanding::Lapsed));
    assert_eq!(scene.standing(drained).await, Some(SessionStanding::Draining));
    assert_eq!(scene.standing(closed).await, Some(SessionStanding::Gone));
    let renewed = scene.store.renew_sessions(&[lapsed, drained, closed], LONG).await.unwrap();
    let renewed: BTreeSet<_> = renewed.into_iter().map(|session| (session.id, session.drain)).collect();
    assert_eq!(renewed, BTreeSet::from([(lapsed, false), (drained, true)]));
    assert!(scene.claim(lapsed).await.is_some());
}

#[tokio::test]
async fn a_job_for_another_device_is_not_claimed() {
    let scene = Scene::new().await;
    let mut spec = sweep_spec("gpu", &[1]);
    spec.execution.device = domain::fleet::DeviceRequirement::Cuda;
    scene.submit(&spec).await;

    assert_eq!(scene.claim(scene.open_session(LONG).await).await, None);
    let cuda = Offer { device: DeviceKind::Cuda, ..offer() };
    assert!(scene.board().await.best(&cuda, scene.store.now().await.unwrap()).is_some());
}

#[tokio::test]
async fn an_assignment_carries_the_document_the_checkpoints_and_later_the_trained_flow() {
    let scene = Scene::new().await;
    let spec = sweep_spec("assigned", &[7]);
    let sweep = scene.submit(&spec).await;
    let session = scene.open_session(LONG).await;
    let attempt = scene.claim(session).await.unwrap();
    let older = checkpoint(&scene, 5).await;
    let newer = checkpoint(&scene, 9).await;
    for checkpoint in [older, newer, newer] {
        assert_eq!(scene.store.add_checkpoint(attempt, checkpoint).await.unwrap(), Currency::Current);
    }

    scene.apply(attempt, Event::Release { epoch: attempt.epoch }).await.unwrap();
    let attempt = scene.claim(session).await.unwrap();
    let train = scene.assignment(attempt);
    scene.complete(attempt, &scene.trained(attempt).await).await.unwrap();
    let next = scene.claim(session).await.unwrap();
    let evaluate = scene.assignment(next);

    assert_eq!((train.sweep, train.seed, train.attempt), (sweep, 7, attempt));
    assert_eq!(train.spec, spec.base.resolved());
    assert_eq!(train.task, Task::Train { resume: vec![newer, older], checkpoint_secs: 30 });
    let Task::Evaluate { checkpoint, out, learned: known } = evaluate.task else { panic!("{evaluate:?}") };
    assert_eq!(checkpoint.step, 100);
    assert_eq!(out.to_string(), "synthetic-strokes");
    assert_eq!(known, [Split::Test, Split::Train].map(|split| learned(checkpoint.digest, split)).to_vec());
}

async fn checkpoint(scene: &Scene, step: u64) -> CheckpointRef {
    let digest = domain::Digest::of(&step.to_le_bytes());
    scene.store.record_artifact(&digest, 8).await.unwrap();
    CheckpointRef { digest, step }
}

#[tokio::test]
async fn success_unblocks_dependents_in_the_same_transaction() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("unblocked", &[1])).await;
    let attempt = scene.claim(scene.open_session(LONG).await).await.unwrap();
    assert_eq!(scene.states(sweep).await, ["running", "blocked", "blocked"]);

    scene.complete(attempt, &scene.trained(attempt).await).await.unwrap();

    assert_eq!(scene.states(sweep).await, ["succeeded", "ready", "ready"]);
    let outcome = scene.store.outcome_of(attempt).await.unwrap().unwrap();
    assert_eq!(outcome.kind, OutcomeKind::Succeeded);
    assert!(outcome.result_digest.is_some());
}

#[tokio::test]
async fn a_result_sent_twice_is_one_result() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("twice", &[1])).await;
    let attempt = scene.claim(scene.open_session(LONG).await).await.unwrap();
    let completion = scene.trained(attempt).await;
    scene.complete(attempt, &completion).await.unwrap();

    let again = scene.complete(attempt, &completion).await.unwrap_err();

    assert!(matches!(again, TransitionError::Rejected(Rejected::Stale { .. })), "{again}");
    assert_eq!((scene.count("result").await, scene.count("attempt_outcome").await), (1, 1));
}

#[tokio::test]
async fn a_stale_report_changes_nothing() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("stale", &[1])).await;
    let session = scene.open_session(LONG).await;
    let old = scene.claim(session).await.unwrap();
    scene.apply(old, Event::Release { epoch: old.epoch }).await.unwrap();
    let current = scene.claim(session).await.unwrap();
    assert_eq!(current, Attempt { job: old.job, epoch: Epoch(1) });
    let stored = checkpoint(&scene, 5).await;

    for stale in [old, Attempt { epoch: Epoch(7), ..old }] {
        assert_eq!(scene.store.add_curve_points(stale, &[point(1)]).await.unwrap(), Currency::Stale);
        assert_eq!(scene.store.add_checkpoint(stale, stored).await.unwrap(), Currency::Stale);
        assert_eq!(scene.store.keep_progress(session, &[progress(stale)]).await.unwrap(), [abandon(stale)]);
        assert!(scene.complete(stale, &scene.trained(stale).await).await.is_err());
        assert!(scene.fail(stale, FailureKind::Own).await.is_err());
    }

    for table in ["curve_point", "checkpoint", "progress", "result"] {
        assert_eq!(scene.count(table).await, 0, "{table}");
    }
    assert_eq!(scene.store.add_curve_points(current, &[point(1), point(2)]).await.unwrap(), Currency::Current);
    assert_eq!(scene.store.add_curve_points(current, &[point(2), point(3)]).await.unwrap(), Currency::Current);
    assert_eq!(scene.store.keep_progress(session, &[progress(current)]).await.unwrap(), []);
    assert_eq!((scene.count("curve_point").await, scene.count("progress").await), (3, 1));
}

fn point(step: u64) -> CurvePoint {
    CurvePoint { step, loss_nats: 1000.0, bits_per_dim: 1.8, gradient_norm: 3.0 }
}

fn progress(attempt: Attempt) -> Progress {
    Progress { attempt, done: 5, total: 10, images_per_second: 80.0, bits_per_dim: None }
}

fn abandon(Attempt { job, epoch }: Attempt) -> Directive {
    Directive::Abandon { job, epoch }
}

#[tokio::test]
async fn progress_of_an_attempt_that_another_session_runs_is_not_current() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("others", &[1])).await;
    let attempt = scene.claim(scene.open_session(LONG).await).await.unwrap();

    let other = scene.open_session(LONG).await;

    assert_eq!(scene.store.keep_progress(other, &[progress(attempt)]).await.unwrap(), [abandon(attempt)]);
}

#[tokio::test]
async fn an_artifact_that_was_never_stored_is_refused() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("unknown-artifact", &[1])).await;
    let attempt = scene.claim(scene.open_session(LONG).await).await.unwrap();
    let nowhere = CheckpointRef { digest: domain::Digest::of(b"nowhere"), step: 5 };

    let refusal = scene.store.add_checkpoint(attempt, nowhere).await.unwrap_err();

    assert!(matches!(refusal, StoreError::UnknownArtifact), "{refusal}");
    assert!(refusal.to_string().contains("put it into the artifact store first"), "{refusal}");
}

#[tokio::test]
async fn a_failure_backs_off_and_the_last_one_ends_the_dependents_too() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("failing", &[1])).await;
    let session = scene.open_session(LONG).await;
    let first = scene.claim(session).await.unwrap();
    scene.fail(first, FailureKind::Own).await.unwrap();
    assert_eq!(scene.states(sweep).await, ["ready", "blocked", "blocked"]);
    assert_eq!(scene.claim(session).await, None, "the job backs off");
    assert!(scene.board().await.is_empty());
    scene.behind_the_scene("update job set not_before = clock_timestamp() where state = 'ready'").await.unwrap();
    assert!(!scene.board().await.is_empty());

    let second = scene.claim(session).await.unwrap();
    let applied = scene.fail(second, FailureKind::Own).await.unwrap();

    assert_eq!(applied.changed, 3);
    assert_eq!(scene.states(sweep).await, ["failed", "failed", "failed"]);
    let jobs = scene.store.jobs(sweep, &domain::job::StateName::ALL, 10).await.unwrap();
    assert!(jobs.iter().all(|job| job.reason.as_deref() == Some("it broke")), "{jobs:?}");
}

#[tokio::test]
async fn every_way_into_ready_gives_a_new_place_in_the_queue() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("places", &[1])).await;
    let session = scene.open_session(LONG).await;
    let mut places = Vec::new();

    for _ in 0..3 {
        let board = scene.board().await;
        let lane = board.best(&offer(), scene.store.now().await.unwrap()).unwrap();
        let slot = Slot { session, lane, oldest: 0 };
        let SlotOutcome::Filled(claimed) = scene.store.claim(&[slot]).await.unwrap().remove(0) else {
            panic!("a job is ready")
        };
        places.push(claimed.ready_seq);
        scene.apply(claimed.attempt, Event::Release { epoch: claimed.attempt.epoch }).await.unwrap();
    }

    assert!(places.is_sorted_by(|earlier, later| earlier < later), "{places:?}");
}

#[tokio::test]
async fn an_expired_session_is_lost_with_its_jobs_and_one_that_beats_is_not() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("lost", &[1])).await;
    let session = scene.open_session(LONG).await;
    let attempt = scene.claim(session).await.unwrap();
    let grace = Duration::from_secs(5);
    assert_eq!(scene.store.expired_sessions(grace, 10).await.unwrap(), []);
    scene.behind_the_scene("update session set lease_until = clock_timestamp() - interval '6 s'").await.unwrap();
    assert_eq!(scene.store.expired_sessions(grace, 10).await.unwrap(), [session]);

    // A beat comes between finding the session and losing it.
    scene.store.renew_sessions(&[session], LONG).await.unwrap();
    let mut transaction = scene.store.begin().await.unwrap();
    assert!(!transaction.lose_session(session, grace).await.unwrap());
    drop(transaction);
    scene.behind_the_scene("update session set lease_until = clock_timestamp() - interval '6 s'").await.unwrap();

    let mut transaction = scene.store.begin().await.unwrap();
    assert!(transaction.lose_session(session, grace).await.unwrap());
    let jobs = transaction.lock_running_of(session).await.unwrap();
    let events = jobs.into_iter().map(|job| (job, Event::SessionLost { session })).collect();
    transaction.apply(events).await.unwrap();
    transaction.commit().await.unwrap();

    assert_eq!(scene.states(sweep).await, ["ready", "blocked", "blocked"]);
    assert_eq!(scene.store.outcome_of(attempt).await.unwrap().unwrap().kind, OutcomeKind::Crashed);
    assert_eq!(scene.standing(session).await, Some(SessionStanding::Gone));
}

#[tokio::test]
async fn a_cancelled_sweep_ends_whole_and_a_retried_one_opens_whole() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("steered", &[1, 2])).await;
    let session = scene.open_session(LONG).await;
    let running = scene.claim(session).await.unwrap();

    let mut transaction = scene.store.begin().await.unwrap();
    let jobs = transaction.lock_unended(sweep).await.unwrap();
    let events = jobs.into_iter().map(|job| (job, Event::Cancel { reason: "enough".to_owned() })).collect();
    let cancelled = transaction.apply(events).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(cancelled.changed, 6);
    assert_eq!(scene.states(sweep).await, ["cancelled"; 6]);
    assert_eq!(scene.store.keep_progress(session, &[progress(running)]).await.unwrap(), [abandon(running)]);

    let mut transaction = scene.store.begin().await.unwrap();
    let jobs = transaction.lock_ended(sweep).await.unwrap();
    let trains = jobs.into_iter().filter(|job| job.kind == JobKind::Train);
    let events = trains.map(|job| (job, Event::Retry { dependency: Dependency::Met })).collect();
    let retried = transaction.apply(events).await.unwrap();
    transaction.commit().await.unwrap();

    assert_eq!(retried.changed, 6);
    assert_eq!(scene.states(sweep).await, ["ready", "ready", "blocked", "blocked", "blocked", "blocked"]);
    assert_eq!(scene.claim(session).await.unwrap().epoch, Epoch(0), "the other train job has never run");
    assert_eq!(scene.claim(session).await.unwrap().epoch, Epoch(1), "the epoch never resets");
}

#[tokio::test]
async fn a_name_or_key_that_is_taken_yields_the_stored_sweep() {
    let scene = Scene::new().await;
    let spec = sweep_spec("taken", &[1]);
    let id = domain::SweepId(uuid::Uuid::new_v4());
    let other = domain::SweepId(uuid::Uuid::new_v4());
    assert!(matches!(scene.submit_as(id, &spec, Some("my-key")).await, SubmittedSweep::Stored(_)));

    let SubmittedSweep::Taken(by_name) = scene.submit_as(other, &spec, None).await else { panic!("stored twice") };
    let renamed = sweep_spec("renamed", &[1]);
    let SubmittedSweep::Taken(by_key) = scene.submit_as(other, &renamed, Some("my-key")).await else {
        panic!("stored twice")
    };

    assert_eq!((by_name.id, by_name.fingerprint, by_name.same_key), (id, spec.fingerprint(), false));
    assert_eq!((by_key.id, by_key.name.as_str(), by_key.same_key), (id, "taken", true));
    assert_eq!(scene.store.find_sweep("taken").await.unwrap(), Some(id));
    assert_eq!(scene.store.find_sweep(&id.to_string()).await.unwrap(), Some(id));
    assert_eq!(scene.store.find_sweep("renamed").await.unwrap(), None);
    assert_eq!(scene.count("job").await, 3);
}
