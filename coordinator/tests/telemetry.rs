//! What a coordinator counts and logs, as an operator reads it: scraped over HTTP after a scripted job.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
};

use coordinator::telemetry::{DETAILS, FIELDS};
use localdb::{Options, PrivateCluster};
use proto::v1;
use scene::{Running, Scene, code, metric_in, soon, sweep_spec, trained};
use tonic::Code;

/// A worker claims two jobs, completes one twice, reports a stale attempt in each way, fails the other and goes.
async fn script(coordinator: &Running) {
    coordinator.submit(&sweep_spec("counted", &[1, 2])).await.unwrap();
    coordinator.submit(&sweep_spec("counted", &[1, 2])).await.unwrap();
    assert_eq!(code(coordinator.submit(&sweep_spec("counted", &[3])).await), Code::AlreadyExists);
    let weights = coordinator.put(b"weights").await;
    let mut worker = coordinator.open_worker().await;
    let (first, second) = (worker.attempt().await, worker.attempt().await);
    let stale = v1::Attempt { epoch: first.epoch + 1, ..first };

    assert_eq!(worker.heartbeat(&[first, second]).await.unwrap(), []);
    assert_eq!(worker.heartbeat(&[stale]).await.unwrap(), [v1::directive::Kind::Abandon(stale)]);
    worker.report(first, &[1, 2], None).await.unwrap();
    assert_eq!(code(worker.report(stale, &[3], None).await), Code::FailedPrecondition);
    assert!(!worker.complete(first, trained(weights, 10)).await.unwrap());
    assert!(worker.complete(first, trained(weights, 10)).await.unwrap());
    assert_eq!(code(worker.complete(stale, trained(weights, 10)).await), Code::FailedPrecondition);
    assert_eq!(code(worker.fail(stale, "late").await), Code::FailedPrecondition);
    worker.fail(second, "diverged").await.unwrap();
    let request = v1::ReleaseRequest { attempt: Some(stale) };
    assert_eq!(code(worker.client.release(request).await), Code::FailedPrecondition);
    // The evaluation of the first is ready: claimed, given back, and claimed by nobody.
    let evaluation = worker.attempt().await;
    worker.client.release(v1::ReleaseRequest { attempt: Some(evaluation) }).await.unwrap();
    let request = v1::CloseSessionRequest { session_id: worker.session.clone() };
    worker.client.close_session(request).await.unwrap();
}

/// What a scrape says after the script.
const COUNTED: &[(&str, f64)] = &[
    ("spillway_submits_total", 1.0),
    ("spillway_submits_repeated_total", 1.0),
    ("spillway_submitted_jobs_total", 4.0),
    (r#"spillway_submits_refused_total{reason="taken"}"#, 1.0),
    (r#"spillway_submits_refused_total{reason="quota"}"#, 0.0),
    (r#"spillway_claims_total{kind="train"}"#, 2.0),
    (r#"spillway_claims_total{kind="evaluate"}"#, 1.0),
    ("spillway_claim_wait_seconds_count", 3.0),
    ("spillway_claims_waiting", 0.0),
    (r#"spillway_results_total{acceptance="accepted"}"#, 1.0),
    (r#"spillway_results_total{acceptance="duplicate"}"#, 1.0),
    (r#"spillway_attempts_ended_total{kind="train",outcome="succeeded"}"#, 1.0),
    (r#"spillway_attempts_ended_total{kind="train",outcome="failed"}"#, 1.0),
    (r#"spillway_attempts_ended_total{kind="evaluate",outcome="released"}"#, 1.0),
    (r#"spillway_jobs_ended_total{kind="train",state="succeeded"}"#, 1.0),
    (r#"spillway_jobs_ended_total{kind="train",state="failed"}"#, 0.0),
    (r#"spillway_stale_reports_total{call="heartbeat"}"#, 1.0),
    (r#"spillway_stale_reports_total{call="report"}"#, 1.0),
    (r#"spillway_stale_reports_total{call="complete"}"#, 1.0),
    (r#"spillway_stale_reports_total{call="fail"}"#, 1.0),
    (r#"spillway_stale_reports_total{call="release"}"#, 1.0),
    ("spillway_sessions_opened_total", 2.0),
    (r#"spillway_sessions_ended_total{reason="closed"}"#, 1.0),
    (r#"spillway_sessions_ended_total{reason="lost"}"#, 0.0),
    (r#"spillway_sessions{device="cpu",standing="leased"}"#, 1.0),
    ("spillway_lease_renewals_total", 2.0),
    ("spillway_renewal_batch_sessions_count", 2.0),
    ("spillway_heartbeats_late_total", 0.0),
    (r#"spillway_jobs{kind="train",state="ready"}"#, 1.0),
    (r#"spillway_jobs{kind="train",state="running"}"#, 0.0),
    (r#"spillway_jobs{kind="evaluate",state="ready"}"#, 1.0),
    (r#"spillway_jobs{kind="evaluate",state="blocked"}"#, 1.0),
    (r#"spillway_rpcs_total{method="WorkerService/Claim",code="OK"}"#, 3.0),
    (r#"spillway_rpcs_total{method="WorkerService/Fail",code="FAILED_PRECONDITION"}"#, 1.0),
    (r#"spillway_rpcs_total{method="SweepService/Submit",code="ALREADY_EXISTS"}"#, 1.0),
    (r#"spillway_rpcs_total{method="ArtifactService/Put",code="OK"}"#, 1.0),
    (r#"spillway_rpc_duration_seconds_count{method="WorkerService/Heartbeat"}"#, 2.0),
    ("spillway_rpcs_in_flight", 0.0),
    (r#"spillway_artifact_bytes_total{direction="in"}"#, 7.0),
    (r#"spillway_artifact_bytes_total{direction="out"}"#, 0.0),
    ("spillway_database_up", 1.0),
    ("spillway_database_connections_max", 10.0),
    (r#"spillway_build_info{version="0.1.0"}"#, 1.0),
];

#[tokio::test]
async fn a_scrape_says_what_a_scripted_job_did() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    script(&coordinator).await;
    let mut idle = coordinator.open_worker().await;

    let (status, text) = coordinator.get("/metrics").await;

    assert_eq!(status, 200);
    let wrong: Vec<_> = COUNTED.iter().filter(|(series, value)| metric_in(&text, series) != Some(*value)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\nin\n{text}");
    let age = metric_in(&text, r#"spillway_oldest_ready_age_seconds{kind="evaluate"}"#).unwrap();
    assert!((0.0..60.0).contains(&age), "{age}");
    assert_eq!(
        metric_in(&text, r#"spillway_oldest_ready_age_seconds{kind="train"}"#),
        None,
        "the only one backs off after its failure"
    );
    assert!(metric_in(&text, "process_cpu_seconds_total").unwrap() > 0.0);
    assert!(metric_in(&text, "process_resident_memory_bytes").unwrap() > 1e6);
    // A claim that waits is counted while it waits, by whoever looks.
    let waiting = tokio::spawn(async move { idle.claim(500).await });
    let seen = async {
        while coordinator.metric("spillway_claims_waiting").await != Some(1.0) {
            tokio::task::yield_now().await;
        }
    };
    // The evaluation that was given back is ready: it is taken before one would wait.
    if soon("the claim", waiting).await.unwrap().unwrap().is_none() {
        soon("the gauge", seen).await;
    }
}

#[tokio::test]
async fn a_database_that_is_gone_makes_a_coordinator_unready_and_not_dead() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = PrivateCluster::start(folder.path(), &Options::find().unwrap()).unwrap();
    let scene = Scene::on(postgres.url());
    let coordinator = scene.start().await;
    assert_eq!(coordinator.get("/healthz").await, (200, "alive\n".to_owned()));
    assert_eq!(coordinator.get("/readyz").await, (200, "ready\n".to_owned()));

    postgres.stop().unwrap();

    assert_eq!(coordinator.get("/healthz").await.0, 200);
    let (status, reason) = coordinator.get("/readyz").await;
    assert_eq!(status, 503);
    assert!(reason.contains("database"), "{reason}");
    let (status, text) = coordinator.get("/metrics").await;
    assert_eq!(status, 200);
    assert_eq!(metric_in(&text, "spillway_database_up"), Some(0.0));
    assert_eq!(metric_in(&text, r#"spillway_jobs{kind="train",state="ready"}"#), None, "what is unknown is absent");
    coordinator.request_shutdown();
    assert_eq!(coordinator.get("/nowhere").await.0, 404);
}

/// Where the log of a test goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_and_metrics_call_the_same_thing_by_the_same_name() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().json().with_env_filter("coordinator=debug").with_writer(move || writer.clone());
    // For the whole process: what other tests log must keep to the names too, and a subscriber of one thread would miss places in the
    // code that another thread came by first.
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let scene = Scene::new();
    let coordinator = scene.start().await;

    script(&coordinator).await;
    let (_, scraped) = coordinator.get("/metrics").await;

    let labels: BTreeSet<&str> = scraped.lines().filter(|line| !line.starts_with('#')).flat_map(labels_of).collect();
    let known: BTreeSet<&str> = FIELDS.iter().filter(|field| field.is_label).map(|field| field.name).collect();
    assert_eq!(labels, known, "labels of metrics, and fields.rs");
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let logged: BTreeSet<String> = lines.iter().flat_map(fields_of).collect();
    let allowed: BTreeSet<&str> = FIELDS.iter().map(|field| field.name).chain(DETAILS).collect();
    let unknown: Vec<_> = logged.iter().filter(|field| !allowed.contains(field.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?} of the log are not in fields.rs");
    for field in ["job_id", "attempt", "session_id", "sweep_id", "call", "kind", "outcome", "method"] {
        assert!(logged.contains(field), "{field} in {logged:?}");
    }
}

/// The names of a line's labels; `le` belongs to histograms themselves.
fn labels_of(line: &str) -> Vec<&str> {
    let Some((_, rest)) = line.split_once('{') else { return Vec::new() };
    let (labels, _) = rest.rsplit_once('}').unwrap();
    let names = labels.split("\",").map(|label| label.split_once('=').unwrap().0);
    names.filter(|name| *name != "le").collect()
}

/// The names of a line's fields, and of those of its spans.
fn fields_of(line: &serde_json::Value) -> Vec<String> {
    let own = line["fields"].as_object().into_iter().flatten();
    let spans = line["spans"].as_array().into_iter().flatten().flat_map(|span| span.as_object().unwrap());
    own.map(|(name, _)| name.clone())
        .filter(|name| name != "message")
        .chain(spans.map(|(name, _)| name.clone()).filter(|name| name != "name"))
        .collect()
}

#[tokio::test]
async fn the_page_of_metrics_lists_what_is_served_and_nothing_else() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    script(&coordinator).await;
    let (_, scraped) = coordinator.get("/metrics").await;
    let page = include_str!("../../docs/metrics.md");

    let served: BTreeSet<&str> =
        scraped.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let listed: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).filter(is_metric).collect();

    assert_eq!(served, listed);
    for field in FIELDS {
        assert!(page.contains(&format!("| `{}` |", field.name)), "{} in docs/metrics.md", field.name);
    }
}

fn is_metric(name: &&str) -> bool {
    name.starts_with("spillway_") || name.starts_with("process_")
}
