//! How Postgres would run the statements of the queue with thousands of sweeps and 100,000 jobs in the table: with plans made for
//! the values, and with generic plans; with and without an old snapshot that keeps dead rows. None reads the table of jobs
//! whole, nor a large part of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use scene::{LONG, Scene, sweep_spec};
use serde_json::Value;
use sqlx::{Connection, PgConnection, Row};

/// Statements on the way of a claim, a completion, a heartbeat and a report, each with arguments that fit the scene.
const STATEMENTS: [(&str, &str, &str); 13] = [
    ("lane/ready", include_str!("../queries/lane/ready.sql"), "(64)"),
    ("lane/ready_of", include_str!("../queries/lane/ready_of.sql"), "(array['LONG', 'SHORT']::uuid[], 64)"),
    ("lane/running", include_str!("../queries/lane/running.sql"), ""),
    (
        "job/claim",
        include_str!("../queries/job/claim.sql"),
        "(array['SESSION']::uuid[], array['LONG']::uuid[], array['train'], array[0])",
    ),
    ("job/count_running", include_str!("../queries/job/count_running.sql"), "('LONG')"),
    ("job/lock_many", include_str!("../queries/job/lock_many.sql"), "(array[500, 90000, 70001])"),
    (
        "job/save",
        include_str!("../queries/job/save.sql"),
        "(array[500]::bigint[], array[0], array['ready'], array[1], array[null]::timestamptz[], array[null]::uuid[],
          array[0]::smallint[], array[0]::smallint[], array[0]::smallint[], array[null]::text[], array[''],
          array[null]::text[], array[null]::text[], array[null]::bytea[])",
    ),
    (
        "job/lock_dependents",
        include_str!("../queries/job/lock_dependents.sql"),
        "(array[500, 90000]::bigint[], array['blocked'])",
    ),
    (
        "attempt_outcome/find",
        include_str!("../queries/attempt_outcome/find.sql"),
        "(array[500, 90000]::bigint[], array[0, 0])",
    ),
    (
        "progress/upsert",
        include_str!("../queries/progress/upsert.sql"),
        "('SESSION', array[500, 90000]::bigint[], array[0, 0], array[1, 1]::bigint[], array[2, 2]::bigint[],
          array[1, 1]::double precision[], array[null, 1]::double precision[])",
    ),
    ("preemption/waiting", include_str!("../queries/preemption/waiting.sql"), "(0, 20::smallint, 16, 500)"),
    ("preemption/stations", include_str!("../queries/preemption/stations.sql"), ""),
    (
        "job/local",
        include_str!("../queries/job/local.sql"),
        "('LONG', 'evaluate', array[sha256('weights'::bytea), sha256('others'::bytea)], 8)",
    ),
];
/// More rows than any of these statements may read from the table of jobs; it holds 100,000.
const MOST_ROWS: u64 = 20_000;

/// A long sweep of 90,000 jobs, half of them ended, and 2,000 sweeps of five jobs.
const FILL: &str = "
    insert into sweep (id, name, fingerprint, document, priority, device, checkpoint_secs, seeds)
    select gen_random_uuid(), 'short-' || n, fingerprint, document, priority, device, checkpoint_secs, seeds
    from sweep cross join generate_series(1, 2000) as n where name = 'long';

    insert into variant (sweep_id, ordinal, label, fingerprint, in_dataset)
    select sweep.id, 0, '', variant.fingerprint, in_dataset from sweep cross join variant where sweep.name like 'short-%';

    insert into experiment (sweep_id, variant_id, seed, fingerprint)
    select variant.sweep_id, variant.id, n, variant.fingerprint
    from variant join sweep on sweep.id = variant.sweep_id
    cross join lateral generate_series(1, case when sweep.name = 'long' then 90000 else 5 end) as n
    on conflict do nothing;

    insert into job (sweep_id, experiment_id, kind, state, device, priority, max_failures, max_infrastructure_failures, max_crashes)
    select sweep_id, id, 'train', case when seed % 2 = 0 then 'succeeded' else 'ready' end, 'any', 50, 3, 10, 3
    from experiment where not exists (select from job where job.experiment_id = experiment.id);

    analyze;
";

async fn explain(connection: &mut PgConnection, name: &str, statement: &str, arguments: &str) -> Value {
    let prepared = format!("prepare hot as {statement}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(prepared)).execute(&mut *connection).await.unwrap();
    let mut plan = None;
    // After five executions the server may go over to a generic plan by itself.
    for _ in 0..7 {
        let asked = format!("explain (analyze, format json) execute hot{arguments}");
        let mut transaction = connection.begin().await.unwrap();
        let row = sqlx::raw_sql(sqlx::AssertSqlSafe(asked)).fetch_one(&mut *transaction).await;
        let row = row.unwrap_or_else(|error| panic!("{name}: {error}"));
        plan = Some(row.get::<Value, _>(0));
        transaction.rollback().await.unwrap();
    }
    sqlx::raw_sql("deallocate hot").execute(&mut *connection).await.unwrap();
    plan.unwrap()
}

/// Every node of a plan that reads `job`, with the rows that it took in.
fn scans_of_jobs(plan: &Value, found: &mut Vec<(String, u64)>) {
    match plan {
        Value::Array(nodes) => nodes.iter().for_each(|node| scans_of_jobs(node, found)),
        Value::Object(node) => {
            let number = |key: &str| node.get(key).and_then(Value::as_f64).unwrap_or(0.0);
            if node.get("Relation Name") == Some(&Value::from("job")) {
                let rows = (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops").max(1.0);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
                found.push((node["Node Type"].as_str().unwrap_or_default().to_owned(), rows as u64));
            }
            node.values().for_each(|child| scans_of_jobs(child, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

async fn assert_plans_are_sound(scene: &Scene, when: &str) {
    let id = async |from: &'static str| sqlx::query_scalar::<_, String>(from).fetch_one(&scene.behind).await.unwrap();
    let names = [
        ("LONG", id("select id::text from sweep where name = 'long'").await),
        ("SHORT", id("select id::text from sweep where name = 'short-77'").await),
        ("SESSION", id("select id::text from session").await),
    ];
    for mode in ["auto", "force_generic_plan"] {
        let mut connection = scene.behind.acquire().await.unwrap();
        let set = format!("set plan_cache_mode = {mode}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(set)).execute(&mut *connection).await.unwrap();
        for (name, statement, arguments) in STATEMENTS {
            let arguments = names.iter().fold(arguments.to_owned(), |text, (name, id)| text.replace(name, id));
            let plan = explain(&mut connection, name, statement, &arguments).await;
            let mut scans = Vec::new();
            scans_of_jobs(&plan, &mut scans);
            assert!(!scans.is_empty() || name == "attempt_outcome/find", "{name} reads no job\n{plan:#}");
            for (node, rows) in scans {
                let what = format!("{name}, {mode}, {when}: {node} of {rows} rows of job\n{plan:#}");
                assert!(node != "Seq Scan", "{what}");
                assert!(rows <= MOST_ROWS, "{what}");
            }
        }
        sqlx::raw_sql("reset plan_cache_mode").execute(&mut *connection).await.unwrap();
    }
}

#[tokio::test]
async fn no_statement_of_the_queue_reads_the_whole_table_of_jobs() {
    let scene = Scene::new().await;
    scene.submit(&sweep_spec("long", &[1])).await;
    scene.behind_the_scene(FILL).await.unwrap();
    assert!(scene.count("job").await > 99_000);
    scene.open_session(LONG).await;
    // Something less important than everything that waits.
    scene
        .behind_the_scene(
            "with low as (
                 update job set state = 'running', session_id = (select id from session)
                 where id = (select max(id) from job where state = 'ready')
                 returning id, sweep_id, session_id
             ),
             started as (insert into attempt (job_id, epoch, session_id) select id, 0, session_id from low)
             update sweep set priority = 10 where id = (select sweep_id from low)",
        )
        .await
        .unwrap();

    assert_plans_are_sound(&scene, "nothing pinned").await;

    // A reader that keeps its snapshot: the rows claimed and ended meanwhile stay in the table and in its indexes.
    let mut reader = scene.behind.begin().await.unwrap();
    sqlx::raw_sql("set transaction isolation level repeatable read; select count(*) from job")
        .execute(&mut *reader)
        .await
        .unwrap();
    scene
        .behind_the_scene(
            "update job set state = 'succeeded', epoch = epoch + 1
             where state = 'ready' and id in (select id from job where state = 'ready' order by ready_seq limit 10000)",
        )
        .await
        .unwrap();
    assert_plans_are_sound(&scene, "an old snapshot pinned").await;
    reader.rollback().await.unwrap();
}
