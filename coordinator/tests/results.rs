//! What users read of results: tables in streams, views with comments, and the role that may read them.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::{collections::BTreeSet, fs, path::Path};

use domain::{spec::parse_document, sweep::SweepSpec};
use prost::Message;
use proto::v1;
use scene::{Running, Scene, code, sweep_spec};
use tonic::Code;

/// Gives every job a result: 25 scores, 3 metrics.
const FILL: &str = include_str!("scene/fill.sql");
/// What a client takes in one message unless it asks for more.
const USUAL_LIMIT: usize = 4 * 1024 * 1024;

/// Two masks, three seeds, two OOD datasets.
fn demo() -> SweepSpec {
    let document = serde_json::json!({
        "name": "demo",
        "seeds": [1, 2, 3],
        "base": {
            "model": {"realnvp": {"mask": "cycle", "st_network": {"resnet": {"width": 4, "blocks": 1}}}},
            "data": {"dataset": "fashion-mnist"},
            "training": {"steps": 30, "batch_size": 8, "optimiser": {"adam": {"learning_rate": 5e-4}}},
            "evaluation": {"out": ["mnist", "kmnist"]},
        },
        "expansion": {"grid": {"axes": [{"field": "model.realnvp.mask", "values": ["horizontal", "cycle"]}]}},
    });
    parse_document(&document, "").unwrap()
}

/// A cluster whose only sweep is done.
async fn finished(spec: &SweepSpec) -> (Scene, Running) {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(spec).await.unwrap();
    scene.sql(FILL);
    (scene, coordinator)
}

fn request(sweep: &str) -> v1::QueryTableRequest {
    v1::QueryTableRequest { sweep: sweep.to_owned(), ..v1::QueryTableRequest::default() }
}

async fn messages(coordinator: &Running, request: v1::QueryTableRequest) -> Vec<v1::QueryTableResponse> {
    let mut stream = coordinator.results().query_table(request).await.unwrap().into_inner();
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        messages.push(message);
    }
    messages
}

async fn rows(coordinator: &Running, request: v1::QueryTableRequest) -> Vec<v1::TableRow> {
    messages(coordinator, request).await.into_iter().flat_map(|message| message.rows).collect()
}

#[tokio::test]
async fn table_has_a_row_for_each_variant_dataset_score_and_metric_over_seeds() {
    let (scene, coordinator) = finished(&demo()).await;
    // One evaluation is still to come.
    scene.sql("delete from measurement where job_id = (select min(job_id) from measurement)");

    let all = rows(&coordinator, request("demo")).await;

    assert_eq!(all.len(), 2 * 2 * 25 * 3);
    let partial: Vec<_> = all.iter().filter(|row| row.partial).collect();
    // WAIC is one number over all seeds, never a part of them.
    assert_eq!(partial.len(), 24 * 3);
    assert!(partial.iter().all(|row| (row.seeds, row.seeds_planned) == (2, 3) && row.mean.is_some()));
    let whole = all.iter().find(|row| !row.partial).unwrap();
    assert_eq!((whole.seeds, whole.ci_method.as_str(), whole.device.as_str()), (3, "student-t over seeds", "cpu"));
    assert!(whole.sd.unwrap() > 0.0 && whole.ci_low < whole.mean && whole.mean < whole.ci_high, "{whole:?}");
    let auroc = scene.rows("select count(*), count(*) filter (where partial) from auroc");
    assert_eq!(auroc, ["100|24"]);
}

#[tokio::test]
async fn filters_choose_rows_and_what_is_not_understood_is_refused() {
    let (_scene, coordinator) = finished(&demo()).await;
    let only = v1::QueryTableRequest {
        variants: vec!["mask=cycle".to_owned()],
        out_datasets: vec!["mnist".to_owned()],
        scores: vec!["dose".to_owned(), "typicality".to_owned()],
        metrics: vec!["auroc".to_owned()],
        ..request("demo")
    };

    let chosen = rows(&coordinator, only.clone()).await;
    let single = v1::QueryTableRequest { per_seed: true, seeds: vec![1, 3], ..only.clone() };
    let single = rows(&coordinator, single).await;
    let everything = rows(&coordinator, v1::QueryTableRequest { per_seed: true, ..request("demo") }).await;

    let names: Vec<_> = chosen.iter().map(|row| (row.variant.as_str(), row.score.as_str())).collect();
    assert_eq!(names, [("mask=cycle", "dose"), ("mask=cycle", "typicality")]);
    assert_eq!(single.iter().map(|row| row.seed.unwrap()).collect::<Vec<_>>(), [1, 1, 3, 3]);
    assert_eq!(everything.len(), 2 * 3 * 2 * (25 * 3 + 2 * 5), "numbers of one dataset stand among those of both");
    let wrong = [
        v1::QueryTableRequest { variants: vec!["mask=x".to_owned()], ..request("demo") },
        v1::QueryTableRequest { seeds: vec![1], ..request("demo") },
        v1::QueryTableRequest { scores: vec![String::new()], ..request("demo") },
        v1::QueryTableRequest { metrics: vec!["auroc".to_owned(); 1001], ..request("demo") },
    ];
    for request in wrong {
        assert_eq!(code(coordinator.results().query_table(request).await), Code::InvalidArgument);
    }
    assert_eq!(code(coordinator.results().query_table(request("nowhere")).await), Code::NotFound);
}

#[tokio::test]
async fn watched_and_queried_tables_have_the_scores_that_were_asked_for() {
    let (_scene, coordinator) = finished(&demo()).await;
    let scores = vec!["dose".to_owned()];

    let request = v1::QueryAurocRequest { sweep: "demo".to_owned(), scores: scores.clone() };
    let table = coordinator.results().query_auroc(request).await.unwrap().into_inner().rows;
    let request = v1::WatchRequest { sweep: "demo".to_owned(), scores };
    let mut watch = coordinator.sweeps().watch(request).await.unwrap().into_inner();
    let snapshot = watch.message().await.unwrap().unwrap();

    assert_eq!(table.len(), 4);
    assert_eq!((snapshot.auroc, snapshot.auroc_rows), (table, 4));
}

#[tokio::test]
async fn learned_dataset_counts_once_in_bits_per_dim() {
    let (_scene, coordinator) = finished(&demo()).await;
    let request = v1::QueryBitsPerDimRequest { sweep: "demo".to_owned(), variants: Vec::new() };

    let mut stream = coordinator.results().query_bits_per_dim(request).await.unwrap().into_inner();
    let rows = stream.message().await.unwrap().unwrap().rows;

    let datasets: Vec<_> = rows.iter().map(|row| (row.dataset.as_str(), row.in_distribution)).collect();
    assert_eq!(datasets[..3], [("fashion-mnist", true), ("kmnist", false), ("mnist", false)]);
    let learned = &rows[0];
    // Three outliers and the seed's hundredth, in each of three seeds and not in each of six evaluations.
    assert!((learned.outliers.unwrap() - 9.06).abs() < 1e-9, "{learned:?}");
    assert!((learned.mean.unwrap() - 2.52).abs() < 1e-9 && (learned.mean_sd.unwrap() - 0.01).abs() < 1e-9);
    assert_eq!((learned.seeds, learned.seeds_planned, learned.images), (3, 3, 10_000));
}

#[tokio::test]
async fn experiments_are_listed_with_the_settings_that_were_asked_for() {
    let (_scene, coordinator) = finished(&demo()).await;
    let asked = ["model.realnvp.mask", "training.steps", "model.realnvp.masks"].map(str::to_owned).to_vec();
    let request = v1::ListExperimentsRequest { sweep: "demo".to_owned(), settings: asked, ..Default::default() };

    let mut stream = coordinator.results().list_experiments(request).await.unwrap().into_inner();
    let experiments = stream.message().await.unwrap().unwrap().experiments;

    assert_eq!(experiments.len(), 6);
    let first = &experiments[0];
    assert_eq!((first.variant.as_str(), first.seed, first.state.as_str()), ("mask=horizontal", 1, "succeeded"));
    assert_eq!((first.jobs_done, first.jobs_total, first.checkpoint.len()), (3, 3, 32));
    let settings: BTreeSet<_> = first.settings.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
    assert_eq!(settings, BTreeSet::from([("model.realnvp.mask", "horizontal"), ("training.steps", "30")]));
    let one = v1::ListExperimentsRequest { experiment_id: experiments[4].experiment_id, ..Default::default() };
    let mut stream = coordinator.results().list_experiments(one.clone()).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().experiments[0].seed, 2);
    let both = v1::ListExperimentsRequest { sweep: "demo".to_owned(), ..one };
    assert_eq!(code(coordinator.results().list_experiments(both).await), Code::InvalidArgument);
    let unknown = v1::ListExperimentsRequest { experiment_id: 999, ..Default::default() };
    assert_eq!(code(coordinator.results().list_experiments(unknown).await), Code::NotFound);
}

/// The table of a thousand variants under 25 scores is several times what fits a message.
#[tokio::test]
async fn large_table_comes_in_messages_that_every_client_takes() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("large", &[1])).await.unwrap();
    scene.sql(
        "with added as (
            insert into variant (sweep_id, ordinal, label, fingerprint, in_dataset)
            select sweep_id, place, 'variant ' || place, sha256(convert_to('v' || place, 'UTF8')), in_dataset
            from variant cross join generate_series(1, 999) as place
            returning *
        ),
        spec as (
            insert into experiment_spec (fingerprint, document) select fingerprint, '{}' from added
        ),
        tried as (
            insert into experiment (sweep_id, variant_id, seed, fingerprint) select sweep_id, id, 1, fingerprint from added
            returning *
        ),
        trained as (
            insert into job
                (sweep_id, experiment_id, kind, state, device, priority, max_failures, max_infrastructure_failures, max_crashes)
            select sweep_id, id, 'train', 'ready', 'any', 50, 3, 3, 3 from tried
            returning *
        ),
        evaluated as (
            insert into job (sweep_id, experiment_id, depends_on, kind, state, device, priority, max_failures,
                max_infrastructure_failures, max_crashes)
            select sweep_id, experiment_id, id, 'evaluate', 'blocked', 'any', 50, 3, 3, 3 from trained
            returning *
        )
        insert into evaluation_target (job_id, out_dataset) select id, 'synthetic-strokes' from evaluated",
    );
    scene.sql(FILL);

    let messages = messages(&coordinator, request("large")).await;

    let sizes: Vec<usize> = messages.iter().map(Message::encoded_len).collect();
    assert!(sizes.iter().sum::<usize>() > 2 * USUAL_LIMIT, "the table would fit a message");
    assert!(sizes.iter().max().unwrap() < &(USUAL_LIMIT / 8), "{sizes:?}");
    let rows: Vec<_> = messages.into_iter().flat_map(|message| message.rows).collect();
    assert_eq!(rows.len(), 1000 * 25 * 3);
    let distinct: BTreeSet<_> = rows.iter().map(|row| (&row.variant, &row.score, &row.metric)).collect();
    assert_eq!(distinct.len(), rows.len());
}

#[tokio::test]
async fn every_view_and_each_of_its_columns_is_explained_in_the_database() {
    let scene = Scene::new();
    scene.start().await;

    let silent = scene.rows(
        "select format('%s.%s', view.relname, coalesce(attname, '(the view itself)'))
        from pg_class as view
        left join lateral (
            select attname, attnum from pg_attribute where attrelid = view.oid and attnum > 0 union all select null, 0
        ) as part on true
        where relkind = 'v' and relnamespace = current_schema()::regnamespace
            and case attnum when 0 then obj_description(view.oid, 'pg_class') else col_description(view.oid, attnum) end is null
        order by 1",
    );

    assert_eq!(silent, Vec::<String>::new());
}

/// Runs statements as a member of the role of readers; the error is what Postgres says.
fn as_reader(scene: &Scene, statements: &str) -> Result<Vec<String>, String> {
    let psql = localdb::ServerBinaries::find().unwrap().directory().join("psql");
    let ran = std::process::Command::new(psql)
        .args(["--quiet", "--no-psqlrc", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1"])
        .args(["--command", "set role spillway_test_member", "--command", statements, &scene.database])
        .output()
        .unwrap();
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).lines().map(str::to_owned).collect());
    }
    Err(String::from_utf8_lossy(&ran.stderr).into_owned())
}

/// Roles belong to the server, which other tests use at the same time.
fn make_member(scene: &Scene) {
    scene.sql(
        "do $$ begin create role spillway_test_member in role spillway_reader;
        exception when duplicate_object or unique_violation then null; end $$",
    );
}

#[tokio::test]
async fn readers_read_every_view_and_neither_write_nor_see_the_tables_below() {
    let (scene, _coordinator) = finished(&demo()).await;
    make_member(&scene);
    let views = scene.rows("select viewname from pg_views where schemaname = current_schema() order by 1");
    assert!(views.len() >= 12 && views.contains(&"statistics".to_owned()), "{views:?}");

    for view in &views {
        as_reader(&scene, &format!("select * from {view} limit 1")).unwrap();
    }
    let tables = scene.rows("select tablename from pg_tables where schemaname = current_schema()");
    for table in &tables {
        let refusal = as_reader(&scene, &format!("select * from {table} limit 1")).unwrap_err();
        assert!(refusal.contains("permission denied"), "{table}: {refusal}");
    }
    for write in [
        "delete from measurement",
        "update job set priority = 0",
        "insert into artifact values (sha256('x'), 1)",
        "create table mine (x int)",
        "create view auroc2 as select 1",
        "drop view auroc",
    ] {
        let refusal = as_reader(&scene, write).unwrap_err();
        assert!(refusal.contains("permission denied") || refusal.contains("must be owner"), "{write}: {refusal}");
    }
}

#[tokio::test]
async fn view_that_comes_later_is_shown_to_readers_by_the_next_coordinator() {
    let scene = Scene::new();
    scene.start().await.ended().await;
    make_member(&scene);
    scene.sql("create view later as select 1 as one");
    assert!(as_reader(&scene, "select one from later").is_err());

    scene.start().await;

    assert_eq!(as_reader(&scene, "select one from later"), Ok(vec!["1".to_owned()]));
}

#[tokio::test]
async fn every_query_in_the_docs_runs_for_readers_and_finds_something() {
    let (scene, _coordinator) = finished(&demo()).await;
    make_member(&scene);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/results.md");
    let text = fs::read_to_string(page).unwrap();
    let queries: Vec<&str> =
        text.split("```sql\n").skip(1).map(|rest| rest.split_once("```").expect("a block ends").0).collect();
    assert!(queries.len() >= 8, "{} queries", queries.len());

    for query in queries {
        let rows = as_reader(&scene, query).unwrap_or_else(|refusal| panic!("{query}\n{refusal}"));
        assert!(rows.iter().any(|row| !row.is_empty()), "found nothing:\n{query}");
    }
}
