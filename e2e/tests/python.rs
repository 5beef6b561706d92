//! The Python package against a real cluster: its own tests, and its example while the coordinator dies and comes back.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]
#![expect(clippy::print_stderr, reason = "a test that is passed over says so")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use e2e::{Cluster, ClusterOptions, Program, eventually, tiny_sweep};

/// Set by `cargo xtask test`: the interpreter of an environment with the package.
const TEST_PYTHON: &str = "SPILLWAY_TEST_PYTHON";
/// Set in CI, where the tests are not passed over.
const REQUIRE: &str = "SPILLWAY_REQUIRE_PYTHON";

/// The interpreter; none, and a line on standard error, on a machine that cannot have it.
fn interpreter() -> Option<PathBuf> {
    let found = std::env::var_os(TEST_PYTHON).map(PathBuf::from);
    assert!(found.is_some() || std::env::var_os(REQUIRE).is_none(), "{TEST_PYTHON} is not set: run `cargo xtask test`");
    if found.is_none() {
        eprintln!("SKIPPED  the Python package: `cargo xtask test` prepares what it needs");
    }
    found
}

/// A run of Python in the package's folder, which knows where the cluster is.
fn python(interpreter: &Path, cluster: &Cluster) -> Command {
    let mut command = Command::new(interpreter);
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("python"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    for variable in ["SPILLWAY_ENDPOINT", "SPILLWAY_TEST_ENDPOINT"] {
        command.env(variable, cluster.endpoint(0));
    }
    command.env("DATABASE_URL", cluster.postgres().url());
    command.env("SPILLWAY_TEST_PROGRAM", e2e::command("spillway").unwrap().get_program());
    command
}

#[tokio::test]
async fn the_package_says_what_the_program_and_sql_say() {
    let Some(interpreter) = interpreter() else { return };
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();

    let mut tests = python(&interpreter, &cluster);
    tests.args(["-m", "pytest", "-p", "no:cacheprovider", "tests/live"]);
    let output = tests.output().unwrap();

    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}\n{}", String::from_utf8_lossy(&output.stderr), cluster.logs());
    assert!(said.contains(" passed") && !said.contains("skipped"), "{said}");
}

#[tokio::test]
async fn a_sweep_is_followed_while_the_coordinator_dies_and_comes_back() {
    let Some(interpreter) = interpreter() else { return };
    let mut cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
    cluster.add_worker().unwrap();
    let file = cluster.folder().join("followed.json");
    std::fs::write(&file, serde_json::to_string(&tiny_sweep("followed", &[1], 400)).unwrap()).unwrap();
    let log = cluster.folder().join("followed.log");
    let mut example = python(&interpreter, &cluster);
    example.arg("examples/submit_and_follow.py").arg(&file);

    let mut follower = Program::spawn(example, &log).unwrap();
    cluster.await_mid_training("followed").await.unwrap();
    cluster.kill_coordinator(0).unwrap();
    let noticed = eventually("the follower misses the coordinator", || async {
        Ok(follower.output().contains("lost the coordinator").then_some(()))
    });
    noticed.await.unwrap();
    cluster.restart_coordinator(0).await.unwrap();
    let mut status = None;
    let ended = eventually("the follower's end", || {
        status = follower.try_wait().unwrap();
        async move { Ok(status) }
    });

    assert!(ended.await.unwrap().success(), "{}\n{}", follower.output(), cluster.logs());
    assert!(follower.output().contains("synthetic-strokes"), "{}", follower.output());
}
