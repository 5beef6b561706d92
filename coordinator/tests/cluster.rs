//! Coordinators as processes of a cluster: two on one database, shutdown, health, reflection, artifacts, bad starts.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::process::{Command, Output};

use clap::Parser;
use coordinator::{App, Config, StartError};
use domain::Digest;
use futures::StreamExt;
use proto::{convert::ToWire, v1};
use scene::{Scene, code, soon, sweep_spec, trained};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

#[tokio::test]
async fn two_coordinators_serve_one_database() {
    let scene = Scene::new();
    let (first, second) = (scene.start().await, scene.start().await);
    let mut worker = first.open_worker().await;
    let mut elsewhere = second.worker();
    elsewhere.session.clone_from(&worker.session);

    // A claim that waits at one hears of a sweep submitted at the other.
    let spec = sweep_spec("shared", &[1, 2]);
    let (attempt, submitted) = tokio::join!(elsewhere.attempt(), first.submit(&spec));
    submitted.unwrap();
    let other = worker.attempt().await;

    assert_ne!(attempt.job_id, other.job_id);
    assert_eq!(elsewhere.heartbeat(&[attempt, other]).await.unwrap(), []);
    let weights = first.put(b"weights").await;
    assert!(!worker.complete(attempt, trained(weights, 10)).await.unwrap());
    assert!(elsewhere.complete(attempt, trained(weights, 10)).await.unwrap(), "the other one knows it too");
    assert_eq!(first.states("shared").await, second.states("shared").await);
    first.ended().await;
    assert!(!elsewhere.complete(other, trained(weights, 10)).await.unwrap());
}

#[tokio::test]
async fn claimers_at_two_coordinators_never_share_a_job() {
    let scene = Scene::new();
    let (first, second) = (scene.start().await, scene.start().await);
    let seeds: Vec<u64> = (0..20).collect();
    first.submit(&sweep_spec("crowded", &seeds)).await.unwrap();

    let claimers = (0..6).map(|index| {
        let coordinator = if index % 2 == 0 { &first } else { &second };
        async move {
            let mut worker = coordinator.open_worker().await;
            let mut claimed = Vec::new();
            while let Some(assignment) = worker.claim(0).await.unwrap() {
                claimed.push(assignment.attempt.unwrap().job_id);
            }
            claimed
        }
    });
    let mut claimed: Vec<i64> = futures::future::join_all(claimers).await.into_iter().flatten().collect();

    claimed.sort_unstable();
    let all = claimed.len();
    claimed.dedup();
    assert_eq!((all, claimed.len()), (20, 20));
}

#[tokio::test]
async fn a_shutdown_ends_long_polls_and_watches_at_once() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("waiting", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    worker.attempt().await;
    let request = v1::WatchRequest { sweep: "waiting".to_owned(), scores: vec![] };
    let mut watch = coordinator.sweeps().watch(request).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    let mut waiting = coordinator.worker();
    waiting.session.clone_from(&worker.session);
    let claim = tokio::spawn(async move { waiting.claim(30_000).await });
    // A beat that is answered shows that calls are served; the claim was sent before it on the same connection.
    worker.heartbeat(&[]).await.unwrap();

    let asked = std::time::Instant::now();
    coordinator.request_shutdown();

    assert_eq!(soon("the claim", claim).await.unwrap().unwrap(), None);
    while soon("the watch", watch.message()).await.unwrap().is_some() {}
    assert!(asked.elapsed().as_secs() < 10, "{:?}", asked.elapsed());
    coordinator.ended().await;
}

#[tokio::test]
async fn health_says_serving_and_reflection_lists_the_services() {
    let scene = Scene::new();
    let coordinator = scene.start().await;

    let mut health = HealthClient::new(coordinator.channel.clone());
    for service in ["", "spillway.v1.SweepService", "spillway.v1.WorkerService"] {
        let asked = HealthCheckRequest { service: service.to_owned() };
        let status = health.check(asked).await.unwrap().into_inner().status;
        assert_eq!(status, i32::from(ServingStatus::Serving), "{service}");
    }
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(coordinator.channel.clone());
    let asked = futures::stream::iter([ask]);
    let mut answers = reflection.server_reflection_info(asked).await.unwrap().into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    for service in ["SweepService", "ResultService", "WorkerService", "ArtifactService"] {
        assert!(names.contains(&format!("spillway.v1.{service}")), "{service} in {names:?}");
    }
}

#[tokio::test]
async fn an_artifact_comes_back_as_it_was_or_not_at_all() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let bytes: Vec<u8> = (0..600_000_u32).map(|index| index.to_le_bytes()[index as usize % 3]).collect();
    let digest = Digest::of(&bytes);
    let size = bytes.len() as u64;
    let get = |digest: Digest| {
        let mut client = coordinator.artifacts();
        async move {
            let mut stream = client.get(v1::GetRequest { digest: digest.to_wire() }).await?.into_inner();
            let mut received = Vec::new();
            while let Some(message) = stream.message().await? {
                received.extend(message.chunk);
            }
            Ok::<_, tonic::Status>(received)
        }
    };

    assert_eq!(code(coordinator.put_as(digest, size, &bytes[1..]).await), Code::InvalidArgument);
    assert_eq!(code(coordinator.put_as(digest, size - 1, &bytes).await), Code::InvalidArgument);
    assert_eq!(code(get(digest).await), Code::NotFound);
    assert!(coordinator.put_as(digest, size, &bytes).await.unwrap());
    assert!(!coordinator.put_as(digest, size, &bytes).await.unwrap(), "it was there already");
    assert_eq!(get(digest).await.unwrap(), bytes);
    let stat = v1::StatRequest { digest: digest.to_wire() };
    let stat = coordinator.artifacts().stat(stat).await.unwrap().into_inner();
    assert_eq!(stat, v1::StatResponse { exists: true, size });

    let name = digest.to_string();
    let file = scene.folder.path().join("sha256").join(&name[..2]).join(&name[2..]);
    let mut damaged = bytes.clone();
    damaged[300_000] ^= 1;
    std::fs::write(&file, damaged).unwrap();
    let refusal = get(digest).await.unwrap_err();
    assert_eq!(refusal.code(), Code::DataLoss);
    assert!(refusal.message().contains("corrupt"), "{refusal}");
    coordinator.put_as(digest, size, &bytes).await.unwrap();
    assert_eq!(get(digest).await.unwrap(), bytes, "sending it again repairs it");
}

const NOWHERE: &str = "postgres://ada:secret@127.0.0.1:9/spillway";

#[tokio::test]
async fn a_database_that_is_down_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = folder.path().to_str().unwrap();
    let config = Config::parse_from([
        "spillway-coordinator",
        "--database-url",
        NOWHERE,
        "--artifacts",
        artifacts,
        "--database-wait-secs",
        "0",
    ]);

    let refusal = soon("the refusal", App::build(&config)).await.unwrap_err();

    assert!(matches!(refusal, StartError::Database { .. }), "{refusal}");
    let text = refusal.to_string();
    assert!(text.contains("postgres://ada:***@127.0.0.1:9/spillway"), "{text}");
    assert!(text.contains("start PostgreSQL there, or set SPILLWAY_DATABASE_URL"), "{text}");
}

fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillway-coordinator"));
    command.args(arguments).env_remove("SPILLWAY_DATABASE_URL").env_remove("SPILLWAY_LOG").output().unwrap()
}

#[test]
fn the_program_says_what_is_wrong_with_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = folder.path().to_str().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&[], "SPILLWAY_DATABASE_URL"),
        (&["--database-url", NOWHERE, "--listen", "somewhere"], "SPILLWAY_LISTEN"),
        (&["--database-url", "mysql://host", "--artifacts", artifacts], "SPILLWAY_DATABASE_URL"),
        (&["--database-url", NOWHERE, "--artifacts", file], "SPILLWAY_ARTIFACTS"),
        (&["--database-url", NOWHERE, "--artifacts", artifacts, "--beat-millis", "20000"], "SPILLWAY_BEAT_MILLIS"),
    ];

    for (arguments, variable) in cases {
        let ended = program(arguments);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(64), "{arguments:?}: {said}");
        assert!(said.contains(variable), "{arguments:?}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn the_program_waits_for_its_database_and_then_ends() {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = folder.path().to_str().unwrap();

    let ended = program(&["--database-url", NOWHERE, "--artifacts", artifacts, "--database-wait-secs", "1"]);

    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("does not answer").count(), 1, "{said}");
    assert!(said.contains("trying for 1 s") && !said.contains("secret"), "{said}");
}
