//! What a sweep asked for and how its results were computed, through gRPC.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use proto::{convert::ToWire, v1};
use scene::{Scene, code, inspected_sweep, trained};
use tonic::Code;

fn of(sweep: &str) -> v1::DescribeSweepRequest {
    v1::DescribeSweepRequest { sweep: sweep.to_owned(), max_variants: 0 }
}

#[tokio::test]
async fn sweep_is_described_by_its_documents_and_what_computed_its_results() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    let submitted = inspected_sweep("described", &[7, 8]);
    coordinator.submit(&submitted).await.unwrap();
    let mut worker = coordinator.open_worker().await;
    let weights = coordinator.put(b"trained weights").await;
    let train = worker.attempt().await;
    worker.complete(train, trained(weights, 10)).await.unwrap();

    let description = coordinator.sweeps().describe(of("described")).await.unwrap().into_inner();

    assert_eq!(description.sweep.as_ref().unwrap().name, "described");
    assert_eq!(description.coordinator_version, env!("CARGO_PKG_VERSION"));
    let document: serde_json::Value = serde_json::from_str(&description.document).unwrap();
    assert_eq!(document["name"], "described");
    let stored: domain::sweep::SweepSpec = domain::spec::parse_document(&document, "").unwrap();
    assert_eq!(stored, submitted, "the document can be submitted again");
    let [variant] = description.variants.as_slice() else { panic!("{:?}", description.variants) };
    assert_eq!(variant.fingerprint.len(), 32);
    assert!(serde_json::from_str::<serde_json::Value>(&variant.document).unwrap()["model"].is_object());
    assert!(!variant.in_dataset.is_empty());
    let [result] = description.results.as_slice() else { panic!("{:?}", description.results) };
    assert_eq!((result.kind.as_str(), result.checkpoint.clone()), ("train", weights.to_wire()));
    assert!(!result.worker_version.is_empty() && !result.precision.is_empty() && result.accepted_at.is_some());
}

#[tokio::test]
async fn unknown_sweeps_are_not_described_and_new_ones_have_no_results() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&inspected_sweep("new", &[1])).await.unwrap();

    let unknown = coordinator.sweeps().describe(of("old")).await;
    assert_eq!(code(unknown), Code::NotFound);
    let description = coordinator.sweeps().describe(of("new")).await.unwrap().into_inner();
    assert_eq!((description.results.len(), description.variants.len()), (0, 1));
}
