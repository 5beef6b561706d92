//! Nothing left: a full disk at the artifact store, a database without a free connection. What was asked is refused with the remedy, nothing is
//! lost, and the coordinator goes on by itself as soon as there is room again.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::{
    fs::read_dir,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use domain::Digest;
use localdb::{Options, PrivateCluster};
use proto::{
    convert::{ToWire, retry_after_of},
    v1,
};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use scene::{Running, Scene, code, metric_in, soon, sweep_spec, trained};
use tonic::Code;

/// Ends the program with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// A coordinator as a process whose files may have one block: to it, the disk is full.
async fn on_a_full_disk(scene: &Scene) -> (Ended, Running) {
    // The signal is ignored, so that writes fail as they do on a full disk.
    let mut program = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -S -f 1; exec "$0" "$@""#, env!("CARGO_BIN_EXE_spillway-coordinator")])
        .args(["--listen", "127.0.0.1:0", "--artifacts", scene.folder.path().to_str().unwrap()])
        .env("SPILLWAY_DATABASE_URL", &scene.database)
        .env("SPILLWAY_LOG", "warn")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap().parse().unwrap();
    (Ended(program), Running::at(address).await)
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_an_artifact_leaves_no_half_of_it_and_loses_no_job() {
    let scene = Scene::new();
    let (program, coordinator) = on_a_full_disk(&scene).await;
    coordinator.submit(&sweep_spec("full", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempt = worker.attempt().await;
    let weights = vec![7_u8; 300_000];
    let digest = Digest::of(&weights);
    let put = || coordinator.put_as(digest, weights.len() as u64, &weights);

    let refusal = put().await.unwrap_err();

    assert_eq!(refusal.code(), Code::ResourceExhausted, "{refusal}");
    assert!(refusal.message().contains("the artifact store is full: File too large"), "{refusal}");
    assert!(refusal.message().contains("make room where SPILLWAY_ARTIFACTS of the coordinator points"), "{refusal}");
    assert_eq!(retry_after_of(&refusal), Some(Duration::from_secs(10)));
    let nothing = async {
        // What was staged is removed on another thread.
        while !files_under(scene.folder.path()).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon("the removal of what was staged", nothing).await;
    let stat = v1::StatRequest { digest: digest.to_wire() };
    assert!(!coordinator.artifacts().stat(stat).await.unwrap().into_inner().exists);
    let checkpoint = v1::CheckpointRef { digest: digest.to_wire(), step: 5 };
    assert_eq!(code(worker.report(attempt, &[], Some(checkpoint)).await), Code::InvalidArgument);
    assert_eq!(worker.heartbeat(&[attempt]).await.unwrap(), [], "the attempt is still the worker's");
    assert_eq!(coordinator.states("full").await, ["running", "blocked"]);

    // Somebody makes room, and the worker sends it again.
    let pid = Pid::from_child(&program.0);
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    assert!(put().await.unwrap());
    assert!(!worker.complete(attempt, trained(digest, 10)).await.unwrap());
    assert_eq!(files_under(scene.folder.path()).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_a_free_connection_is_an_outage_that_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = PrivateCluster::start(folder.path(), &Options::find().unwrap()).unwrap();
    let administrator = Scene::on(postgres.url());
    // Superusers are let in beyond every limit: the coordinator is to be none.
    administrator.sql("create role coordinator login");
    administrator.sql("alter database spillway owner to coordinator");
    let scene = Scene::on(postgres.url().replace("user=spillway", "user=coordinator"));
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("crowded-out", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempt = worker.attempt().await;
    let failures = "spillway_database_acquire_failures_total";
    let failures_before = coordinator.metric(failures).await.unwrap();

    // From now on nobody is let in, and who is in is sent away.
    administrator.sql("alter role coordinator connection limit 0");
    administrator.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'coordinator'");

    let refusal = soon("the refusal", worker.heartbeat(&[attempt])).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unavailable, "{refusal}");
    let text = "no database connection was to be had within 5 s: check that the database runs; if it does, raise \
                SPILLWAY_DATABASE_CONNECTIONS at the coordinator, or max_connections at the database if others use them up";
    assert_eq!(refusal.message(), text);
    assert_eq!(coordinator.get("/readyz").await.0, 503);
    assert_eq!(coordinator.get("/healthz").await.0, 200);
    let (_, scraped) = coordinator.get("/metrics").await;
    assert!(metric_in(&scraped, failures).unwrap() > failures_before);

    administrator.sql("alter role coordinator connection limit -1");
    let beaten = async {
        loop {
            match worker.heartbeat(&[attempt]).await {
                Ok(directives) => return directives,
                Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
            }
        }
    };
    assert_eq!(soon("a heartbeat", beaten).await, [], "the attempt is still the worker's");
    assert_eq!(coordinator.get("/readyz").await.0, 200);
    let weights = coordinator.put(b"weights").await;
    assert!(!worker.complete(attempt, trained(weights, 10)).await.unwrap());
    assert_eq!(coordinator.states("crowded-out").await, ["succeeded", "ready"]);
    coordinator.ended().await;
}
