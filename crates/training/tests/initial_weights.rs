//! Training that begins with stored weights: taken as they are with no step, and refused where they are of another model.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod experiment;

use domain::spec::{DatasetName, ExperimentSpec};
use experiment::{Laboratory, spec};
use training::{CheckpointFile, FitEnd, FitOutcome, FitRequest, Recorder, SavedCheckpoint, TrainingError, fit};

/// An experiment that evaluates `weights` as they are; its dataset is one whose files are not there.
fn as_they_are(mask: &str, weights: &SavedCheckpoint) -> ExperimentSpec {
    let mut spec = spec(mask, 1);
    spec.training.steps = 0;
    spec.data.dataset = DatasetName::Mnist.into();
    spec.training.initial_weights = Some(weights.file.digest);
    spec
}

fn begin(laboratory: &Laboratory, mask: &str, weights: &SavedCheckpoint) -> Result<FitOutcome, TrainingError> {
    let spec = as_they_are(mask, weights);
    spec.validate("base").unwrap();
    let initial_weights = Some(CheckpointFile::from(&weights.file));
    fit(&FitRequest { initial_weights, ..laboratory.request(&spec, None) }, &mut Recorder::default())
}

#[test]
fn weights_taken_as_they_are_need_no_training_data_and_stay_the_same() {
    let trained = Laboratory::new();
    let weights = trained.train(&spec("cycle", 5));
    let taken = Laboratory::new();

    let outcome = begin(&taken, "cycle", &weights).unwrap();

    assert_eq!((outcome.end, outcome.steps), (FitEnd::Finished, 0));
    let model = |saved: &SavedCheckpoint| {
        let bytes = std::fs::read(&saved.file.path).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let tensors = file.iter().filter(|(name, _)| name.starts_with("model."));
        let mut tensors: Vec<_> = tensors.map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect();
        tensors.sort();
        tensors
    };
    assert!(model(&weights).len() > 100);
    assert_eq!(model(&outcome.checkpoint.unwrap()), model(&weights));
}

#[test]
fn weights_under_another_mask_are_refused_though_their_shapes_fit() {
    let trained = Laboratory::new();
    let weights = trained.train(&spec("cycle", 1));

    let refusal = begin(&Laboratory::new(), "horizontal", &weights).unwrap_err();

    assert!(refusal.to_string().contains("another model"), "{refusal}");
}
