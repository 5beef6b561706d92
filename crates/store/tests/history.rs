//! The history against a real Postgres: append only, in months, and watched without being counted again; the logs of attempts.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::time::Duration;

use domain::{
    Epoch, JobId, SweepId,
    job::{Event, StateName},
    report::{Attempt, LogLine},
};
use scene::{LONG, Scene, sweep_spec};
use store::{Currency, HistoryMark, LogPosition, LogScope, Maintenance, StoreError};

const EVENT: &str = "insert into event (sweep_id, kind) select id, 'test' from sweep";

/// Looks until nothing is new: a mark finds its floor once every transaction that was under way at its first look has ended, those of
/// other tests on the same server too.
async fn settle(scene: &Scene, sweep: SweepId, mark: &mut HistoryMark) {
    let looks = async { while grown(scene, sweep, mark).await {} };
    tokio::time::timeout(Duration::from_secs(60), looks).await.unwrap();
}

async fn settled(scene: &Scene, sweep: SweepId) -> HistoryMark {
    let mut mark = HistoryMark::default();
    assert!(grown(scene, sweep, &mut mark).await, "the first look");
    settle(scene, sweep, &mut mark).await;
    mark
}

async fn grown(scene: &Scene, sweep: SweepId, mark: &mut HistoryMark) -> bool {
    scene.store.has_history_grown(sweep, mark).await.unwrap()
}

#[tokio::test]
async fn a_watch_sees_each_event_once_and_nothing_else() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("watched", &[1])).await;
    let other = scene.submit(&sweep_spec("other", &[1])).await;
    let mut mark = settled(&scene, sweep).await;
    let mut of_other = settled(&scene, other).await;

    for _ in 0..3 {
        assert!(!grown(&scene, sweep, &mut mark).await);
        sqlx::query("insert into event (sweep_id, kind) values ($1, 'test')")
            .bind(sweep.0)
            .execute(&scene.behind)
            .await
            .unwrap();
        assert!(grown(&scene, sweep, &mut mark).await);
        assert!(!grown(&scene, sweep, &mut mark).await);
    }

    assert!(!grown(&scene, other, &mut of_other).await);
}

#[tokio::test]
async fn an_event_that_commits_late_is_seen_however_often_the_watch_looked_meanwhile() {
    let scene = Scene::new().await;
    let sweep = scene.submit(&sweep_spec("late", &[1])).await;
    let mut mark = settled(&scene, sweep).await;
    let mut late = scene.behind.begin().await.unwrap();
    // As every statement of ours: a row is changed first, so that the transaction bears its number before the event its own.
    sqlx::query("update sweep set priority = 60").execute(&mut *late).await.unwrap();
    sqlx::query(EVENT).execute(&mut *late).await.unwrap();

    for _ in 0..4 {
        sqlx::query(EVENT).execute(&scene.behind).await.unwrap();
        assert!(grown(&scene, sweep, &mut mark).await);
        assert!(!grown(&scene, sweep, &mut mark).await);
    }
    let mut newcomer = HistoryMark::default();
    for _ in 0..3 {
        assert!(grown(&scene, sweep, &mut newcomer).await, "it cannot know a floor while a transaction is under way");
    }
    late.commit().await.unwrap();

    assert!(grown(&scene, sweep, &mut mark).await);
    assert!(!grown(&scene, sweep, &mut mark).await);
    settle(&scene, sweep, &mut newcomer).await;
}

#[tokio::test]
async fn nobody_changes_the_history() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("written", &[1])).await;

    for statement in ["update event set kind = 'nothing'", "delete from event", "truncate event"] {
        let refusal = scene.behind_the_scene(statement).await.unwrap_err();

        assert!(refusal.to_string().contains("the history is append only"), "{statement}: {refusal}");
    }
    // A partition is no way round it.
    let partition: String = sqlx::query_scalar("select tableoid::regclass::text from event limit 1")
        .fetch_one(&scene.behind)
        .await
        .unwrap();
    let refusal = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("delete from {partition}")))
        .execute(&scene.behind)
        .await
        .unwrap_err();
    assert!(refusal.to_string().contains("the history is append only"), "{refusal}");
    assert_eq!(scene.count("event").await, 1);
}

#[tokio::test]
async fn old_months_are_dropped_when_that_is_asked_for_and_results_stay() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("aged", &[1])).await;
    let session = scene.open_session(LONG).await;
    let attempt = scene.claim(session).await.unwrap();
    scene.store.add_log_lines(attempt, &[line(1, "today")]).await.unwrap();
    for statement in [
        "select add_history_month('event', date '2020-02-01'), add_history_month('job_log', date '2020-02-01')",
        "insert into event (at, sweep_id, kind) select '2020-02-29 23:59:59.9+00', id, 'old' from sweep",
        "insert into job_log (job_id, epoch, line, started_at, at, text) values (1, 0, 7, '2020-02-10', now(), 'old')",
    ] {
        scene.behind_the_scene(statement).await.unwrap();
    }
    let before = (scene.count("event").await, scene.count("job_log").await);

    let kept = scene.store.maintain_history(0).await.unwrap();
    let events_kept = scene.count("event_2020_02").await;
    let dropped = scene.store.maintain_history(30).await.unwrap();
    let again = scene.store.maintain_history(30).await.unwrap();

    assert_eq!((kept, events_kept), (Some(Maintenance::default()), 1));
    let names = ["event_2020_02", "job_log_2020_02"].map(str::to_owned).to_vec();
    assert_eq!(dropped, Some(Maintenance { made: 0, dropped: names }));
    assert_eq!(again, Some(Maintenance::default()));
    assert_eq!((scene.count("event").await, scene.count("job_log").await), (before.0 - 1, before.1 - 1));
    assert_eq!(scene.count("attempt").await, 1);
}

#[tokio::test]
async fn months_are_made_once_and_an_insert_without_one_does_not_fail() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("months", &[1])).await;
    let far = "insert into event (at, sweep_id, kind) select '2100-05-05', id, 'far' from sweep";
    scene.behind_the_scene(far).await.unwrap();
    let made = |month: &'static str| {
        sqlx::query_scalar::<_, bool>("select add_history_month('event', $1::date)")
            .bind(month)
            .fetch_one(&scene.behind)
    };

    assert_eq!(scene.count("event_default").await, 1);
    // Its rows stay where they are, and so does the insert's freedom.
    assert!(!made("2100-05-01").await.unwrap());
    assert!(made("2100-06-30").await.unwrap());
    assert!(!made("2100-06-01").await.unwrap());
    scene.behind_the_scene(far).await.unwrap();
    assert_eq!(scene.count("event_default").await, 2);
    assert_eq!(scene.count("event_2100_06").await, 0);
}

#[tokio::test]
async fn coordinators_at_once_do_not_wait_for_each_other() {
    let scene = Scene::new().await;
    let mut other = scene.behind.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(hashtext('spillway history'))").execute(&mut *other).await.unwrap();

    assert_eq!(scene.store.maintain_history(0).await.unwrap(), None);

    other.commit().await.unwrap();
    let at_once = futures::future::join_all((0..4).map(|_| scene.store.maintain_history(0))).await;
    assert!(at_once.into_iter().all(|done| done.is_ok()));
}

#[tokio::test]
async fn a_reader_of_the_history_holds_maintenance_up_and_not_the_queue() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("pinned", &[1])).await;
    let old = "select add_history_month('event', date '2020-02-01')";
    scene.behind_the_scene(old).await.unwrap();
    let mut reader = scene.behind.begin().await.unwrap();
    sqlx::query("select count(*) from event").execute(&mut *reader).await.unwrap();

    let refused = scene.store.maintain_history(30).await.unwrap_err();
    let claimed = scene.claim(scene.open_session(LONG).await).await;
    reader.commit().await.unwrap();
    let dropped = scene.store.maintain_history(30).await.unwrap().unwrap();

    assert!(matches!(refused, StoreError::Conflict(_)), "{refused}");
    assert!(claimed.is_some());
    assert_eq!(dropped.dropped, ["event_2020_02"]);
}

#[tokio::test]
async fn the_view_tells_the_life_of_a_job() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("lives", &[1])).await;
    let session = scene.open_session(LONG).await;
    let first = scene.claim(session).await.unwrap();
    scene.apply(first, Event::Release { epoch: first.epoch }).await.unwrap();
    let second = scene.claim(session).await.unwrap();
    scene.complete(second, &scene.trained(second).await).await.unwrap();

    let told: Vec<(String, i32, Option<String>, String)> = sqlx::query_as(
        "select state, epoch, worker, detail from job_event where job_id = $1 and sweep = 'lives' order by event_id",
    )
    .bind(first.job.0)
    .fetch_all(&scene.behind)
    .await
    .unwrap();

    let by = Some("scripted".to_owned());
    let row = |state: &str, epoch, detail: &str| (state.to_owned(), epoch, by.clone(), detail.to_owned());
    let expected = [
        row("running", 0, ""),
        row("ready", 0, "released by the worker"),
        row("running", 1, ""),
        row("succeeded", 1, ""),
    ];
    assert_eq!(told, expected);
}

fn line(line: u32, text: &str) -> LogLine {
    LogLine { line, age: Duration::from_secs(60), text: text.to_owned() }
}

async fn texts(scene: &Scene, job: JobId, scope: LogScope, after: LogPosition) -> Vec<(i32, i32, String)> {
    let lines = scene.store.log_lines(job, scope, after, 100).await.unwrap();
    lines.into_iter().map(|line| (line.epoch, line.line, line.text)).collect()
}

#[tokio::test]
async fn lines_of_a_log_are_kept_once_and_only_of_the_attempt_that_runs() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("logged", &[1])).await;
    let session = scene.open_session(LONG).await;
    let first = scene.claim(session).await.unwrap();
    let unborn = Attempt { epoch: Epoch(1), ..first };
    let (one, two) = (line(1, "one"), line(2, "two"));

    assert_eq!(scene.store.add_log_lines(first, &[one.clone(), two.clone()]).await.unwrap(), Currency::Current);
    assert_eq!(
        scene.store.add_log_lines(first, &[line(2, "another"), line(3, "three")]).await.unwrap(),
        Currency::Current
    );
    assert_eq!(scene.store.add_log_lines(unborn, std::slice::from_ref(&one)).await.unwrap(), Currency::Stale);
    scene.apply(first, Event::Release { epoch: first.epoch }).await.unwrap();
    assert_eq!(scene.store.add_log_lines(first, &[line(4, "late")]).await.unwrap(), Currency::Stale);
    let second = scene.claim(session).await.unwrap();
    scene.store.add_log_lines(second, &[one]).await.unwrap();

    let of = |epoch, line, text: &str| (epoch, line, text.to_owned());
    let all = [of(0, 1, "one"), of(0, 2, "two"), of(0, 3, "three"), of(1, 1, "one")];
    let from_start = LogScope::From(Epoch(0));
    assert_eq!(texts(&scene, first.job, from_start, LogPosition::default()).await, all);
    assert_eq!(texts(&scene, first.job, from_start, LogPosition { epoch: 0, line: 2 }).await, all[2..]);
    assert_eq!(texts(&scene, first.job, LogScope::Attempt(Epoch(0)), LogPosition::default()).await, all[..3]);
    let tail = scene.store.log_tail(first.job, from_start, 2).await.unwrap();
    assert_eq!(texts(&scene, first.job, from_start, tail).await, all[2..]);
    assert_eq!(scene.store.log_tail(first.job, from_start, 9).await.unwrap(), LogPosition::default());
    let standing = scene.store.log_standing(first.job).await.unwrap().unwrap();
    assert_eq!((standing.state, standing.newest), (StateName::Running, Some(Epoch(1))));
    assert_eq!(scene.store.log_standing(JobId(999)).await.unwrap(), None);
    let stored = scene.store.log_lines(first.job, from_start, LogPosition::default(), 1).await.unwrap().remove(0);
    let age: f64 = sqlx::query_scalar("select extract(epoch from now() - at)::float8 from job_log where line = 3")
        .fetch_one(&scene.behind)
        .await
        .unwrap();
    assert!(age >= 60.0 && stored.time().as_micros() > 0, "{age}");
}

#[tokio::test]
async fn the_history_from_before_its_months_is_moved_into_them() {
    let address = localdb::shared_for_tests().unwrap().fresh_database().unwrap();
    let behind = sqlx::PgPool::connect(&address).await.unwrap();
    let run = async |text: String| sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&behind).await.unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut migrations: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    migrations.sort();
    let is_older = |path: &&std::path::PathBuf| path.file_name().unwrap().to_str().unwrap() < "0008";
    for migration in migrations.iter().filter(is_older) {
        run(std::fs::read_to_string(migration).unwrap()).await;
    }
    run("insert into sweep (id, name, fingerprint, document, priority, device, checkpoint_secs, seeds) \
         values ('00000000-0000-0000-0000-000000000001', 'old', decode(repeat('00', 32), 'hex'), '{}', 50, 'any', 30, 1); \
         insert into event (at, sweep_id, kind) \
         select at, '00000000-0000-0000-0000-000000000001', to_char(at, 'YYYY-MM') \
         from unnest(array['2026-01-31 23:59:59+00', '2026-02-01 00:00:00+00', now()]) as at"
        .to_owned())
    .await;

    let operations = migrations.iter().find(|path| path.ends_with("0008_operations.sql")).unwrap();
    run(std::fs::read_to_string(operations).unwrap()).await;
    run("insert into event (sweep_id, kind) select id, 'new' from sweep".to_owned()).await;

    let moved: Vec<(i64, String, String)> =
        sqlx::query_as("select id, kind, tableoid::regclass::text from event order by id")
            .fetch_all(&behind)
            .await
            .unwrap();
    assert_eq!(moved.iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((moved[0].1.as_str(), moved[0].2.as_str()), ("2026-01", "event_2026_01"));
    assert_eq!((moved[1].1.as_str(), moved[1].2.as_str()), ("2026-02", "event_2026_02"));
    assert_eq!(moved[2].2, moved[3].2);
    let ahead: bool = sqlx::query_scalar("select not add_history_month('event', (now() + interval '1 month')::date)")
        .fetch_one(&behind)
        .await
        .unwrap();
    assert!(ahead, "the next month is there");
}
