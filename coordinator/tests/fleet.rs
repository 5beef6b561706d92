//! The fleet through gRPC: who is there, draining, explanations, and steering single jobs.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use proto::{
    convert::violations_of,
    v1::{self, directive::Kind, drain_request::Target},
};
use scene::{Running, Scene, code, sweep_spec, trained};
use tonic::{Code, Status};

async fn workers(coordinator: &Running, closed: bool) -> Vec<v1::WorkerRow> {
    let request = v1::ListWorkersRequest { closed, limit: 0 };
    coordinator.fleet().list_workers(request).await.unwrap().into_inner().workers
}

async fn drain(coordinator: &Running, target: Target) -> Result<Vec<v1::DrainedWorker>, Status> {
    let request = v1::DrainRequest { target: Some(target) };
    Ok(coordinator.fleet().drain(request).await?.into_inner().workers)
}

async fn explain(coordinator: &Running, job_id: i64) -> Result<v1::ExplainResponse, Status> {
    Ok(coordinator.fleet().explain(v1::ExplainRequest { job_id }).await?.into_inner())
}

async fn causes(coordinator: &Running, job_id: i64) -> Vec<String> {
    explain(coordinator, job_id).await.unwrap().causes.into_iter().map(|cause| cause.kind).collect()
}

async fn retry(coordinator: &Running, sweep: &str, scope: v1::RetryScope, job_id: i64) -> Result<u32, Status> {
    let request = v1::RetryRequest { sweep: sweep.to_owned(), scope: scope.into(), job_id };
    Ok(coordinator.sweeps().retry(request).await?.into_inner().retried)
}

async fn cancel(coordinator: &Running, sweep: &str, job_id: i64) -> Result<u32, Status> {
    let request = v1::CancelRequest { sweep: sweep.to_owned(), reason: "not this one".to_owned(), job_id };
    Ok(coordinator.sweeps().cancel(request).await?.into_inner().cancelled)
}

#[tokio::test]
async fn workers_are_listed_with_what_they_run_and_how_late_they_are() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("listed", &[7])).await.unwrap();
    let mut busy = coordinator.open_worker().await;
    let mut idle = coordinator.open_worker().await;
    let attempt = busy.attempt().await;
    busy.heartbeat(&[attempt]).await.unwrap();

    let shown = workers(&coordinator, false).await;

    let of = |session: &str, shown: &[v1::WorkerRow]| {
        shown.iter().find(|worker| worker.session_id == session).cloned().unwrap()
    };
    let (first, second) = (of(&busy.session, &shown), of(&idle.session, &shown));
    assert_eq!((shown.len(), first.name.as_str(), first.device.as_str()), (2, "scripted", "cpu"));
    let held = &first.jobs[0];
    assert_eq!(
        (held.job_id, held.kind.as_str(), held.sweep.as_str(), held.seed),
        (attempt.job_id, "train", "listed", 7)
    );
    assert_eq!((held.done, held.total, held.since.is_some(), first.idle_since), (3, 10, true, None));
    assert_eq!((second.jobs.len(), second.idle_since, second.heartbeat.as_str()), (0, second.opened_at, "on-time"));

    // Twenty seconds of thirty are gone: four beats.
    scene.sql("update session set lease_until = now() + interval '10 seconds'");
    assert!(workers(&coordinator, false).await.iter().all(|worker| worker.heartbeat == "late"));
    scene.sql("update session set lease_until = now() - interval '2 seconds'");
    let lapsed = of(&busy.session, &workers(&coordinator, false).await);
    assert_eq!(lapsed.heartbeat, "lapsed");
    assert!(lapsed.heartbeat_secs >= 32.0, "{lapsed:?}");
    busy.heartbeat(&[attempt]).await.unwrap();
    idle.client.close_session(v1::CloseSessionRequest { session_id: idle.session.clone() }).await.unwrap();

    busy.client.release(v1::ReleaseRequest { attempt: Some(attempt) }).await.unwrap();
    let shown = workers(&coordinator, false).await;
    assert_eq!(shown.len(), 1);
    assert!(
        shown[0].idle_since.unwrap().seconds >= held.since.unwrap().seconds
            && shown[0].idle_since != shown[0].opened_at
    );
    let all = workers(&coordinator, true).await;
    assert_eq!(all.iter().map(|worker| worker.close_reason.as_str()).collect::<Vec<_>>(), ["", "closed"]);
    assert_eq!((all[1].heartbeat.as_str(), all[1].idle_since), ("", None));
}

#[tokio::test]
async fn a_worker_is_drained_by_id_or_by_a_name_that_only_it_has() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("drained", &[1, 2])).await.unwrap();
    let mut first = coordinator.open_worker().await;
    let mut second = coordinator.open_worker().await;
    let attempt = first.attempt().await;
    let by = |text: &str| Target::Worker(text.to_owned());

    let ambiguous = drain(&coordinator, by("scripted")).await.unwrap_err();
    let unknown = drain(&coordinator, by("nobody")).await.unwrap_err();
    let told = drain(&coordinator, by(&first.session)).await.unwrap();
    let again = drain(&coordinator, by(&first.session)).await.unwrap();

    let violation = violations_of(&ambiguous).unwrap().iter().next().unwrap().to_string();
    assert!(violation.starts_with("worker: 2 open sessions") && violation.contains(&second.session), "{violation}");
    assert_eq!(unknown.code(), Code::NotFound);
    assert!(unknown.message().contains("no worker `nobody` is there: scripted"), "{unknown}");
    assert_eq!((told[0].already, told[0].job_ids.as_slice()), (false, &[attempt.job_id][..]));
    assert!(again[0].already);
    assert_eq!(first.heartbeat(&[attempt]).await.unwrap(), [Kind::Drain(v1::Drain {})]);
    assert_eq!(first.claim(0).await.unwrap(), None);
    assert_eq!(second.heartbeat(&[]).await.unwrap(), []);
    assert!(workers(&coordinator, false).await.iter().any(|worker| worker.draining));

    first.client.close_session(v1::CloseSessionRequest { session_id: first.session.clone() }).await.unwrap();
    assert_eq!(code(drain(&coordinator, by(&first.session)).await), Code::NotFound);
    let told = drain(&coordinator, by("scripted")).await.unwrap();
    assert_eq!(told[0].session_id, second.session);
    assert_eq!(drain(&coordinator, Target::All(v1::AllWorkers {})).await.unwrap().len(), 1);
    let nothing = coordinator.fleet().drain(v1::DrainRequest { target: None }).await;
    assert_eq!(code(nothing), Code::InvalidArgument);
}

#[tokio::test]
async fn an_explanation_follows_a_job_through_its_life() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut spec = sweep_spec("explained", &[1]);
    spec.execution.max_failures = 1;
    coordinator.submit(&spec).await.unwrap();
    let jobs = coordinator.jobs("explained").await;
    let (train, evaluate) = (jobs[0].job_id, jobs[1].job_id);

    assert_eq!(causes(&coordinator, train).await, ["no-workers"]);
    assert_eq!(causes(&coordinator, evaluate).await, ["blocked", "no-workers"]);
    let mut worker = coordinator.open_worker().await;
    assert_eq!(causes(&coordinator, train).await, ["unhindered"]);
    drain(&coordinator, Target::All(v1::AllWorkers {})).await.unwrap();
    assert_eq!(causes(&coordinator, train).await, ["fitting-workers-drain"]);
    scene.sql("update session set drain = false");
    let attempt = worker.attempt().await;
    worker.heartbeat(&[attempt]).await.unwrap();
    let running = explain(&coordinator, train).await.unwrap();
    assert_eq!(running.causes[0].kind, "running");
    assert!(
        running.causes[0].text.contains("on scripted for") && running.causes[0].text.contains("3 of 10"),
        "{running:?}"
    );
    let blocked = explain(&coordinator, evaluate).await.unwrap();
    assert!(blocked.causes[0].text.contains(&format!("job {train} (train), which is running at 3/10")), "{blocked:?}");
    worker.client.release(v1::ReleaseRequest { attempt: Some(attempt) }).await.unwrap();
    let attempt = worker.attempt().await;
    worker.fail(attempt, "it broke").await.unwrap();

    let ended = explain(&coordinator, train).await.unwrap();
    assert_eq!((ended.state.as_str(), ended.causes[0].text.as_str()), ("failed", "it has ended: failed, it broke"));
    let outcomes: Vec<_> = ended.attempts.iter().map(|attempt| (attempt.epoch, attempt.outcome.as_str())).collect();
    assert_eq!((outcomes.as_slice(), ended.attempts_in_all), (&[(0, "released"), (1, "failed")][..], 2));
    assert!(ended.attempts.iter().all(|attempt| attempt.worker == "scripted" && attempt.ended_at.is_some()));
    let followed = explain(&coordinator, evaluate).await.unwrap();
    assert!(followed.causes[0].text.contains(&format!("it waited for job {train}")), "{followed:?}");
    assert_eq!(code(explain(&coordinator, 999).await), Code::NotFound);
    assert_eq!(code(explain(&coordinator, 0).await), Code::InvalidArgument);
}

#[tokio::test]
async fn an_explanation_names_what_no_worker_offers_who_goes_first_and_the_backoff() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut demanding = sweep_spec("demanding", &[1]);
    demanding.execution.labels = [String::from("a100").try_into().unwrap()].into();
    coordinator.submit(&demanding).await.unwrap();
    let mut urgent = sweep_spec("urgent", &[1, 2]);
    urgent.execution.priority = 90;
    let mut worker = coordinator.open_worker().await;
    coordinator.submit(&urgent).await.unwrap();
    coordinator.submit(&sweep_spec("patient", &[1, 2])).await.unwrap();
    let demanding = coordinator.jobs("demanding").await[0].job_id;
    let trains = |jobs: Vec<v1::JobRow>| -> Vec<i64> {
        jobs.into_iter().filter(|job| job.kind == "train").map(|job| job.job_id).collect()
    };
    let patient = trains(coordinator.jobs("patient").await);

    let lacking = explain(&coordinator, demanding).await.unwrap();
    assert_eq!(lacking.causes[0].text, "no worker offers what it asks for: scripted lacks label a100");
    let second = explain(&coordinator, patient[1]).await.unwrap();
    let kinds: Vec<_> = second.causes.iter().map(|cause| cause.kind.as_str()).collect();
    assert_eq!(kinds, ["others-first", "own-lane"]);
    assert!(second.causes[0].text.contains("train jobs of `urgent` (priority 90, weight 1, 0 running)"), "{second:?}");

    let attempt = worker.attempt().await;
    worker.fail(attempt, "once").await.unwrap();
    assert_eq!(causes(&coordinator, attempt.job_id).await[0], "backing-off");
    scene.sql("update sweep set max_running = 1 where name = 'urgent'");
    worker.attempt().await;
    let limited = causes(&coordinator, attempt.job_id).await;
    assert!(
        limited.contains(&"sweep-limit".to_owned()) && limited.contains(&"fitting-workers-busy".to_owned()),
        "{limited:?}"
    );
}

#[tokio::test]
async fn retry_of_the_failed_leaves_what_a_user_cancelled() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut spec = sweep_spec("retried", &[1, 2]);
    spec.execution.max_failures = 1;
    coordinator.submit(&spec).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let failing = worker.attempt().await;
    worker.fail(failing, "it broke").await.unwrap();
    let jobs = coordinator.jobs("retried").await;
    let other = jobs.iter().find(|job| job.kind == "train" && job.job_id != failing.job_id).unwrap().job_id;
    let follower = jobs.iter().find(|job| job.kind == "evaluate" && job.state == "failed").unwrap().job_id;

    assert_eq!(cancel(&coordinator, "retried", other).await.unwrap(), 2, "its evaluation goes with it");
    assert_eq!(cancel(&coordinator, "retried", other).await.unwrap(), 0);
    let alone = retry(&coordinator, "retried", v1::RetryScope::Missing, follower).await.unwrap_err();
    let violation = violations_of(&alone).unwrap().iter().next().unwrap().to_string();
    assert!(violation.starts_with(&format!("job_id: job {follower} waits for job {}", failing.job_id)), "{violation}");
    assert_eq!(retry(&coordinator, "retried", v1::RetryScope::Failed, other).await.unwrap(), 0);
    assert_eq!(retry(&coordinator, "retried", v1::RetryScope::Failed, 0).await.unwrap(), 2);
    let state = |jobs: Vec<v1::JobRow>, id| jobs.into_iter().find(|job| job.job_id == id).unwrap().state;
    assert_eq!(state(coordinator.jobs("retried").await, failing.job_id), "ready");
    assert_eq!(state(coordinator.jobs("retried").await, other), "cancelled");
    assert_eq!(retry(&coordinator, "retried", v1::RetryScope::Unspecified, 0).await.unwrap(), 2);
    assert_eq!(state(coordinator.jobs("retried").await, other), "ready");

    coordinator.submit(&sweep_spec("another", &[1])).await.unwrap();
    assert_eq!(code(retry(&coordinator, "another", v1::RetryScope::Missing, other).await), Code::NotFound);
    assert_eq!(code(cancel(&coordinator, "another", other).await), Code::NotFound);
    let request = v1::RetryRequest { sweep: "another".to_owned(), scope: 9, job_id: 0 };
    assert_eq!(code(coordinator.sweeps().retry(request).await), Code::InvalidArgument);
}

#[tokio::test]
async fn one_job_that_failed_is_retried_with_those_that_ended_with_it() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut spec = sweep_spec("one", &[1]);
    spec.execution.max_failures = 1;
    coordinator.submit(&spec).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let failing = worker.attempt().await;
    worker.fail(failing, "it broke").await.unwrap();

    assert_eq!(retry(&coordinator, "one", v1::RetryScope::Failed, failing.job_id).await.unwrap(), 2);

    let attempt = worker.attempt().await;
    let weights = coordinator.put(b"weights").await;
    assert!(!worker.complete(attempt, trained(weights, 10)).await.unwrap());
    assert_eq!(coordinator.states("one").await, ["succeeded", "ready"]);
    assert_eq!(retry(&coordinator, "one", v1::RetryScope::Missing, failing.job_id).await.unwrap(), 0);
}
