//! Commands for those who run a cluster: workers, drain, why, logs, retry.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

#[path = "support/coordinator.rs"]
mod coordinator;
mod support;

use std::sync::{Arc, Mutex};

use coordinator::{LogScreenplay, Script, serve};
use domain::Timestamp;
use proto::{
    convert::ToWire,
    v1::{
        AttemptRow, Cause, DrainResponse, DrainedWorker, ExplainResponse, HeldJob, JobLogLine, JobLogResponse,
        LogPosition, RetryScope, SweepSummary, WorkerRow, drain_request::Target,
    },
};
use support::{Run, spillway};
use tonic::Status;

const SESSION: &str = "0198c2d4-6a3f-7c11-9b1e-2f4a5b6c7d8e";

/// Runs the program against `script` and hands both back.
async fn converse(script: Script, arguments: &[&str]) -> (Run, Arc<Script>) {
    let script = Arc::new(script);
    let endpoint = serve(Arc::clone(&script)).await;
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let run = tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<&str> =
            ["--endpoint", &endpoint].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        spillway(folder.path(), &all)
    });
    (run.await.unwrap(), script)
}

fn at(seconds: i64) -> Option<<Timestamp as ToWire>::Wire> {
    Some(Timestamp::from_micros(seconds * 1_000_000).to_wire())
}

fn workers() -> Vec<WorkerRow> {
    let held = HeldJob {
        job_id: 17,
        kind: "train".to_owned(),
        sweep: "demo".to_owned(),
        variant: "mask=cycle".to_owned(),
        seed: 1,
        since: at(60),
        done: 30,
        total: 100,
        ..HeldJob::default()
    };
    let busy = WorkerRow {
        session_id: SESSION.to_owned(),
        name: "gpu-3".to_owned(),
        device: "cuda".to_owned(),
        memory_bytes: 80 << 30,
        heartbeat: "late".to_owned(),
        heartbeat_secs: 14.2,
        jobs: vec![held],
        labels: vec!["a100".to_owned()],
        ..WorkerRow::default()
    };
    let idle = WorkerRow {
        name: "cpu-1".to_owned(),
        device: "cpu".to_owned(),
        heartbeat: "on-time".to_owned(),
        heartbeat_secs: 0.5,
        idle_since: at(3600),
        ..WorkerRow::default()
    };
    let gone = WorkerRow {
        name: "gone".to_owned(),
        closed_at: at(7200),
        close_reason: "lost".to_owned(),
        ..WorkerRow::default()
    };
    vec![busy, idle, gone]
}

#[tokio::test]
async fn workers_show_what_each_runs_and_how_late_it_is() {
    let script = || Script { workers: workers(), ..Script::default() };

    let (table, _) = converse(script(), &["workers"]).await;
    let (all, _) = converse(script(), &["workers", "--all", "--format", "markdown"]).await;
    let (csv, _) = converse(script(), &["workers", "--format", "csv"]).await;
    let (json, _) = converse(script(), &["workers", "--format", "json"]).await;

    for words in ["gpu-3", "late: 14 s ago", "job 17: train demo mask=cycle seed 1, 30/100", "a100", "85.9 GB"] {
        assert!(table.out.contains(words), "{words}: {}", table.out);
    }
    assert!(table.out.contains("idle") && table.out.contains("1970-01-01T01:00:00Z"), "{}", table.out);
    assert!(!table.out.contains("gone") && all.out.contains("| gone |") && all.out.contains("| lost |"), "{}", all.out);
    assert_eq!(csv.out.lines().count(), 3, "{}", csv.out);
    assert!(csv.out.lines().nth(1).unwrap().starts_with(&format!("{SESSION},gpu-3,,cuda,85899345920,a100,")));
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&document["workers"][0]["done"], &document["workers"][1]["job_id"]),
        (&30.into(), &serde_json::Value::Null)
    );
}

#[tokio::test]
async fn a_fleet_without_workers_says_how_to_start_one() {
    let (run, _) = converse(Script::default(), &["workers"]).await;

    assert_eq!((run.code, run.out.as_str()), (Some(0), ""));
    assert!(run.err.contains("spillway-worker"), "{}", run.err);
}

#[tokio::test]
async fn drain_says_what_will_happen() {
    let worker = |name: &str, already, job_ids| DrainedWorker {
        session_id: SESSION.to_owned(),
        name: name.to_owned(),
        already,
        job_ids,
    };
    let told = vec![worker("gpu-3", false, vec![17]), worker("cpu-1", true, Vec::new())];
    let script =
        || Script { drained: Some(DrainResponse { workers: told.clone(), beat_millis: 5000 }), ..Script::default() };

    let (one, heard) = converse(script(), &["drain", "gpu-3"]).await;
    let (_, heard_all) = converse(script(), &["drain", "--all"]).await;
    let (unknown, _) = converse(Script::default(), &["drain", "x"]).await;
    let (nobody, _) = converse(Script::default(), &["drain"]).await;

    let expected = format!(
        "gpu-3 ({SESSION}) hears of it within 5 s, gives job 17 back and ends\n\
         cpu-1 ({SESSION}) was draining already: it runs nothing and ends\n"
    );
    assert_eq!((one.code, one.err), (Some(0), expected));
    assert_eq!(heard.drains.lock().unwrap()[0].target, Some(Target::Worker("gpu-3".to_owned())));
    assert!(matches!(heard_all.drains.lock().unwrap()[0].target, Some(Target::All(_))));
    assert_eq!((unknown.code, unknown.err.as_str()), (Some(3), "error: no worker `x` is there\n"));
    assert_eq!(nobody.code, Some(2));
}

fn explained() -> ExplainResponse {
    let cause = |kind: &str, text: &str| Cause { kind: kind.to_owned(), text: text.to_owned() };
    let attempt = AttemptRow {
        epoch: 0,
        worker: "gpu-3".to_owned(),
        started_at: at(60),
        ended_at: at(120),
        outcome: "crashed".to_owned(),
        detail: "the child process ended\nstandard error:\nboom".to_owned(),
        ..AttemptRow::default()
    };
    ExplainResponse {
        job_id: 17,
        sweep: "demo".to_owned(),
        kind: "train".to_owned(),
        variant: "mask=cycle".to_owned(),
        seed: 1,
        state: "ready".to_owned(),
        causes: vec![cause("backing-off", "it backs off"), cause("others-first", "others\u{1b}[31m go first")],
        attempts: vec![attempt],
        attempts_in_all: 3,
        ..ExplainResponse::default()
    }
}

#[tokio::test]
async fn why_prints_every_reason_in_order_and_the_attempts() {
    let script = || Script { explained: explained(), ..Script::default() };

    let (run, _) = converse(script(), &["why", "17"]).await;
    let (json, _) = converse(script(), &["why", "17", "--format", "json"]).await;
    let (unknown, _) = converse(script(), &["why", "18"]).await;
    let (zero, _) = converse(script(), &["why", "0"]).await;

    let lines: Vec<&str> = run.out.lines().collect();
    let head = ["job 17 (train mask=cycle seed 1 of demo) is ready", "  it backs off", "  others[31m go first"];
    assert_eq!(lines[..3], head, "{}", run.out);
    assert!(run.out.contains("crashed") && run.out.contains("the child process ended…"), "{}", run.out);
    assert!(run.out.contains("2 earlier attempts are not shown"), "{}", run.out);
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(document["causes"][1]["kind"], "others-first");
    assert!(document["attempts"][0]["detail"].as_str().unwrap().ends_with("boom"), "{}", json.out);
    assert_eq!((unknown.code, zero.code), (Some(3), Some(2)));
}

fn lines(epoch: i32, numbered: &[(u32, &str)]) -> Result<JobLogResponse, Status> {
    let line = |(line, text): &(u32, &str)| JobLogLine { epoch, line: *line, at: at(3600), text: (*text).to_owned() };
    Ok(JobLogResponse { lines: numbered.iter().map(line).collect() })
}

fn with_logs(screenplays: Vec<LogScreenplay>) -> Script {
    Script { logs: Mutex::new(screenplays.into()), ..Script::default() }
}

#[tokio::test]
async fn followed_log_is_read_on_after_a_restart_where_it_broke_off() {
    let first = vec![lines(0, &[(1, "one"), (2, "t\u{7}wo")]), Err(Status::unavailable("shutting down"))];
    let second = vec![lines(0, &[(3, "three")]), lines(1, &[(1, "again")])];

    let (run, script) = converse(with_logs(vec![first, second]), &["logs", "9", "--follow", "--tail", "20"]).await;

    assert_eq!(run.code, Some(0), "{}", run.err);
    let time = "1970-01-01T01:00:00Z";
    assert_eq!(run.out, format!("{time} one\n{time} t wo\n{time} three\n{time} again\n"));
    let said = "lost the coordinator (shutting down): trying again in 0.5 s\nthe coordinator is back\nattempt 1\n";
    assert_eq!(run.err, said);
    let requests = script.log_requests.lock().unwrap();
    assert_eq!((requests[0].after, requests[0].tail, requests[0].follow), (None, 20, true));
    assert_eq!(requests[1].after, Some(LogPosition { epoch: 0, line: 2 }));
}

#[tokio::test]
async fn log_that_is_not_followed_breaks_with_the_coordinator() {
    let broken = vec![lines(0, &[(1, "one")]), Err(Status::unavailable("shutting down"))];

    let (cut, _) = converse(with_logs(vec![broken]), &["logs", "9"]).await;
    let (unknown, _) = converse(with_logs(Vec::new()), &["logs", "9", "--follow"]).await;
    let (empty, script) = converse(with_logs(vec![Vec::new()]), &["logs", "9", "--attempt", "2"]).await;

    assert_eq!((cut.code, cut.out.lines().count()), (Some(5), 1), "{}", cut.err);
    assert_eq!((unknown.code, unknown.err.as_str()), (Some(3), "error: no job 9\n"));
    assert_eq!((empty.code, empty.out.as_str()), (Some(0), ""));
    assert!(empty.err.contains("has written nothing yet"), "{}", empty.err);
    assert_eq!(script.log_requests.lock().unwrap()[0].epoch, Some(2));
}

#[tokio::test]
async fn retry_and_cancel_name_their_jobs() {
    let script =
        || Script { sweep: SweepSummary { name: "demo".to_owned(), ..SweepSummary::default() }, ..Script::default() };

    let (_, plain) = converse(script(), &["retry", "demo"]).await;
    let (_, failed) = converse(script(), &["retry", "demo", "--failed", "--job", "17"]).await;
    let (both, _) = converse(script(), &["retry", "demo", "--failed", "--missing"]).await;
    let (_, cancelled) = converse(script(), &["cancel", "demo", "--job", "17"]).await;

    let asked = |script: &Script| {
        let request = script.retried.lock().unwrap().remove(0);
        (request.scope(), request.job_id)
    };
    assert_eq!(asked(&plain), (RetryScope::Missing, 0));
    assert_eq!(asked(&failed), (RetryScope::Failed, 17));
    assert_eq!(both.code, Some(2));
    assert_eq!(cancelled.cancelled.lock().unwrap()[0].job_id, 17);
}
