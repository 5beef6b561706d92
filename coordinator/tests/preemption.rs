//! Trainings that make room for jobs of much more important sweeps.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use domain::sweep::SweepSpec;
use proto::v1::{Attempt, directive::Kind};
use scene::{Scene, Worker, soon, sweep_spec};

/// Jobs wait for a second before room is made for them.
fn impatient_scene() -> Scene {
    Scene { flags: vec!["--preempt-after-secs", "1"], ..Scene::new() }
}

fn with_priority(name: &str, priority: i16) -> SweepSpec {
    let mut spec = sweep_spec(name, &[1]);
    spec.execution.priority = priority;
    spec
}

/// Beats until the attempt is told to make room.
async fn told_to_make_room(worker: &mut Worker, attempt: Attempt) {
    let beats = async {
        loop {
            match worker.heartbeat(&[attempt]).await.unwrap()[..] {
                [] => {}
                [Kind::Preempt(told)] if told == attempt => return,
                ref other => panic!("{other:?}"),
            }
        }
    };
    soon("the directive", beats).await;
}

#[tokio::test]
async fn a_training_makes_room_and_goes_on_later_without_spending_anything() {
    let scene = impatient_scene();
    // Both look for jobs that wait; one victim is enough.
    let (first, second) = (scene.start().await, scene.start().await);
    let (mut worker, mut spared) = (first.open_worker().await, second.open_worker().await);
    first.submit(&with_priority("low", 10)).await.unwrap();
    let victim = worker.attempt().await;
    first.submit(&with_priority("lower-than-urgent", 40)).await.unwrap();
    let other = spared.attempt().await;
    first.submit(&with_priority("urgent", 90)).await.unwrap();

    told_to_make_room(&mut worker, victim).await;
    told_to_make_room(&mut worker, victim).await;
    assert_eq!(spared.heartbeat(&[other]).await.unwrap(), [], "one victim for one job");
    worker.release(victim).await.unwrap();
    worker.release(victim).await.unwrap();

    let urgent = soon("a claim", worker.claim(30_000)).await.unwrap().unwrap();
    let states = |name: &'static str| first.states(name);
    assert_eq!(
        (states("urgent").await, states("low").await),
        (vec!["running".to_owned(), "blocked".to_owned()], vec!["ready".to_owned(), "blocked".to_owned()],)
    );
    assert_eq!(worker.heartbeat(&[urgent.attempt.unwrap()]).await.unwrap(), []);
    scene.sql(
        "do $$ begin
            assert (select count(*) from preemption) = 1;
            assert (select string_agg(kind || ' ' || detail, '') from attempt_outcome)
                like 'released preempted: room for job 5 of sweep urgent (priority 90 over 10), which had waited % s';
            assert (select count(*) from event where kind = 'preempted' and detail like 'room for job 5 %') = 1;
        end $$",
    );
    let again = first.open_worker().await.attempt().await;
    assert_eq!((again.job_id, again.epoch), (victim.job_id, victim.epoch + 1));
    let low = first.jobs("low").await;
    assert_eq!((low[0].failures, low[0].infrastructure_failures, low[0].crashes), (0, 0, 0));
}

#[tokio::test]
async fn a_sweep_that_is_not_preemptible_is_left_alone() {
    let scene = impatient_scene();
    let coordinator = scene.start().await;
    let (mut kept, mut yielding) = (coordinator.open_worker().await, coordinator.open_worker().await);
    let mut week_long = with_priority("week-long", 5);
    week_long.execution.preemptible = false;
    coordinator.submit(&week_long).await.unwrap();
    let keeps = kept.attempt().await;
    coordinator.submit(&with_priority("yielding", 30)).await.unwrap();
    let yields = yielding.attempt().await;

    coordinator.submit(&with_priority("urgent", 90)).await.unwrap();
    told_to_make_room(&mut yielding, yields).await;

    assert_eq!(kept.heartbeat(&[keeps]).await.unwrap(), []);
}
