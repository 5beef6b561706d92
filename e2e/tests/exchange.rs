//! A trained flow leaves as the reference's checkpoint, comes back, and is evaluated: the numbers are the same.

#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

use std::path::Path;
use std::process::Output;

use domain::sweep::SweepSpec;
use e2e::{Cluster, ClusterOptions, tiny_sweep};

/// The same experiment, begun from stored weights and trained no further.
fn as_it_is(name: &str, weights: &str) -> SweepSpec {
    let mut sweep = tiny_sweep(name, &[1], 0);
    sweep.base.training.initial_weights = Some(weights.parse().expect("a digest in hexadecimal"));
    sweep
}

fn spillway(cluster: &Cluster, arguments: &[&str]) -> Output {
    let program = e2e::command("spillway");
    program.unwrap().args(["--endpoint", cluster.endpoint(0)]).args(arguments).output().unwrap()
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().trim().to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn a_model_that_went_to_the_reference_s_format_and_back_gives_the_same_numbers() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    cluster.submit(&tiny_sweep("trained", &[1], 20)).await.unwrap();
    cluster.await_success("trained").await.unwrap();
    let digest = cluster.sql("select checkpoint from trained_model where sweep = 'trained'").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let sweep_file = path("sweep.json");
    std::fs::write(&sweep_file, serde_json::to_string(&tiny_sweep("trained", &[1], 20)).unwrap()).unwrap();

    let (theirs, ours) = (path("theirs.pt"), path("ours.safetensors"));
    let to_theirs = ["checkpoint", "export", digest.trim(), "--format", "flows-ood", "--out", text(&theirs)];
    succeeded(&spillway(&cluster, &to_theirs));
    let import = ["checkpoint", "import", text(&theirs), "--format", "flows-ood", "--spec", text(&sweep_file)];
    let to_ours = [import.as_slice(), &["--out", text(&ours), "--store"]].concat();
    let imported = succeeded(&spillway(&cluster, &to_ours));
    let described = succeeded(&spillway(&cluster, &["checkpoint", "inspect", &imported]));
    cluster.submit(&as_it_is("imported", &imported)).await.unwrap();
    cluster.await_success("imported").await.unwrap();

    assert_ne!(imported, digest.trim(), "an imported file has no optimiser and another document");
    assert!(described.contains("origin       flows-ood file with SHA-256"), "{described}");
    let numbers = |sweep: &str| {
        let values = "select score, metric, dataset, value, ci_low, ci_high, n_in, n_out from evaluation";
        cluster.sql(&format!("{values} where sweep = '{sweep}' order by metric, dataset")).unwrap()
    };
    assert!(numbers("trained").lines().count() > 5, "{}", numbers("trained"));
    assert_eq!(numbers("imported"), numbers("trained"));
}

#[tokio::test]
async fn weights_that_nobody_stored_are_refused_at_submit() {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();

    let refusal = cluster.submit(&as_it_is("nothing", &"ab".repeat(32))).await.unwrap_err();

    let text = format!("{refusal:#}");
    assert!(text.contains("training.initial_weights"), "{text}");
}
