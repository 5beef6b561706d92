//! Evaluations of a tiny trained flow.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod experiment;

use std::path::Path;

use domain::job::FailureKind;
use domain::report::{Measurement, Metric};
use domain::spec::{DatasetName, ExperimentSpec};
use experiment::{Laboratory, data, spec};
use training::{
    CheckpointFile, Device, Directive, EvaluateOutcome, EvaluateRequest, Evaluation, Recorder, SavedCheckpoint,
    Statistics, evaluate,
};

fn request<'a>(
    spec: &'a ExperimentSpec,
    checkpoint: &SavedCheckpoint,
    data: &'a datasets::DataDirectory,
    statistics_file: &Path,
) -> EvaluateRequest<'a> {
    EvaluateRequest {
        spec,
        seed: 5,
        checkpoint: CheckpointFile::from(&checkpoint.file),
        out: DatasetName::SyntheticStrokes.into(),
        device: Device::Cpu,
        data,
        batch_size: 16,
        noise_draws: EvaluateRequest::DEFAULT_NOISE_DRAWS,
        statistics_file: statistics_file.to_owned(),
    }
}

fn finished(request: &EvaluateRequest<'_>) -> Evaluation {
    match evaluate(request, &mut Recorder::default()).unwrap() {
        EvaluateOutcome::Finished(evaluation) => evaluation,
        EvaluateOutcome::Stopped => panic!("nobody stopped it"),
    }
}

fn value(measurements: &[Measurement], metric: Metric, dataset: Option<DatasetName>) -> f64 {
    measurements.iter().find(|m| m.metric == metric && m.dataset == dataset.map(Into::into)).unwrap().value.unwrap()
}

#[test]
fn statistics_and_measurements_agree() {
    let (spec, laboratory, data) = (spec("cycle", 30), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);
    let file = laboratory.path().join("statistics.safetensors");

    let evaluation = finished(&request(&spec, &checkpoint, &data, &file));

    let statistics = Statistics::read(&file, evaluation.statistics.digest).unwrap();
    assert_eq!(statistics.checkpoint, checkpoint.file.digest);
    assert_eq!((statistics.noise_draws, statistics.precision.as_str()), (1, "float32"));
    for images in [&statistics.inside, &statistics.outside] {
        assert_eq!(images.log_likelihood.len(), 30);
        for ((total, latent), log_det) in images.log_likelihood.iter().zip(&images.latent).zip(&images.log_det) {
            assert!((total - (latent + log_det - 784.0 * 256_f64.ln())).abs() < 1e-9);
        }
    }
    let wins = |out: &f64| statistics.inside.log_likelihood.iter().filter(|within| out < *within).count();
    let auroc = statistics.outside.log_likelihood.iter().map(wins).sum::<usize>() as f64 / 900.0;
    let measurements = &evaluation.measurements;
    assert!((value(measurements, Metric::Auroc, None) - auroc).abs() < 1e-12);
    let bits = |values: &[f64]| -values.iter().sum::<f64>() / (30.0 * 784.0 * std::f64::consts::LN_2);
    let mean = value(measurements, Metric::BitsPerDimMean, Some(DatasetName::SyntheticShapes));
    assert!((mean - bits(&statistics.inside.log_likelihood)).abs() < 1e-9);
    assert_eq!(value(measurements, Metric::NonFinite, Some(DatasetName::SyntheticStrokes)), 0.0);
}

#[test]
fn evaluation_is_repeatable_and_batch_size_moves_it_by_rounding_only() {
    let (spec, laboratory, data) = (spec("checkerboard", 10), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);
    let (first, second) = (laboratory.path().join("a"), laboratory.path().join("b"));

    let base = finished(&request(&spec, &checkpoint, &data, &first));
    let again = finished(&request(&spec, &checkpoint, &data, &second));
    assert_eq!((&base.measurements, base.statistics.digest), (&again.measurements, again.statistics.digest));

    let other_batches = EvaluateRequest { batch_size: 7, ..request(&spec, &checkpoint, &data, &second) };
    let other = finished(&other_batches);
    let read = |evaluation: &Evaluation| {
        Statistics::read(&evaluation.statistics.path, evaluation.statistics.digest).unwrap().outside.log_likelihood
    };
    for (a, b) in read(&base).iter().zip(read(&other)) {
        assert!((a - b).abs() <= 1e-5 * a.abs(), "{a} against {b}");
    }
}

#[test]
fn more_noise_draws_are_averaged() {
    let (spec, laboratory, data) = (spec("cycle", 3), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);
    let inside = |draws, name| {
        let file = laboratory.path().join(name);
        let request = EvaluateRequest { noise_draws: draws, ..request(&spec, &checkpoint, &data, &file) };
        let evaluation = finished(&request);
        Statistics::read(&file, evaluation.statistics.digest).unwrap().inside.log_likelihood
    };

    let (one, four) = (inside(1, "one"), inside(4, "four"));

    assert_ne!(one, four);
    for (a, b) in one.iter().zip(&four) {
        assert!((a - b).abs() < 0.05 * a.abs(), "{a} against {b}");
    }
}

#[test]
fn directive_to_stop_leaves_nothing() {
    let (spec, laboratory, data) = (spec("cycle", 2), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);
    let file = laboratory.path().join("statistics.safetensors");

    let mut observer = Recorder::default().at(1, Directive::StopNow);
    let outcome = evaluate(&request(&spec, &checkpoint, &data, &file), &mut observer).unwrap();

    assert_eq!(outcome, EvaluateOutcome::Stopped);
    assert!(!file.exists());
}

#[test]
fn missing_out_dataset_is_permanent() {
    let (spec, laboratory, data) = (spec("cycle", 2), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);
    let file = laboratory.path().join("statistics.safetensors");

    let request =
        EvaluateRequest { out: DatasetName::FashionMnist.into(), ..request(&spec, &checkpoint, &data, &file) };
    let failure = evaluate(&request, &mut Recorder::default());

    // A machine with the packaged dataset evaluates against it instead.
    if let Err(failure) = failure {
        assert_eq!(failure.kind(), FailureKind::Permanent);
        assert!(failure.to_string().contains("fashion-mnist"), "{failure}");
    }
}

#[test]
fn checkpoint_with_another_digest_is_refused() {
    let (spec, laboratory, data) = (spec("cycle", 2), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);
    let file = laboratory.path().join("statistics.safetensors");
    let wrong = domain::Digest::of(b"another file");

    let mut request = request(&spec, &checkpoint, &data, &file);
    request.checkpoint.digest = wrong;
    let failure = evaluate(&request, &mut Recorder::default()).unwrap_err();

    assert_eq!(failure.kind(), FailureKind::Infrastructure);
    assert!(failure.to_string().contains(&wrong.to_string()), "{failure}");
}

#[test]
fn checkpoint_of_another_format_is_refused() {
    let (spec, laboratory, data) = (spec("cycle", 2), Laboratory::new(), data());
    let mut checkpoint = laboratory.train(&spec);
    let newer = experiment::with_header(&checkpoint, br#"\"format\":1"#, br#"\"format\":9"#);
    checkpoint.file.digest = newer.digest;
    let file = laboratory.path().join("statistics.safetensors");

    let failure = evaluate(&request(&spec, &checkpoint, &data, &file), &mut Recorder::default()).unwrap_err();

    assert_eq!(failure.kind(), FailureKind::Permanent);
    assert!(failure.to_string().contains("format 9 is not readable"), "{failure}");
}
