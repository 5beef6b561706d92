//! `spillway up`: one command brings a whole cluster to life, and SIGTERM ends it in order.

use std::path::Path;

use e2e::{Program, eventually, tiny_sweep};
use rustix::process::Signal;

/// Runs `spillway` in `state`'s cluster and returns what it printed.
fn spillway(state: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = e2e::command("spillway")?.arg("--state-dir").arg(state).args(arguments).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test]
async fn one_command_brings_a_cluster_up_and_sigterm_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let file = folder.path().join("sweep.json");
    std::fs::write(&file, serde_json::to_string(&tiny_sweep("up", &[1], 20)).unwrap()).unwrap();
    let flags = ["--state-dir", state.to_str().unwrap(), "up", "--listen", "127.0.0.1:0", "--threads", "1"];
    let mut up = Program::start("spillway", flags, &folder.path().join("up.log")).unwrap();

    let ready = eventually("the cluster is ready", || async {
        let gone = up.output().contains("error:");
        anyhow::ensure!(!gone, "{}", up.output());
        Ok(up.output().contains("ready:").then_some(()))
    });
    ready.await.unwrap();
    spillway(&state, &["submit", file.to_str().unwrap(), "--watch"]).unwrap();
    let table = spillway(&state, &["results", "up", "--format", "csv"]).unwrap();
    up.signal(Signal::TERM).unwrap();
    let mut status = None;
    while status.is_none() {
        status = up.try_wait().unwrap();
        tokio::task::yield_now().await;
    }

    assert!(table.contains("synthetic-shapes,synthetic-strokes,log-likelihood,auroc,1,1,0,"), "{table}");
    assert!(status.unwrap().success(), "{}", up.output());
    assert!(!state.join("endpoint").exists(), "the endpoint of a cluster that ended is still announced");
}
