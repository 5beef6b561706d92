//! What the rule of preemption looks at, the word to the worker, and jobs found by the checkpoint that they need.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::time::Duration;

use domain::{
    Digest, JobId, SessionId, SweepId,
    fleet::{DeviceKind, DeviceRequirement, Offer},
    job::{Event, FailureKind, JobKind},
    lease::Directive,
    preemption::{Preemption, Running, Station, Terms, Waiting, choose},
    report::{Attempt, Completion, Progress},
};
use scene::{LONG, Scene, offer, sweep_spec};
use store::NewSession;
use uuid::Uuid;

const TERMS: Terms = Terms { after: Duration::from_secs(60), margin: 20, minimum_run: Duration::from_secs(300) };

async fn submit(scene: &Scene, name: &str, seeds: &[u64], priority: i16) -> SweepId {
    let mut spec = sweep_spec(name, seeds);
    spec.execution.priority = priority;
    scene.submit(&spec).await
}

/// A minute and a second pass for every job that is ready.
async fn a_minute_passes(scene: &Scene) {
    scene.behind_the_scene("update job set ready_at = ready_at - interval '61 s' where state = 'ready'").await.unwrap();
}

async fn waiting(scene: &Scene) -> Vec<Waiting> {
    let mut waiting = scene.store.waiting_jobs(&TERMS).await.unwrap();
    waiting.sort_by_key(|job| job.job);
    waiting
}

async fn stations(scene: &Scene) -> Vec<Station> {
    scene.store.begin().await.unwrap().stations().await.unwrap()
}

async fn tell(scene: &Scene, preemptions: &[Preemption]) -> Vec<Attempt> {
    let mut transaction = scene.store.begin().await.unwrap();
    let told = transaction.add_preemptions(preemptions).await.unwrap();
    transaction.commit().await.unwrap();
    told
}

/// A low training that runs, an urgent job that has waited, and the rule's choice.
async fn crowded(scene: &Scene) -> (SessionId, Attempt, Vec<Preemption>) {
    submit(scene, "low", &[1], 10).await;
    let session = scene.open_session(LONG).await;
    let victim = scene.claim(session).await.unwrap();
    submit(scene, "urgent", &[1], 90).await;
    a_minute_passes(scene).await;
    let chosen = choose(waiting(scene).await, &stations(scene).await, &TERMS);
    assert_eq!(chosen.iter().map(|one| one.victim).collect::<Vec<_>>(), [victim]);
    (session, victim, chosen)
}

fn progress(attempt: Attempt) -> Progress {
    Progress { attempt, done: 5, total: 10, images_per_second: 80.0, bits_per_dim: None }
}

#[tokio::test]
async fn jobs_wait_only_when_they_are_old_enough_and_something_less_important_could_stop() {
    let scene = Scene::new().await;
    let urgent = submit(&scene, "urgent", &[1, 2], 90).await;
    submit(&scene, "close", &[1], 29).await;
    a_minute_passes(&scene).await;
    assert_eq!(waiting(&scene).await, [], "nothing runs");

    // The others are claimed first by their priorities, and given back.
    let session = scene.open_session(LONG).await;
    let (first, second) = (scene.claim(session).await.unwrap(), scene.claim(session).await.unwrap());
    let close = scene.claim(session).await.unwrap();
    submit(&scene, "low", &[1], 10).await;
    scene.claim(session).await.unwrap();
    for attempt in [first, second, close] {
        scene.apply(attempt, Event::Release { epoch: attempt.epoch }).await.unwrap();
    }
    assert_eq!(waiting(&scene).await, [], "they wait since a moment ago");
    a_minute_passes(&scene).await;

    let found = waiting(&scene).await;

    assert_eq!(found.iter().map(|job| job.job).collect::<Vec<_>>(), [first.job, second.job]);
    let job = &found[0];
    assert_eq!((job.sweep, job.sweep_name.as_str(), job.priority), (urgent, "urgent", 90));
    assert_eq!((job.epoch, job.room, job.awaited), (first.epoch.next(), None, false));
    assert_eq!(job.requirement.device, DeviceRequirement::Any);
    assert!(job.waited >= TERMS.after, "{:?}", job.waited);
}

#[tokio::test]
async fn a_waiting_job_says_what_its_sweep_asks_for_and_how_many_more_may_run() {
    let scene = Scene::new().await;
    submit(&scene, "low", &[1], 10).await;
    let session = scene.open_session(LONG).await;
    scene.claim(session).await.unwrap();
    let mut spec = sweep_spec("picky", &[1, 2, 3]);
    spec.execution.priority = 90;
    spec.execution.max_running = Some(2);
    spec.execution.memory_mib = 100;
    spec.execution.labels = ["a100".parse().unwrap()].into();
    scene.submit(&spec).await;
    scene.behind_the_scene("update sweep set labels = '{}', memory_bytes = 0").await.unwrap();
    scene.claim(session).await.unwrap();
    scene
        .behind_the_scene("update sweep set labels = '{a100}', memory_bytes = 104857600 where name = 'picky'")
        .await
        .unwrap();
    a_minute_passes(&scene).await;

    let found = waiting(&scene).await;

    assert_eq!(found.len(), 2);
    assert!(
        found.iter().all(|job| job.room == Some(1) && job.requirement == spec.execution.requirement()),
        "{found:?}"
    );
}

#[tokio::test]
async fn stations_are_the_sessions_that_may_claim_with_what_they_run() {
    let scene = Scene::new().await;
    let (mut low, mut fixed) = (sweep_spec("low", &[1]), sweep_spec("fixed", &[1]));
    (low.execution.priority, fixed.execution.priority) = (30, 20);
    fixed.execution.preemptible = false;
    let (low, fixed) = (scene.submit(&low).await, scene.submit(&fixed).await);
    let busy = scene.open_session(LONG).await;
    let (first, second) = (scene.claim(busy).await.unwrap(), scene.claim(busy).await.unwrap());
    let labelled = SessionId(Uuid::new_v4());
    let rich = Offer {
        device: DeviceKind::Cuda,
        memory_bytes: 80 << 30,
        labels: ["a100".parse().unwrap(), "site=oslo".parse().unwrap()].into(),
        artifacts: Vec::new(),
    };
    let session = NewSession {
        id: labelled,
        worker_name: "rich".to_owned(),
        worker_version: "test".to_owned(),
        offer: rich.clone(),
    };
    assert!(scene.store.open_session(&session, LONG).await.unwrap());
    let (lapsed, drained) = (scene.open_session(Duration::ZERO).await, scene.open_session(LONG).await);
    scene.store.drain_sessions(&[drained]).await.unwrap();

    let found = stations(&scene).await;

    assert!(found.iter().all(|station| station.session != lapsed && station.session != drained), "{found:?}");
    let station = |session| found.iter().find(|station| station.session == session).unwrap();
    assert_eq!(station(labelled), &Station { session: labelled, offer: rich, running: Vec::new() });
    assert_eq!(station(busy).offer, offer());
    let running = |attempt, sweep, priority, preemptible| Running {
        attempt,
        sweep,
        kind: JobKind::Train,
        priority,
        preemptible,
        ran: Duration::ZERO,
        told: false,
        preempted_before: false,
    };
    let mut of_busy: Vec<Running> =
        station(busy).running.iter().map(|running| Running { ran: Duration::ZERO, ..*running }).collect();
    of_busy.sort_by_key(|running| running.attempt.job);
    assert_eq!(of_busy, [running(first, low, 30, true), running(second, fixed, 20, false)]);
}

#[tokio::test]
async fn an_attempt_is_told_once_hears_it_with_every_beat_and_the_next_attempt_does_not() {
    let scene = Scene::new().await;
    let (session, victim, chosen) = crowded(&scene).await;

    assert_eq!(tell(&scene, &chosen).await, [victim]);
    assert_eq!(tell(&scene, &chosen).await, [], "it knows already");

    let directive = Directive::Preempt { job: victim.job, epoch: victim.epoch };
    for _ in 0..2 {
        assert_eq!(scene.store.keep_progress(session, &[progress(victim)]).await.unwrap(), [directive]);
    }
    assert_eq!(scene.store.preemption_of(victim).await.unwrap().as_ref(), Some(&chosen[0].reason));
    assert_eq!(
        scene.count("event where kind = 'preempted' and detail like 'room for job % of sweep urgent %'").await,
        1
    );
    let found = waiting(&scene).await;
    assert!(found[0].awaited && found[0].waited < TERMS.after, "it waits anew since room was made: {found:?}");
    assert!(stations(&scene).await[0].running[0].told);

    let event = Event::Preempted { epoch: victim.epoch, reason: chosen[0].reason.clone() };
    scene.apply(victim, event).await.unwrap();
    assert_eq!(
        scene.count("attempt_outcome where kind = 'released' and detail like 'preempted: room for job %'").await,
        1
    );
    let _urgent = scene.claim(session).await.unwrap();
    let again = scene.claim(session).await.unwrap();
    assert_eq!((again.job, again.epoch), (victim.job, victim.epoch.next()));
    assert_eq!(scene.store.keep_progress(session, &[progress(again)]).await.unwrap(), []);
    assert_eq!(scene.store.preemption_of(again).await.unwrap(), None);
    let found = stations(&scene).await;
    let again = found[0].running.iter().find(|running| running.attempt == again).unwrap();
    assert!(again.preempted_before && !again.told);
}

#[tokio::test]
async fn nobody_is_told_after_the_attempt_has_ended_or_for_a_job_that_waits_no_more() {
    let scene = Scene::new().await;
    let (session, victim, chosen) = crowded(&scene).await;

    let urgent = scene.claim(session).await.unwrap();
    assert_eq!(tell(&scene, &chosen).await, [], "the job was claimed");
    scene.apply(urgent, Event::Release { epoch: urgent.epoch }).await.unwrap();
    assert_eq!(tell(&scene, &chosen).await, [], "it waits under another epoch");
    let renewed = [Preemption { waiting_epoch: urgent.epoch.next(), ..chosen[0].clone() }];
    scene.apply(victim, Event::Release { epoch: victim.epoch }).await.unwrap();
    assert_eq!(tell(&scene, &renewed).await, [], "the training has stopped by itself");

    assert_eq!(scene.count("preemption").await, 0);
    assert_eq!(scene.count("event where kind = 'preempted'").await, 0);
}

#[tokio::test]
async fn one_coordinator_at_a_time_decides() {
    let scene = Scene::new().await;
    let (mut first, mut second) = (scene.store.begin().await.unwrap(), scene.store.begin().await.unwrap());

    assert!(first.lock_preemption().await.unwrap());
    assert!(!second.lock_preemption().await.unwrap());
    first.commit().await.unwrap();

    assert!(second.lock_preemption().await.unwrap());
}

fn checkpoint_of(completion: &Completion) -> Digest {
    match completion {
        Completion::Train { checkpoint, .. } => checkpoint.digest,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn jobs_are_found_by_the_checkpoint_that_they_need() {
    let scene = Scene::new().await;
    let sweep = submit(&scene, "local", &[1, 2, 3], 50).await;
    let session = scene.open_session(LONG).await;
    let trainings: Vec<Attempt> =
        [scene.claim(session).await, scene.claim(session).await, scene.claim(session).await].map(Option::unwrap).into();
    let mut digests = Vec::new();
    for training in &trainings[..2] {
        let completion = scene.trained(*training).await;
        digests.push(checkpoint_of(&completion));
        scene.complete(*training, &completion).await.unwrap();
    }
    let local = async |sweep, kind, digests: &[Digest], limit| {
        scene.store.local_jobs(sweep, kind, digests, limit).await.unwrap()
    };
    let other = SweepId(Uuid::new_v4());

    let of_second = local(sweep, JobKind::Evaluate, &digests[1..], 10).await;
    let of_both = local(sweep, JobKind::Evaluate, &digests, 10).await;

    assert_eq!((of_second.len(), of_both.len()), (2, 4));
    assert_eq!(of_both[2..], of_second, "oldest first");
    assert_eq!(local(sweep, JobKind::Evaluate, &digests, 3).await, of_both[..3]);
    let unknown = [Digest::of(b"never trained"), digests[1]];
    assert_eq!(local(sweep, JobKind::Evaluate, &unknown, 10).await, of_second);
    assert_eq!(local(sweep, JobKind::Evaluate, &[], 10).await, []);
    assert_eq!(local(sweep, JobKind::Inspect, &digests, 10).await, []);
    assert_eq!(local(other, JobKind::Evaluate, &digests, 10).await, []);

    // Neither what runs nor what backs off is ready.
    let running = scene.claim(session).await.unwrap();
    assert_eq!(running.job, of_both[0].0);
    assert_eq!(local(sweep, JobKind::Evaluate, &digests, 10).await, of_both[1..]);
    scene.fail(running, FailureKind::Infrastructure).await.unwrap();
    assert_eq!(local(sweep, JobKind::Evaluate, &digests, 10).await, of_both[1..]);
}

/// The plan of a query file with the plan for unknown arguments, after the tables have been filled and analysed.
async fn generic_plan(scene: &Scene, types: &str, statement: &str, arguments: &str) -> String {
    let mut connection = scene.behind.acquire().await.unwrap();
    let script = format!("set plan_cache_mode = force_generic_plan; prepare asked({types}) as {statement}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut *connection).await.unwrap();
    let explain = sqlx::AssertSqlSafe(format!("explain execute asked({arguments})"));
    let rows: Vec<String> = sqlx::query_scalar(explain).fetch_all(&mut *connection).await.unwrap();
    sqlx::raw_sql("deallocate asked").execute(&mut *connection).await.unwrap();
    rows.join("\n")
}

/// A sweep of 9,000 jobs, all of them ready and the trainings with results, and a training of a low priority that runs.
async fn filled(scene: &Scene) {
    let seeds: Vec<u64> = (0..3000).collect();
    submit(scene, "queued", &seeds, 50).await;
    submit(scene, "low", &[1], 10).await;
    let session = scene.open_session(LONG).await;
    scene.behind_the_scene("update sweep set priority = 5 where name = 'queued'").await.unwrap();
    scene.claim(session).await.unwrap();
    scene
        .behind_the_scene(
            "update sweep set priority = 50 where name = 'queued';
             insert into attempt (job_id, epoch, session_id)
                 select job.id, 0, session.id from job, session where kind = 'train' and state = 'ready' order by 1;
             insert into artifact (digest, size) select sha256(job_id::text::bytea), 1 from attempt;
             insert into result (job_id, epoch, checkpoint, worker_version, device, threads, precision, noise_draws)
                 select job_id, 0, sha256(job_id::text::bytea), 'test', 'cpu', 1, 'float32', 1 from attempt;
             update job set state = 'ready' where depends_on in (select job_id from result);
             analyze",
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn no_statement_reads_a_table_of_jobs_from_end_to_end() {
    let scene = Scene::new().await;
    filled(&scene).await;

    let local = include_str!("../queries/job/local.sql");
    let local =
        generic_plan(&scene, "uuid, text, bytea[], bigint", local, "gen_random_uuid(), 'evaluate', '{}', 1").await;
    let waiting = include_str!("../queries/preemption/waiting.sql");
    let waiting =
        generic_plan(&scene, "double precision, smallint, bigint, bigint", waiting, "60, 20::smallint, 16, 500").await;
    let stations = generic_plan(&scene, "text", include_str!("../queries/preemption/stations.sql"), "''").await;

    for (plan, indexes) in [
        (&local, &["result_checkpoint", "job_depends_on"][..]),
        (&waiting, &["job_running", "job_ready"][..]),
        (&stations, &["job_running"][..]),
    ] {
        for table in ["job", "result", "attempt"] {
            assert!(
                !plan.contains(&format!("Seq Scan on {table} ")) && !plan.ends_with(&format!("Seq Scan on {table}")),
                "{plan}"
            );
        }
        for index in indexes {
            assert!(plan.contains(index), "{index} is not used:\n{plan}");
        }
    }
    // Whatever the lane holds, only its oldest jobs are looked at.
    scene.behind_the_scene("update job set ready_at = ready_at - interval '61 s' where state = 'ready'").await.unwrap();
    let found = scene.store.waiting_jobs(&TERMS).await.unwrap();
    assert_eq!(found.len(), 32, "16 of each of two kinds");
    assert!(found.iter().all(|job| job.job != JobId(0)));
}
