//! The whole life of a sweep through gRPC, and what clients see of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use proto::{
    convert::{ToWire, violations_of},
    v1,
};
use scene::{Scene, code, evaluated, soon, sweep_spec, trained};
use tonic::Code;

#[tokio::test]
async fn a_sweep_goes_from_submit_to_its_table() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let submitted = coordinator.submit(&sweep_spec("life", &[7])).await.unwrap();
    assert!(submitted.created);
    assert_eq!(submitted.sweep.unwrap().jobs.unwrap(), v1::JobCounts { blocked: 1, ready: 1, ..Default::default() });
    let mut worker = coordinator.open_worker().await;

    let train = worker.claim(0).await.unwrap().unwrap();
    let attempt = train.attempt.unwrap();
    assert_eq!((train.seed, attempt.epoch), (7, 0));
    assert!(matches!(train.task, Some(v1::assignment::Task::Train(ref task)) if task.resume.is_empty()));
    assert_eq!(worker.heartbeat(&[attempt]).await.unwrap(), []);
    let halfway = coordinator.put(b"half-trained weights").await;
    let checkpoint = v1::CheckpointRef { digest: halfway.to_wire(), step: 5 };
    worker.report(attempt, &[2, 4], Some(checkpoint)).await.unwrap();
    let weights = coordinator.put(b"trained weights").await;
    assert!(!worker.complete(attempt, trained(weights, 10)).await.unwrap());

    let evaluate = worker.claim(0).await.unwrap().unwrap();
    let Some(v1::assignment::Task::Evaluate(task)) = evaluate.task else { panic!("{evaluate:?}") };
    assert_eq!(task.checkpoint.unwrap(), v1::CheckpointRef { digest: weights.to_wire(), step: 10 });
    assert_eq!(task.out_dataset, "synthetic-strokes");
    let statistics = coordinator.put(b"statistics").await;
    worker.complete(evaluate.attempt.unwrap(), evaluated(statistics, 0.25)).await.unwrap();

    assert_eq!(worker.claim(0).await.unwrap(), None);
    let request = v1::QueryAurocRequest { sweep: "life".to_owned(), scores: vec![] };
    let table = coordinator.results().query_auroc(request).await.unwrap().into_inner().rows;
    assert_eq!(table.len(), 1);
    assert_eq!((table[0].auroc_mean, table[0].seeds, table[0].seeds_planned), (Some(0.25), 1, 1));
    let request = v1::TrainingCurveRequest { experiment_id: train.experiment_id };
    let curve = coordinator.results().training_curve(request).await.unwrap().into_inner().points;
    assert_eq!(curve.iter().map(|point| point.step).collect::<Vec<_>>(), [2, 4]);
    let request = v1::QueryEvaluationsRequest { sweep: "life".to_owned() };
    let numbers = coordinator.results().query_evaluations(request).await.unwrap().into_inner().rows;
    assert_eq!((numbers.len(), numbers[0].value), (1, Some(0.25)));
    assert_eq!(coordinator.states("life").await, ["succeeded", "succeeded"]);
    coordinator.ended().await;
}

#[tokio::test]
async fn a_watch_shows_changes_and_ends_with_the_sweep() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("watched", &[1])).await.unwrap();
    let request = v1::WatchRequest { sweep: "watched".to_owned(), scores: vec![] };
    let mut watch = coordinator.sweeps().watch(request).await.unwrap().into_inner();
    let first = soon("the first snapshot", watch.message()).await.unwrap().unwrap();
    assert_eq!(first.sweep.unwrap().jobs.unwrap().ready, 1);

    let mut worker = coordinator.open_worker().await;
    let attempt = worker.attempt().await;
    worker.heartbeat(&[attempt]).await.unwrap();
    let running = async {
        loop {
            let snapshot = watch.message().await.unwrap().unwrap();
            if let Some(job) = snapshot.running.into_iter().find(|job| job.done > 0) {
                return job;
            }
        }
    };
    let running = soon("a snapshot with progress", running).await;
    assert_eq!((running.done, running.total, running.worker.as_str()), (3, 10, "scripted"));
    let request = v1::CancelRequest { sweep: "watched".to_owned(), reason: "seen enough".to_owned(), job_id: 0 };
    assert_eq!(coordinator.sweeps().cancel(request).await.unwrap().into_inner().cancelled, 2);

    let mut last = None;
    while let Some(snapshot) = soon("the end of the watch", watch.message()).await.unwrap() {
        last = Some(snapshot);
    }

    let last = last.unwrap();
    assert!(last.finished && last.running.is_empty());
    let ended: Vec<_> = last.ended.iter().map(|job| (job.state.as_str(), job.reason.as_str())).collect();
    assert_eq!(ended, [("cancelled", "seen enough"); 2]);
}

#[tokio::test]
async fn a_bad_sweep_is_refused_field_by_field() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut spec = sweep_spec("bad", &[]);
    spec.base.training.batch_size = 0;

    let refusal = coordinator.submit(&spec).await.unwrap_err();

    assert_eq!(refusal.code(), Code::InvalidArgument);
    let violations = violations_of(&refusal).unwrap();
    let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["seeds", "base.training.batch_size"]);
    let validate = v1::ValidateRequest { sweep: Some(spec.to_wire()) };
    assert_eq!(code(coordinator.sweeps().validate(validate).await), Code::InvalidArgument);
    assert_eq!(code(coordinator.sweeps().submit(v1::SubmitRequest::default()).await), Code::InvalidArgument);
    let list = v1::ListSweepsRequest { limit: 0 };
    assert!(coordinator.sweeps().list(list).await.unwrap().into_inner().sweeps.is_empty());
}

#[tokio::test]
async fn validating_counts_and_stores_nothing() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let validate = v1::ValidateRequest { sweep: Some(sweep_spec("counted", &[1, 2, 3]).to_wire()) };

    let counted = coordinator.sweeps().validate(validate).await.unwrap().into_inner();

    assert_eq!((counted.variants.len(), counted.experiments), (1, 3));
    assert_eq!((counted.train_jobs, counted.evaluate_jobs), (3, 3));
    let workload = counted.variants[0].workload.unwrap();
    assert!(workload.parameters > 0 && workload.flops_per_step > 0, "{workload:?}");
    assert_eq!(workload.examples_per_epoch, Some(60_000));
    let get = v1::GetSweepRequest { sweep: "counted".to_owned() };
    assert_eq!(code(coordinator.sweeps().get(get).await), Code::NotFound);
}

#[tokio::test]
async fn a_sweep_submitted_again_is_the_same_sweep() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let request = |name: &str, seeds: &[u64], key: &str| v1::SubmitRequest {
        sweep: Some(sweep_spec(name, seeds).to_wire()),
        idempotency_key: key.to_owned(),
        user: "ada".to_owned(),
    };
    let first = coordinator.sweeps().submit(request("one", &[1], "k")).await.unwrap().into_inner();

    let again = coordinator.sweeps().submit(request("one", &[1], "k")).await.unwrap().into_inner();
    let unkeyed = coordinator.sweeps().submit(request("one", &[1], "")).await.unwrap().into_inner();
    let other_document = coordinator.sweeps().submit(request("one", &[2], "")).await.unwrap_err();
    let other_name = coordinator.sweeps().submit(request("two", &[1], "k")).await.unwrap_err();

    assert_eq!((again.sweep, again.created), (first.sweep.clone(), false));
    assert_eq!((unkeyed.sweep, unkeyed.created), (first.sweep, false));
    assert_eq!((other_document.code(), other_name.code()), (Code::AlreadyExists, Code::AlreadyExists));
    assert!(other_document.message().contains("another name"), "{other_document}");
    assert!(other_name.message().contains("a new key"), "{other_name}");
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_is_not_understood_is_refused() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("here", &[1])).await.unwrap();
    let jobs =
        |sweep: &str, state: &str| v1::ListJobsRequest { sweep: sweep.to_owned(), state: state.to_owned(), limit: 0 };

    let refusal = coordinator.results().list_jobs(jobs("here", "asleep")).await.unwrap_err();

    assert!(refusal.message().contains("quarantined"), "{refusal}");
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert_eq!(code(coordinator.results().list_jobs(jobs("nowhere", "")).await), Code::NotFound);
    assert_eq!(code(coordinator.results().list_jobs(jobs("", "")).await), Code::InvalidArgument);
    let ready = coordinator.results().list_jobs(jobs("here", "ready")).await.unwrap().into_inner().jobs;
    assert_eq!(ready.len(), 1);
}
