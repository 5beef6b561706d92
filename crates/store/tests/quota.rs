//! Quotas and the look for metrics: right numbers, and no reading of jobs that have ended, whatever the plan.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use domain::job::{JobKind, StateName};
use scene::{LONG, Scene, sweep_spec};
use sqlx::{AssertSqlSafe, Executor, Row};

/// Far more than are open.
const ENDED: u32 = 100_000;

/// A scene whose history is long and whose queue is short: one sweep of the user `ada`.
async fn long_history() -> Scene {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("history", &[1])).await;
    let clones = format!(
        "insert into job (sweep_id, experiment_id, kind, state, device, priority, max_failures, max_infrastructure_failures, max_crashes)
         select sweep_id, experiment_id, kind, 'succeeded', device, priority, max_failures, max_infrastructure_failures, max_crashes
         from job cross join generate_series(1, {ENDED}) where kind = 'train'"
    );
    scene.behind.execute(AssertSqlSafe(clones)).await.unwrap();
    scene.submit(&sweep_spec("open", &[1, 2])).await;
    scene.behind.execute("vacuum analyze job").await.unwrap();
    scene.behind.execute("analyze sweep").await.unwrap();
    scene
}

/// The generic plan of a statement, run.
async fn plan(scene: &Scene, parameter: &str, statement: &str, value: &str) -> String {
    let mut connection = scene.behind.acquire().await.unwrap();
    for step in [
        "set plan_cache_mode = force_generic_plan".to_owned(),
        "deallocate all".to_owned(),
        format!("prepare asked{parameter} as {statement}"),
    ] {
        connection.execute(AssertSqlSafe(step)).await.unwrap();
    }
    let explain = format!("explain (analyze, buffers, timing off) execute asked{value}");
    let rows = connection.fetch_all(AssertSqlSafe(explain)).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_users_open_jobs_are_counted_without_those_that_have_ended() {
    let scene = long_history().await;
    let mut transaction = scene.store.begin().await.unwrap();

    // Two train jobs of `open` with two evaluations each, one and two of `history`.
    assert_eq!(transaction.lock_open_jobs("ada").await.unwrap(), 9);
    assert_eq!(transaction.lock_open_jobs("grace").await.unwrap(), 0);

    let plan = plan(&scene, "(text)", include_str!("../queries/quota/open_jobs.sql"), "('ada')").await;
    assert!(plan.contains("job_sweep"), "{plan}");
    assert!(!plan.contains("Seq Scan on job"), "{plan}");
    let buffers = buffers_of(&plan);
    assert!(buffers < 100, "{buffers} pages for 9 jobs:\n{plan}");
}

#[tokio::test]
async fn a_sample_counts_by_state_and_reads_no_history() {
    let scene = long_history().await;
    scene.open_session(LONG).await;

    let sample = scene.store.queue_sample(LONG).await.unwrap();

    let depth = |kind, state| {
        let found = sample.depths.iter().find(|depth| depth.kind == kind && depth.state == state);
        found.unwrap().jobs
    };
    assert_eq!(depth(JobKind::Train, StateName::Ready), 3);
    assert_eq!(depth(JobKind::Evaluate, StateName::Blocked), 6);
    assert_eq!(depth(JobKind::Train, StateName::Running), 0);
    assert_eq!(sample.oldest_ready.iter().map(|ready| ready.kind).collect::<Vec<_>>(), [JobKind::Train]);
    assert_eq!(sample.sessions.iter().map(|count| count.sessions).sum::<i64>(), 1);
    let looks: [(&str, &[&str]); 2] = [
        (include_str!("../queries/job/depths.sql"), &["job_blocked", "job_ready", "job_running"]),
        (include_str!("../queries/job/oldest_ready.sql"), &["job_ready"]),
    ];
    for (statement, indexes) in looks {
        let plan = plan(&scene, "", statement, "").await;
        for index in indexes {
            assert!(plan.contains(index), "{index} in\n{plan}");
        }
        assert!(!plan.contains("Seq Scan on job"), "{plan}");
        let buffers = buffers_of(&plan);
        assert!(buffers < 100, "{buffers} pages for 9 jobs:\n{plan}");
    }
}

/// Pages that the whole statement read; the first line of buffers is the topmost node's.
fn buffers_of(plan: &str) -> u64 {
    let line = plan.lines().find(|line| line.contains("Buffers:")).unwrap();
    let counts = line.split_whitespace().filter_map(|word| word.strip_prefix("hit=").or(word.strip_prefix("read=")));
    counts.map(|count| count.parse::<u64>().unwrap()).sum()
}
