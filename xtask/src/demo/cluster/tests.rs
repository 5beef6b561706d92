//! The demo's handling of processes, with a shell script in the place of `spillway`.

use super::*;

/// Announces an endpoint, runs until SIGTERM and then leaves a note; any other command prints its endpoint.
const WELL_BEHAVED: &str = r#"#!/bin/sh
if [ "$1" != up ]; then echo "$1 at $SPILLWAY_ENDPOINT"; exit 0; fi
while [ "$1" != --state-dir ]; do shift; done
trap 'echo drained > "$2/note"; exit 0' TERM
echo http://127.0.0.1:7 > "$2/endpoint"
while :; do read -r line < "$2/never" || exit 1; done
"#;

fn program(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("spillway");
    // Written by another process: a child that another test forks meanwhile would hold our file open, and a program that
    // is open for writing cannot be run.
    let mut shell = Command::new("sh");
    shell.args(["-c", "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", script]).arg(&path);
    assert!(shell.status().unwrap().success());
    path
}

fn start(folder: &Path, script: &str, interrupted: &Arc<AtomicBool>) -> Result<Cluster> {
    let state = folder.join("state");
    fs::create_dir(&state)?;
    // A pipe that nobody writes: the script waits on it without spinning.
    assert!(Command::new("mkfifo").arg(state.join("never")).status()?.success());
    Cluster::start(&program(folder, script), &state, 2, None, Arc::clone(interrupted))
}

#[test]
fn commands_go_to_the_cluster_and_it_is_stopped_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(folder.path(), WELL_BEHAVED, &Arc::default()).unwrap();

    let answer = cluster.ask(&["list"]).unwrap();
    cluster.stop().unwrap();

    assert_eq!(answer, "list at http://127.0.0.1:7\n");
    assert_eq!(fs::read_to_string(folder.path().join("state/note")).unwrap(), "drained\n");
}

#[test]
fn interruption_ends_the_command_and_the_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let interrupted = Arc::default();
    let cluster = start(folder.path(), WELL_BEHAVED, &interrupted).unwrap();
    interrupted.store(true, Ordering::Relaxed);

    let refusal = cluster.show(&["watch"]).unwrap_err().to_string();
    drop(cluster);

    assert_eq!(refusal, "interrupted");
    assert_eq!(fs::read_to_string(folder.path().join("state/note")).unwrap(), "drained\n");
}

#[test]
fn cluster_that_dies_before_it_is_ready_is_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();

    let refusal = start(folder.path(), "#!/bin/sh\nexit 5\n", &Arc::default()).err().unwrap().to_string();

    assert!(refusal.contains("ended before it was ready") && refusal.contains('5'), "{refusal}");
}
