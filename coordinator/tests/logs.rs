//! The logs of jobs through gRPC: kept once, bounded, followed across attempts and coordinators.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use domain::report::LogLine;
use proto::{convert::violations_of, v1};
use scene::{Running, Scene, code, soon, sweep_spec, trained};
use tonic::{Code, Status, Streaming};

fn of(job_id: i64) -> v1::JobLogRequest {
    v1::JobLogRequest { job_id, ..Default::default() }
}

async fn open(coordinator: &Running, request: v1::JobLogRequest) -> Result<Streaming<v1::JobLogResponse>, Status> {
    Ok(coordinator.results().job_log(request).await?.into_inner())
}

/// Reads `lines` lines, or to the end.
async fn read(stream: &mut Streaming<v1::JobLogResponse>, lines: usize) -> Vec<v1::JobLogLine> {
    let mut found = Vec::new();
    while found.len() < lines {
        match soon("a line", stream.message()).await.unwrap() {
            Some(message) => found.extend(message.lines),
            None => break,
        }
    }
    found
}

async fn texts(coordinator: &Running, request: v1::JobLogRequest) -> Vec<String> {
    let mut stream = open(coordinator, request).await.unwrap();
    read(&mut stream, usize::MAX).await.into_iter().map(|line| line.text).collect()
}

#[tokio::test]
async fn lines_are_kept_once_made_fit_and_refused_from_others() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("logged", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let old = worker.attempt().await;
    let long = "x".repeat(2 * LogLine::MAX_BYTES);

    worker.write(old, 1, &["one", "nul \0 byte", &long]).await.unwrap();
    worker.write(old, 1, &["one", "told again"]).await.unwrap();
    let over = worker.write(old, LogLine::MAX_LINES, &["last", "too many"]).await.unwrap_err();
    let lines = vec!["line"; 1001];
    let heap = worker.write(old, 1, &lines).await.unwrap_err();
    worker.client.release(v1::ReleaseRequest { attempt: Some(old) }).await.unwrap();
    let stale = worker.write(old, 9, &["late"]).await.unwrap_err();

    let kept = texts(&coordinator, v1::JobLogRequest { epoch: Some(0), ..of(old.job_id) }).await;
    assert_eq!(kept[..2], ["one", "nul \u{fffd} byte"]);
    assert_eq!((kept.len(), kept[2].len()), (3, LogLine::MAX_BYTES));
    let fields = |refusal: &Status| violations_of(refusal).unwrap().iter().next().unwrap().field.clone();
    assert_eq!((fields(&over).as_str(), fields(&heap).as_str()), ("log[1].line", "log"));
    assert_eq!(stale.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_log_is_read_by_attempt_by_tail_and_from_a_place() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("read", &[1])).await.unwrap();
    let job = coordinator.jobs("read").await[0].job_id;
    assert_eq!(texts(&coordinator, of(job)).await, Vec::<String>::new());
    let mut worker = coordinator.open_worker().await;
    let first = worker.attempt().await;
    worker.write(first, 1, &["one", "two", "three"]).await.unwrap();
    worker.client.release(v1::ReleaseRequest { attempt: Some(first) }).await.unwrap();
    let second = worker.attempt().await;
    worker.write(second, 1, &["four", "five"]).await.unwrap();

    assert_eq!(texts(&coordinator, of(job)).await, ["four", "five"], "the newest attempt");
    let first_only = v1::JobLogRequest { epoch: Some(0), ..of(job) };
    assert_eq!(texts(&coordinator, first_only).await, ["one", "two", "three"]);
    assert_eq!(texts(&coordinator, v1::JobLogRequest { epoch: Some(0), tail: 1, ..of(job) }).await, ["three"]);
    let after = v1::JobLogRequest { after: Some(v1::LogPosition { epoch: 0, line: 2 }), ..of(job) };
    assert_eq!(texts(&coordinator, after).await, ["three", "four", "five"]);
    let unborn = open(&coordinator, v1::JobLogRequest { epoch: Some(2), ..of(job) }).await.unwrap_err();
    assert!(unborn.message().contains("the newest one is 1"), "{unborn}");
    assert_eq!(unborn.code(), Code::NotFound);
    assert_eq!(code(open(&coordinator, of(999)).await.map(drop)), Code::NotFound);
    assert_eq!(code(open(&coordinator, of(0)).await.map(drop)), Code::InvalidArgument);
}

#[tokio::test]
async fn a_followed_log_goes_on_across_attempts_and_coordinators_until_the_job_ends() {
    let scene = Scene::new();
    let first = scene.start().await;
    let second = scene.start().await;
    first.submit(&sweep_spec("followed", &[1])).await.unwrap();
    let job = first.jobs("followed").await[0].job_id;
    let follow = v1::JobLogRequest { follow: true, ..of(job) };
    let mut stream = open(&first, follow).await.unwrap();
    let mut worker = second.open_worker().await;

    let attempt = worker.attempt().await;
    worker.write(attempt, 1, &["one"]).await.unwrap();
    let seen = read(&mut stream, 1).await;
    assert_eq!((seen.len(), seen[0].text.as_str()), (1, "one"));
    first.request_shutdown();
    let broken = loop {
        match soon("the end of the stream", stream.message()).await {
            Ok(Some(_)) => {}
            ended => break ended,
        }
    };
    assert_eq!(code(broken), Code::Unavailable);

    let place = v1::LogPosition { epoch: seen[0].epoch, line: seen[0].line };
    let mut stream = open(&second, v1::JobLogRequest { after: Some(place), ..follow }).await.unwrap();
    worker.write(attempt, 2, &["two"]).await.unwrap();
    worker.client.release(v1::ReleaseRequest { attempt: Some(attempt) }).await.unwrap();
    let attempt = worker.attempt().await;
    worker.write(attempt, 1, &["again"]).await.unwrap();
    let weights = second.put(b"weights").await;
    worker.complete(attempt, trained(weights, 10)).await.unwrap();

    let rest: Vec<_> = read(&mut stream, usize::MAX).await.into_iter().map(|line| (line.epoch, line.text)).collect();
    assert_eq!(rest, [(0, "two".to_owned()), (1, "again".to_owned())]);
}
