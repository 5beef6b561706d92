//! Everything at once: workers, a user who cancels and retries, sessions that are lost. Nothing deadlocks, and the books balance.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use domain::{
    SessionId, SweepId,
    job::{Dependency, Event, FailureKind, JobKind, RetryScope},
    report::CurvePoint,
};
use scene::{LONG, Scene, sweep_spec};
use std::{task::Poll, time::Duration};
use store::{Currency, LockedJob, TransitionError};

/// A rejection is an answer; anything else is a fault of the store.
fn judged(outcome: Result<(), TransitionError>) {
    match outcome {
        Ok(()) | Err(TransitionError::Rejected(_)) => {}
        Err(TransitionError::Store(error)) => panic!("{error}"),
    }
}

async fn work(scene: &Scene, worker: usize) {
    let mut session = scene.open_session(LONG).await;
    for step in 0..40 {
        let Some(attempt) = scene.claim(session).await else {
            // The session was lost, or nothing is ready now.
            session = scene.open_session(LONG).await;
            continue;
        };
        match (worker + step) % 4 {
            0 | 1 => {
                let job = scene.assignment(attempt);
                let completion = match job.task {
                    domain::report::Task::Train { .. } => scene.trained(attempt).await,
                    domain::report::Task::Evaluate { .. } => scene.evaluated(0.5).await,
                    domain::report::Task::Score { .. } => scene.scored(0.5).await,
                    domain::report::Task::Inspect { .. } => panic!("this sweep draws nothing"),
                };
                judged(scene.complete(attempt, &completion).await);
            }
            2 => judged(scene.fail(attempt, FailureKind::Permanent).await.map(drop)),
            _ => judged(scene.apply(attempt, Event::Release { epoch: attempt.epoch }).await.map(drop)),
        }
    }
}

async fn cancel(scene: &Scene, sweep: SweepId) -> Result<(), TransitionError> {
    let mut transaction = scene.store.begin().await?;
    let jobs = transaction.lock_unended(sweep).await?;
    let events = jobs.into_iter().map(|job| (job, Event::Cancel { reason: "enough".to_owned() })).collect();
    transaction.apply(events).await?;
    Ok(transaction.commit().await?)
}

async fn retry_trains(scene: &Scene, sweep: SweepId) -> Result<(), TransitionError> {
    let mut transaction = scene.store.begin().await?;
    let jobs = transaction.lock_ended(sweep).await?;
    // What others wait for is locked with them, and may run.
    let ended = |job: &LockedJob| RetryScope::Missing.includes(job.job.state.name());
    let trains = jobs.into_iter().filter(|job| job.kind == JobKind::Train && ended(job));
    let events = trains.map(|job| (job, Event::Retry { dependency: Dependency::Met })).collect();
    transaction.apply(events).await?;
    Ok(transaction.commit().await?)
}

async fn steer(scene: &Scene, sweep: SweepId) {
    for _ in 0..15 {
        judged(cancel(scene, sweep).await);
        judged(retry_trains(scene, sweep).await);
    }
}

async fn lose(scene: &Scene, session: SessionId) -> Result<(), TransitionError> {
    let mut transaction = scene.store.begin().await?;
    transaction.lose_session(session, Duration::ZERO).await?;
    let jobs = transaction.lock_running_of(session).await?;
    let lost = |job: LockedJob| (job, Event::SessionLost { session });
    transaction.apply(jobs.into_iter().map(lost).collect()).await?;
    Ok(transaction.commit().await?)
}

async fn reap(scene: &Scene) {
    for _ in 0..15 {
        scene
            .behind_the_scene("update session set lease_until = now() - interval '1 s' where closed_at is null")
            .await
            .unwrap();
        for session in scene.store.expired_sessions(Duration::ZERO, 10).await.unwrap() {
            judged(lose(scene, session).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_users_and_lost_sessions_at_once_leave_the_books_balanced() {
    let scene = Scene::new().await;
    let seeds: Vec<u64> = (0..12).collect();
    let sweep = scene.submit(&sweep_spec("busy", &seeds)).await;

    let workers = futures::future::join_all((0..4).map(|worker| work(&scene, worker)));
    tokio::join!(workers, steer(&scene, sweep), reap(&scene));

    let balanced = [
        ("job join session on session.id = session_id where closed_at is not null", "running for a closed session"),
        (
            "attempt join attempt_outcome using (job_id, epoch) join job on job.id = job_id where job.epoch = attempt.epoch",
            "an attempt that ended at the job's epoch",
        ),
        (
            "attempt join job on job.id = job_id left join attempt_outcome as o on o.job_id = attempt.job_id and o.epoch = attempt.epoch \
          where job.epoch > attempt.epoch and o.job_id is null",
            "an attempt without an outcome",
        ),
        (
            "job left join result on job_id = id where (state = 'succeeded') <> (job_id is not null)",
            "success without a result, or a result without success",
        ),
        (
            "job as waiting join job as parent on parent.id = waiting.depends_on \
          where parent.state = 'succeeded' and waiting.state = 'blocked'",
            "blocked by a job that succeeded",
        ),
        (
            "job as waiting join job as parent on parent.id = waiting.depends_on \
          where parent.state <> 'succeeded' and waiting.state in ('ready', 'running', 'succeeded')",
            "released by a job that did not succeed",
        ),
    ];
    for (from, what) in balanced {
        assert_eq!(scene.count(from).await, 0, "{what}");
    }
    assert!(scene.count("attempt").await > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_waits_for_whoever_closes_its_session_and_then_claims_nothing() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("closing", &[1])).await;
    let session = scene.open_session(LONG).await;
    let mut closing = scene.store.begin().await.unwrap();
    assert!(closing.close_session(session).await.unwrap());

    let close = async {
        // Until the claim has come to the lock, or has wrongly gone past it.
        while scene.count("pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()").await == 0
            && scene.count("attempt").await == 0
        {}
        closing.commit().await.unwrap();
    };
    let (claimed, ()) = tokio::join!(scene.claim(session), close);

    assert_eq!(claimed, None);
    assert_eq!(scene.count("attempt").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_waits_for_whoever_ends_its_attempt_and_then_is_stale() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("ending", &[1])).await;
    let session = scene.open_session(LONG).await;
    let attempt = scene.claim(session).await.unwrap();
    let mut ending = scene.behind.begin().await.unwrap();
    let end = "update job set state = 'ready', session_id = null, epoch = epoch + 1 where state = 'running'";
    sqlx::query(end).execute(&mut *ending).await.unwrap();

    let commit = async {
        while scene.count("pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()").await == 0
            && scene.count("curve_point").await == 0
        {}
        ending.commit().await.unwrap();
    };
    let point = CurvePoint { step: 1, loss_nats: 1.0, bits_per_dim: 1.0, gradient_norm: 1.0 };
    let points = [point];
    let (reported, ()) = tokio::join!(scene.store.add_curve_points(attempt, &points), commit);

    assert_eq!(reported.unwrap(), Currency::Stale);
    assert_eq!(scene.count("curve_point").await, 0);
}

/// Drops `work` when it has been polled so often and still waits.
async fn cut_off_after(polls: usize, work: impl Future) {
    let mut work = std::pin::pin!(work);
    let mut left = polls;
    std::future::poll_fn(|context| {
        left -= 1;
        if work.as_mut().poll(context).is_ready() || left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_cut_off_while_it_begins_takes_nothing_with_it() {
    let scene = Scene::new().await;
    for polls in 1..=8 {
        for _ in 0..8 {
            cut_off_after(polls, scene.store.begin()).await;
        }
        // As often as the pool has connections: one that is still inside a transaction would hide what is written through it.
        for _ in 0..8 {
            let session = scene.open_session(LONG).await;

            let seen: i64 = sqlx::query_scalar("select count(*) from session where id = $1")
                .bind(session.0)
                .fetch_one(&scene.behind)
                .await
                .unwrap();
            assert_eq!(seen, 1, "session {session} was acknowledged, and nobody else sees it");
        }
    }
}
