//! Statistics through gRPC: kept with a train result, given to its evaluations, listed by sweep and by experiment.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use domain::Digest;
use proto::{
    convert::{ToWire, violations_of},
    v1,
};
use scene::{Running, Scene, code, evaluated, sweep_spec, trained};
use tonic::Code;

fn recorded(dataset: &str, split: &str, digest: Digest) -> v1::StatisticsRef {
    let (dataset, split) = (dataset.to_owned(), split.to_owned());
    v1::StatisticsRef { dataset, split, images: 7, noise_draws: 1, digest: digest.to_wire() }
}

/// A train result with statistics.
fn trained_with(weights: Digest, statistics: Vec<v1::StatisticsRef>) -> v1::complete_request::Result {
    match trained(weights, 10) {
        v1::complete_request::Result::Train(result) => {
            v1::complete_request::Result::Train(v1::TrainResult { statistics, ..result })
        }
        other => other,
    }
}

async fn list(coordinator: &Running, sweep: &str, experiment_id: i64) -> Result<Vec<v1::StatisticsRow>, tonic::Status> {
    let request = v1::ListStatisticsRequest { sweep: sweep.to_owned(), experiment_id };
    Ok(coordinator.results().list_statistics(request).await?.into_inner().statistics)
}

#[tokio::test]
async fn evaluations_are_given_what_training_recorded_and_clients_can_list_it() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("rows", &[7])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let (weights, reference, test) =
        (coordinator.put(b"weights").await, coordinator.put(b"reference").await, coordinator.put(b"test rows").await);
    let train = worker.claim(0).await.unwrap().unwrap();
    let statistics = vec![recorded("synthetic-shapes", "train", reference), recorded("synthetic-shapes", "test", test)];

    worker.complete(train.attempt.unwrap(), trained_with(weights, statistics.clone())).await.unwrap();
    let evaluate = worker.claim(0).await.unwrap().unwrap();
    let Some(v1::assignment::Task::Evaluate(task)) = evaluate.task else { panic!("{evaluate:?}") };
    let outside = coordinator.put(b"rows of strokes").await;
    worker.complete(evaluate.attempt.unwrap(), evaluated(outside, 0.25)).await.unwrap();

    assert_eq!(task.learned, [statistics[1].clone(), statistics[0].clone()]);
    let rows = list(&coordinator, "rows", 0).await.unwrap();
    let shown: Vec<_> =
        rows.iter().map(|row| (row.dataset.as_str(), row.split.as_str(), row.bytes, row.seed)).collect();
    assert_eq!(
        shown,
        [("synthetic-shapes", "test", 9, 7), ("synthetic-shapes", "train", 9, 7), ("synthetic-strokes", "test", 15, 7)]
    );
    assert_eq!((rows[2].digest.clone(), rows[2].images), (outside.to_wire(), 10));
    assert_eq!(list(&coordinator, "", train.experiment_id).await.unwrap(), rows);
    coordinator.ended().await;
}

#[tokio::test]
async fn statistics_that_are_nowhere_are_refused_with_the_whole_result() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("nowhere", &[1])).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let weights = coordinator.put(b"weights").await;
    let attempt = worker.attempt().await;
    let unknown = recorded("synthetic-shapes", "test", Digest::of(b"never stored"));

    let refusal = worker.complete(attempt, trained_with(weights, vec![unknown])).await.unwrap_err();

    assert_ne!(refusal.code(), Code::Ok);
    assert_eq!(coordinator.states("nowhere").await, ["running", "blocked"]);
    assert_eq!(list(&coordinator, "nowhere", 0).await.unwrap(), []);
    worker.complete(attempt, trained_with(weights, Vec::new())).await.unwrap();
    coordinator.ended().await;
}

#[tokio::test]
async fn what_is_not_there_has_no_statistics() {
    let scene = Scene::new();
    let coordinator = scene.start().await;

    assert_eq!(code(list(&coordinator, "nothing", 0).await), Code::NotFound);
    assert_eq!(code(list(&coordinator, "", 12_345).await), Code::NotFound);
    let both = list(&coordinator, "nothing", 1).await.unwrap_err();
    assert_eq!(
        violations_of(&both).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["experiment_id: names one experiment by itself: leave sweep out"]
    );
    coordinator.ended().await;
}
