//! Probes of tiny trained flows.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod experiment;

use domain::job::FailureKind;
use domain::spec::{DatasetName, ExperimentSpec, ScoreName, parse_document};
use experiment::{Laboratory, data, spec};
use training::{
    CheckpointFile, Device, Directive, Event, ProbeOutcome, ProbeRequest, ProbedScore, Recorder, SavedCheckpoint,
    TrainingError, probe,
};

const GRADIENTS: [ScoreName; 2] = [ScoreName::GradientNorm, ScoreName::ScoreTest];

fn with_subsample(mut spec: ExperimentSpec, subsample: u32) -> ExperimentSpec {
    spec.evaluation.subsample = Some(subsample);
    spec.validate("base").unwrap();
    spec
}

fn tabular() -> ExperimentSpec {
    let document = serde_json::json!({
        "model": {"tabular": {"couplings": 4, "st_network": {"mlp": {"width": 8, "layers": 1}}}},
        "data": {"dataset": "synthetic-clusters-0", "train_images": 2000},
        "training": {
            "steps": 300, "batch_size": 100, "optimiser": {"adam": {"learning_rate": 1e-2}},
            "validation": {"every_steps": 100, "examples": 200},
        },
        "evaluation": {"out": ["synthetic-clusters-1"]},
    });
    parse_document(&document, "").unwrap()
}

fn run(
    spec: &ExperimentSpec,
    checkpoint: &SavedCheckpoint,
    scores: &[ScoreName],
    observer: &mut Recorder,
) -> Result<ProbeOutcome, TrainingError> {
    let request = ProbeRequest {
        spec,
        seed: 5,
        checkpoint: CheckpointFile::from(&checkpoint.file),
        out: spec.evaluation.out[0].clone(),
        scores,
        device: Device::Cpu,
        data: &data(),
    };
    probe(&request, observer)
}

fn finished(spec: &ExperimentSpec, checkpoint: &SavedCheckpoint, scores: &[ScoreName]) -> Vec<ProbedScore> {
    match run(spec, checkpoint, scores, &mut Recorder::default()).unwrap() {
        ProbeOutcome::Finished(found) => found,
        ProbeOutcome::Stopped => panic!("nobody stopped it"),
    }
}

#[test]
fn gradient_scores_of_images_are_finite_and_the_same_again() {
    let (spec, laboratory) = (with_subsample(spec("cycle", 12), 10), Laboratory::new());
    let checkpoint = laboratory.train(&spec);

    let found = finished(&spec, &checkpoint, &[ScoreName::ScoreTest, ScoreName::GradientNorm]);

    let names: Vec<ScoreName> = found.iter().map(|one| one.score).collect();
    assert_eq!(names, [ScoreName::ScoreTest, ScoreName::GradientNorm], "in the order asked for");
    for ProbedScore { score, inside, outside } in &found {
        assert_eq!((inside.len(), outside.len()), (10, 10), "{score}");
        assert!(inside.iter().chain(outside).all(|value| value.is_finite()), "{score}: {inside:?} {outside:?}");
    }
    assert_eq!(finished(&spec, &checkpoint, &[ScoreName::ScoreTest, ScoreName::GradientNorm]), found);
    // One score alone is as it is among others.
    assert_eq!(finished(&spec, &checkpoint, &[ScoreName::GradientNorm])[0], found[1]);
}

#[test]
fn every_probe_of_vectors_tells_far_clusters_from_learned_ones() {
    let (spec, laboratory) = (with_subsample(tabular(), 100), Laboratory::new());
    let checkpoint = laboratory.train(&spec);

    let found = finished(&spec, &checkpoint, &[GRADIENTS[0], GRADIENTS[1], ScoreName::LocalDimension]);

    for ProbedScore { score, inside, outside } in found {
        let auroc = ood::auroc(&inside, &outside).unwrap().value;
        assert!(auroc > 0.58, "{score}: AUROC {auroc}");
        if score == ScoreName::LocalDimension {
            assert!(inside.iter().chain(&outside).all(|value| (0.0..=1.0).contains(value)));
        }
    }
}

#[test]
fn a_probe_that_is_told_to_stop_stops_between_two_examples() {
    let (spec, laboratory) = (with_subsample(spec("cycle", 4), 10), Laboratory::new());
    let checkpoint = laboratory.train(&spec);
    let mut told = Recorder::default().at(0, Directive::StopNow);

    let outcome = run(&spec, &checkpoint, &GRADIENTS, &mut told).unwrap();

    assert_eq!(outcome, ProbeOutcome::Stopped);
    assert!(!told.events().iter().any(|event| matches!(event, Event::Progress(_))));
}

#[test]
fn a_dataset_of_another_shape_is_refused() {
    let (mut spec, laboratory) = (with_subsample(spec("cycle", 4), 10), Laboratory::new());
    let checkpoint = laboratory.train(&spec);
    spec.evaluation.out = vec![DatasetName::SyntheticShapesRgb.into()];

    let refusal = run(&spec, &checkpoint, &GRADIENTS, &mut Recorder::default()).unwrap_err();

    assert_eq!(refusal.kind(), FailureKind::Permanent);
    assert!(matches!(refusal, TrainingError::Shape { .. }), "{refusal}");
}
