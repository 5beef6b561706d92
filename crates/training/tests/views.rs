//! A flow over the features of pictures: what an extractor makes of them is learned and evaluated.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod experiment;

use std::fs;
use std::path::Path;

use datasets::DataDirectory;
use domain::job::FailureKind;
use domain::spec::{ExperimentSpec, parse_document};
use experiment::Laboratory;
use tch::{CModule, Kind, Tensor};
use training::{Device, FitEnd, FitOutcome, FitRequest, Recorder, fit};

/// Four features of an image: the means of its quarters, from top to bottom.
fn save_extractor(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let example = Tensor::zeros([2, 1, 8, 8], (Kind::Float, tch::Device::Cpu));
    let mut forward =
        |inputs: &[Tensor]| vec![inputs[0].avg_pool2d([2, 8], [2, 8], [0, 0], false, true, None).flatten(1, 3)];
    let module = CModule::create_by_tracing("Quarters", "forward", &[example], &mut forward).unwrap();
    module.save(path).unwrap();
}

fn spec(dataset: &str, out: &str) -> ExperimentSpec {
    let document = serde_json::json!({
        "model": {"tabular": {"couplings": 2, "st_network": {"mlp": {"width": 8, "layers": 1}}}},
        "data": {"dataset": dataset, "train_images": 40},
        "training": {"steps": 12, "batch_size": 10, "optimiser": {"adam": {"learning_rate": 1e-3}}},
        "evaluation": {"out": [out], "images": 30, "scores": ["log-likelihood"]},
    });
    let spec: ExperimentSpec = parse_document(&document, "").unwrap();
    spec.validate("base").unwrap();
    spec
}

fn fit_request<'a>(laboratory: &Laboratory, spec: &'a ExperimentSpec, data: &'a DataDirectory) -> FitRequest<'a> {
    FitRequest {
        spec,
        seed: 5,
        device: Device::Cpu,
        data,
        initial_weights: None,
        start: None,
        checkpoint_folder: laboratory.path().to_owned(),
        checkpoint_every: std::time::Duration::from_secs(3600),
    }
}

#[test]
fn a_flow_learns_what_an_extractor_makes_of_images() {
    let laboratory = Laboratory::new();
    let folder = tempfile::tempdir().unwrap();
    save_extractor(&folder.path().join("extractors/quarters.pt"));
    let data = DataDirectory::at(folder.path());
    let [inside, outside] =
        ["shapes", "strokes"].map(|name| format!("synthetic-{name}|resize=8x8:box|embed=quarters@4"));
    let spec = spec(&inside, &outside);

    let kept = || fs::read_dir(folder.path().join(".embeddings")).unwrap().count();
    let first = fit(&fit_request(&laboratory, &spec, &data), &mut Recorder::default()).unwrap();
    let kept_first = kept();
    let second = fit(&fit_request(&laboratory, &spec, &data), &mut Recorder::default()).unwrap();

    let digest = |outcome: &FitOutcome| outcome.checkpoint.as_ref().unwrap().file.digest;
    assert_eq!((first.end, first.steps), (FitEnd::Finished, 12));
    assert_eq!(digest(&first), digest(&second), "what was kept is what was computed");
    assert_eq!((kept_first > 0, kept()), (true, kept_first), "the second run computes nothing anew");
}

#[test]
fn own_files_without_a_train_split_are_refused_for_good() {
    let laboratory = Laboratory::new();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.csv"), "1,2\n3,4\n").unwrap();
    let data = DataDirectory::at(folder.path());
    let spec = spec("own:mine.csv@2", "own:other.csv@2");

    let refusal = fit(&fit_request(&laboratory, &spec, &data), &mut Recorder::default()).unwrap_err();

    assert_eq!(refusal.kind(), FailureKind::Permanent);
    let text = refusal.to_string();
    assert!(text.contains("has no train split") && text.ends_with("mine.train.csv"), "{text}");
}

/// Writes the module that the tests of whole clusters use: `SPILLWAY_EXTRACTOR=PATH cargo test --test views -- --ignored`.
#[test]
#[ignore = "it writes a file that is committed"]
fn write_the_extractor_of_other_tests() {
    save_extractor(Path::new(&std::env::var("SPILLWAY_EXTRACTOR").unwrap()));
}
