//! The programs as a user meets them: refusals that name the thing and the remedy, exit codes, the command line.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

use std::process::Output;

use e2e::{Cluster, ClusterOptions, tiny_sweep};

fn run(program: &str, arguments: &[&str]) -> Output {
    e2e::command(program).unwrap().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn a_bad_sweep_is_refused_by_the_coordinator_with_the_name_of_the_field() {
    let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    let mut sweep = tiny_sweep("bad", &[1], 10);
    sweep.base.training.batch_size = 0;

    let refusal = cluster.submit(&sweep).await.unwrap_err();

    let status = refusal.downcast_ref::<tonic::Status>().unwrap();
    let violations = proto::convert::violations_of(status).unwrap();
    let violation = violations.iter().next().unwrap();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert_eq!(violation.field, "base.training.batch_size");
    assert!(violation.message.contains("2 to 65536"), "{violation}");
}

#[tokio::test]
async fn the_command_line_submits_a_file_and_prints_its_table() {
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sweep.json");
    std::fs::write(&file, serde_json::to_string(&tiny_sweep("by-hand", &[1], 20)).unwrap()).unwrap();
    let endpoint = cluster.endpoint(0).to_owned();

    let submitted = run("spillway", &["--endpoint", &endpoint, "submit", file.to_str().unwrap()]);
    assert!(submitted.status.success(), "{}", text(&submitted.stderr));
    cluster.await_success("by-hand").await.unwrap();
    let results = run("spillway", &["--endpoint", &endpoint, "results", "by-hand", "--format", "json"]);

    assert!(results.status.success(), "{}", text(&results.stderr));
    let document: serde_json::Value = serde_json::from_slice(&results.stdout).unwrap();
    assert!(document.to_string().contains("synthetic-strokes"), "{document}");
}

#[test]
fn a_coordinator_without_its_database_says_which_one_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = "postgres://spillway@127.0.0.1:9/spillway";

    let ended = run(
        "spillway-coordinator",
        &[
            "--database-url",
            nowhere,
            "--listen",
            "127.0.0.1:0",
            "--artifacts",
            folder.path().to_str().unwrap(),
            "--database-wait-secs",
            "1",
        ],
    );

    assert!(!ended.status.success());
    let said = text(&ended.stderr) + &text(&ended.stdout);
    assert!(said.contains("127.0.0.1") && said.contains("database"), "{said}");
}

#[test]
fn a_worker_asked_for_cuda_without_it_refuses_and_says_how_to_fix_it() {
    let ended = run("spillway-worker", &["--coordinator", "http://127.0.0.1:9", "--device", "cuda"]);

    assert!(!ended.status.success());
    let said = text(&ended.stderr);
    assert!(said.contains("cuda") && said.contains("--cuda-library"), "{said}");
}
