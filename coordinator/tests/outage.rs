//! A database that goes away and comes back, and the program as a process.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use localdb::{Options, PrivateCluster};
use proto::v1;
use rustix::process::{Pid, Signal, kill_process};
use scene::{Scene, code, soon, sweep_spec};
use tonic::Code;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_restarts_loses_nothing_and_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::find().unwrap();
    let postgres = PrivateCluster::start(folder.path(), &options).unwrap();
    let scene = Scene::on(postgres.url());
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("outage", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempt = worker.attempt().await;

    postgres.stop().unwrap();
    assert_eq!(code(worker.heartbeat(&[attempt]).await), Code::Unavailable);
    let postgres = PrivateCluster::start(folder.path(), &options).unwrap();
    assert_eq!(postgres.url(), scene.database);

    let beaten = async {
        loop {
            match worker.heartbeat(&[attempt]).await {
                Ok(directives) => return directives,
                Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
            }
        }
    };
    assert_eq!(soon("a heartbeat", beaten).await, [], "the attempt is still the worker's");
    assert_eq!(coordinator.states("outage").await, ["running", "blocked"]);
    let request = v1::ReleaseRequest { attempt: Some(attempt) };
    worker.client.release(request).await.unwrap();
    assert_eq!(worker.attempt().await.epoch, 1, "claims and wake-ups work again");
    coordinator.ended().await;
}

#[test]
fn the_program_says_where_it_listens_and_ends_when_it_is_told() {
    let database = localdb::shared_for_tests().unwrap().fresh_database().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_spillway-coordinator"))
        .args(["--listen", "127.0.0.1:0", "--artifacts", folder.path().to_str().unwrap()])
        .env("SPILLWAY_DATABASE_URL", database)
        .env("SPILLWAY_LOG", "warn")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();

    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    kill_process(Pid::from_child(&program), Signal::TERM).unwrap();

    assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
    assert!(program.wait().unwrap().success());
}
