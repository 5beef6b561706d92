//! Inspect jobs through gRPC: claimed after evaluations, accepted once, listed by sweep and by experiment.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use domain::Digest;
use proto::{
    convert::{ToWire, violations_of},
    v1,
};
use scene::{Running, Scene, Worker, code, evaluated, inspected, inspected_sweep, trained};
use tonic::Code;

/// Trains and evaluates the only experiment and claims what is left: its inspection.
async fn claim_inspection(coordinator: &Running, worker: &mut Worker) -> v1::Assignment {
    let weights = coordinator.put(b"trained weights").await;
    let train = worker.attempt().await;
    worker.complete(train, trained(weights, 10)).await.unwrap();
    let evaluate = worker.claim(0).await.unwrap().unwrap();
    assert!(matches!(evaluate.task, Some(v1::assignment::Task::Evaluate(_))), "evaluations go first: {evaluate:?}");
    let statistics = coordinator.put(b"statistics").await;
    worker.complete(evaluate.attempt.unwrap(), evaluated(statistics, 0.25)).await.unwrap();
    worker.claim(0).await.unwrap().unwrap()
}

fn of_sweep(sweep: &str) -> v1::ListFiguresRequest {
    v1::ListFiguresRequest { sweep: sweep.to_owned(), ..Default::default() }
}

async fn list(coordinator: &Running, request: v1::ListFiguresRequest) -> Result<Vec<v1::FigureRow>, tonic::Status> {
    Ok(coordinator.results().list_figures(request).await?.into_inner().figures)
}

#[tokio::test]
async fn an_inspection_leaves_figures_that_clients_can_list_and_fetch() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&inspected_sweep("pictures", &[7])).await.unwrap();
    let mut worker = coordinator.open_worker().await;

    let inspection = claim_inspection(&coordinator, &mut worker).await;
    let Some(v1::assignment::Task::Inspect(task)) = inspection.task else { panic!("{inspection:?}") };
    let weights = Digest::of(b"trained weights");
    assert_eq!(task.checkpoint.unwrap(), v1::CheckpointRef { digest: weights.to_wire(), step: 10 });
    assert!(inspection.spec.unwrap().inspection.is_some());
    let sheet = coordinator.put(b"a sheet").await;
    let latents = coordinator.put(b"latents").await;
    let result = inspected(&[("contact-sheet.png", sheet), ("latents-mnist.png", latents)]);
    worker.complete(inspection.attempt.unwrap(), result).await.unwrap();

    let figures = list(&coordinator, of_sweep("pictures")).await.unwrap();
    let names: Vec<_> = figures.iter().map(|figure| (figure.name.as_str(), figure.seed, figure.bytes)).collect();
    assert_eq!(names, [("contact-sheet.png", 7, 7), ("latents-mnist.png", 7, 7)]);
    assert_eq!((figures[0].digest.clone(), figures[0].width, figures[0].height), (sheet.to_wire(), 30, 20));
    let by_experiment = v1::ListFiguresRequest { experiment_id: inspection.experiment_id, ..Default::default() };
    assert_eq!(list(&coordinator, by_experiment).await.unwrap(), figures);
    let other_seed = v1::ListFiguresRequest { seed: Some(8), ..of_sweep("pictures") };
    assert_eq!(list(&coordinator, other_seed).await.unwrap(), []);
    assert_eq!(coordinator.states("pictures").await, ["succeeded"; 3]);
    let summary = coordinator.sweeps().get(v1::GetSweepRequest { sweep: "pictures".to_owned() }).await.unwrap();
    assert_eq!(summary.into_inner().jobs.unwrap().succeeded, 3);
}

#[tokio::test]
async fn the_same_figures_twice_are_one_result_and_others_are_refused() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&inspected_sweep("twice", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempt = claim_inspection(&coordinator, &mut worker).await.attempt.unwrap();
    let (one, other) = (coordinator.put(b"one").await, coordinator.put(b"other").await);

    assert!(!worker.complete(attempt, inspected(&[("a.png", one)])).await.unwrap());
    assert!(worker.complete(attempt, inspected(&[("a.png", one)])).await.unwrap(), "a duplicate");
    let refusal = worker.complete(attempt, inspected(&[("a.png", other)])).await.unwrap_err();

    assert_eq!(refusal.code(), Code::FailedPrecondition);
    let figures = list(&coordinator, of_sweep("twice")).await.unwrap();
    assert_eq!((figures.len(), figures[0].digest.clone()), (1, one.to_wire()));
}

#[tokio::test]
async fn a_result_of_another_kind_or_of_unknown_figures_is_refused() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&inspected_sweep("kinds", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempt = claim_inspection(&coordinator, &mut worker).await.attempt.unwrap();
    let nowhere = Digest::of(b"never stored");

    let wrong_kind = worker.complete(attempt, evaluated(nowhere, 0.5)).await.unwrap_err();
    let unknown = worker.complete(attempt, inspected(&[("a.png", nowhere)])).await.unwrap_err();

    let violation = violations_of(&wrong_kind).unwrap().iter().next().unwrap().to_string();
    assert_eq!(violation, "evaluate: the job inspects: an `inspect` result expected");
    assert!(unknown.message().contains("put it into the artifact store first"), "{unknown}");
    assert_eq!(list(&coordinator, of_sweep("kinds")).await.unwrap(), []);
}

#[tokio::test]
async fn a_failed_inspection_is_retried_alone_and_a_cancelled_training_takes_it_along() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let mut spec = inspected_sweep("retried", &[1]);
    spec.execution.max_failures = 1;
    coordinator.submit(&spec).await.unwrap();
    coordinator.submit(&inspected_sweep("cancelled", &[1])).await.unwrap();
    let request = v1::CancelRequest { sweep: "cancelled".to_owned(), ..Default::default() };
    coordinator.sweeps().cancel(request).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let attempt = claim_inspection(&coordinator, &mut worker).await.attempt.unwrap();

    worker.fail(attempt, "no ink").await.unwrap();

    assert_eq!(coordinator.states("cancelled").await, ["cancelled"; 3]);
    assert_eq!(coordinator.states("retried").await, ["succeeded", "succeeded", "failed"]);
    let retry = v1::RetryRequest { sweep: "retried".to_owned(), ..Default::default() };
    assert_eq!(coordinator.sweeps().retry(retry).await.unwrap().into_inner().retried, 1);
    let again = worker.attempt().await;
    assert_eq!((again.job_id, again.epoch), (attempt.job_id, attempt.epoch + 1));
}

#[tokio::test]
async fn figures_of_what_is_not_there_are_not_found_and_unclear_requests_are_refused() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&inspected_sweep("here", &[1])).await.unwrap();
    let experiment = |experiment_id| v1::ListFiguresRequest { experiment_id, ..Default::default() };

    assert_eq!(list(&coordinator, of_sweep("here")).await.unwrap(), []);
    assert_eq!(code(list(&coordinator, of_sweep("nowhere")).await), Code::NotFound);
    assert_eq!(code(list(&coordinator, experiment(999)).await), Code::NotFound);
    assert_eq!(code(list(&coordinator, experiment(-1)).await), Code::InvalidArgument);
    assert_eq!(code(list(&coordinator, of_sweep("")).await), Code::InvalidArgument);
    let both = v1::ListFiguresRequest { experiment_id: 1, ..of_sweep("here") };
    let refusal = list(&coordinator, both).await.unwrap_err();
    assert!(refusal.message().contains("names one experiment by itself"), "{refusal}");
}

#[tokio::test]
async fn validating_counts_inspections_apart() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let validate = v1::ValidateRequest { sweep: Some(inspected_sweep("counted", &[1, 2, 3]).to_wire()) };

    let counted = coordinator.sweeps().validate(validate).await.unwrap().into_inner();

    assert_eq!((counted.train_jobs, counted.evaluate_jobs, counted.inspect_jobs), (3, 3, 3));
}
