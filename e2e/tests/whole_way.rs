//! The whole way through, undisturbed: from `submit` to the AUROC table.

use e2e::{Cluster, ClusterOptions, DEADLINE, tiny_model, tiny_sweep};
use proto::v1::{ListStatisticsRequest, QueryAurocRequest, WatchRequest};
use serde_json::json;

#[tokio::test]
async fn a_sweep_fills_its_auroc_table() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.add_worker().unwrap();

    cluster.submit(&tiny_sweep("whole-way", &[1, 2], 60)).await.unwrap();
    cluster.await_success("whole-way").await.unwrap();

    let request = QueryAurocRequest { sweep: "whole-way".to_owned(), scores: vec![] };
    let rows = cluster.results().unwrap().query_auroc(request).await.unwrap().into_inner().rows;
    let planned = tiny_sweep("whole-way", &[1, 2], 60).base.scores();
    assert_eq!(rows.len(), planned.len(), "every default score that fits has its row");
    let row = rows.iter().find(|row| row.score == "log-likelihood").unwrap();
    assert_eq!((row.seeds, row.seeds_planned, row.n_in, row.n_out), (2, 2, 64, 64));
    assert!((0.0..=1.0).contains(&row.auroc_mean.unwrap()), "{row:?}");
    assert_eq!(row.ci_method, "student-t over seeds");
    let from_sql = cluster
        .sql("select auroc_mean, auroc_sd, seeds from auroc where sweep = 'whole-way' and score = 'log-likelihood'")
        .unwrap();
    assert_eq!(from_sql.trim(), format!("{}|{}|2", row.auroc_mean.unwrap(), row.auroc_sd.unwrap()));
    let counts = cluster.summary("whole-way").await.unwrap().jobs.unwrap();
    assert_eq!((counts.succeeded, counts.failed, counts.ready, counts.blocked), (4, 0, 0, 0));
    let curve = cluster.sql("select count(*) > 0, max(step) from training_curve where sweep = 'whole-way'").unwrap();
    assert_eq!(curve.trim(), "t|60");
}

#[tokio::test]
async fn a_watcher_sees_the_table_grow_and_the_sweep_end() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&tiny_sweep("watched", &[1], 60)).await.unwrap();

    let request = WatchRequest { sweep: "watched".to_owned(), scores: vec![] };
    let mut stream = cluster.sweeps().unwrap().watch(request).await.unwrap().into_inner();
    let mut snapshots = Vec::new();
    while let Some(snapshot) = tokio::time::timeout(DEADLINE, stream.message()).await.expect("a snapshot").unwrap() {
        snapshots.push(snapshot);
    }

    let last = snapshots.last().unwrap();
    assert!(last.finished && !last.auroc.is_empty(), "{last:?}");
    assert!(snapshots.iter().any(|snapshot| snapshot.auroc.is_empty()), "the table was never seen empty");
    assert!(snapshots[..snapshots.len() - 1].iter().all(|snapshot| !snapshot.finished));
}

#[tokio::test]
async fn every_dataset_passes_a_flow_once_however_many_evaluations_need_it() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.add_worker().unwrap();
    let mut sweep = tiny_sweep("recorded", &[1], 20);
    sweep.base.evaluation.out =
        ["synthetic-strokes", "uniform-noise", "constant"].map(|name| name.parse().unwrap()).to_vec();
    sweep.base.evaluation.noise_draws = 2;

    cluster.submit(&sweep).await.unwrap();
    cluster.await_success("recorded").await.unwrap();

    let request = ListStatisticsRequest { sweep: "recorded".to_owned(), experiment_id: 0 };
    let listed = cluster.results().unwrap().list_statistics(request).await.unwrap().into_inner().statistics;
    let rows: Vec<_> = listed.iter().map(|row| (row.dataset.as_str(), row.split.as_str(), row.images)).collect();
    assert_eq!(
        rows,
        [
            ("synthetic-shapes", "test", 64),
            ("synthetic-shapes", "train", 64),
            ("synthetic-strokes", "test", 64),
            ("uniform-noise", "test", 64),
            ("constant", "test", 64),
        ]
    );
    assert!(listed.iter().all(|row| row.noise_draws == 2 && row.bytes > 64 * 300), "{listed:?}");
    let of_experiment = ListStatisticsRequest { sweep: String::new(), experiment_id: listed[0].experiment_id };
    let same = cluster.results().unwrap().list_statistics(of_experiment).await.unwrap().into_inner().statistics;
    assert_eq!(same, listed);
    let kinds = "select kind, count(*), count(distinct digest) from statistics where sweep = 'recorded' group by kind order by kind";
    assert_eq!(cluster.sql(kinds).unwrap().trim(), "evaluate|3|3\ntrain|2|2");
    let shown =
        "select count(distinct statistics) from evaluation where sweep = 'recorded' and out_dataset = 'constant'";
    assert_eq!(cluster.sql(shown).unwrap().trim(), "1");
    let undefined = "select string_agg(distinct score, ' ' order by score) from evaluation \
                     where sweep = 'recorded' and metric = 'auroc' and value is null";
    assert_eq!(cluster.sql(undefined).unwrap().trim(), "", "every score has its AUROC");
}

#[tokio::test]
async fn two_coordinators_serve_one_database() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_coordinator().await.unwrap();
    cluster.add_worker().unwrap();
    cluster.add_worker().unwrap();

    cluster.submit(&tiny_sweep("shared", &[1, 2, 3], 40)).await.unwrap();
    cluster.await_success("shared").await.unwrap();

    let attempts: Vec<u32> = cluster.jobs("shared").await.unwrap().iter().map(|job| job.attempts).collect();
    assert_eq!(attempts, [1; 6]);
}

#[tokio::test]
async fn glows_and_flows_over_vectors_go_the_whole_way() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    let glow = json!({"glow": {"steps": 1, "st_network": {"highway": {"width": 4, "blocks": 1}}}});
    let tabular = json!({"tabular": {"couplings": 2, "st_network": {"mlp": {"width": 8, "layers": 1}}}});

    let sweeps = [
        tiny_model("glow", &glow, ["synthetic-shapes-rgb", "synthetic-strokes-rgb"]),
        tiny_model("tabular", &tabular, ["synthetic-clusters-0", "synthetic-clusters-1"]),
    ];
    for sweep in &sweeps {
        cluster.submit(sweep).await.unwrap();
    }
    for sweep in &sweeps {
        cluster.await_success(&sweep.name).await.unwrap();
    }

    let found = cluster.sql("select sweep, seeds, n_in, n_out, auroc_mean between 0 and 1 from auroc where score = 'log-likelihood' order by sweep");
    assert_eq!(found.unwrap().trim(), "glow|1|64|64|t\ntabular|1|64|64|t");
}
