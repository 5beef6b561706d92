//! Evaluations of a tiny trained flow.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod experiment;

use std::path::Path;

use domain::job::FailureKind;
use domain::report::{Measurement, Metric, Split};
use domain::spec::{Codec, DatasetName, ExperimentSpec, ScoreName};
use experiment::{Laboratory, data, spec};
use scoring::{PROJECTIONS, Statistics, column};
use training::{
    CheckpointFile, Device, Directive, EvaluateOutcome, EvaluateRequest, Evaluation, FitEnd, FitOutcome, Recorder,
    SavedCheckpoint, SavedStatistics, StatisticsFile, evaluate,
};

fn request<'a>(
    spec: &'a ExperimentSpec,
    checkpoint: &SavedCheckpoint,
    data: &'a datasets::DataDirectory,
    folder: &Path,
) -> EvaluateRequest<'a> {
    EvaluateRequest {
        spec,
        seed: 5,
        checkpoint: CheckpointFile::from(&checkpoint.file),
        out: DatasetName::SyntheticStrokes.into(),
        learned: &[],
        device: Device::Cpu,
        data,
        batch_size: 16,
        folder: folder.to_owned(),
    }
}

fn finished(request: &EvaluateRequest<'_>) -> Evaluation {
    match evaluate(request, &mut Recorder::default()).unwrap() {
        EvaluateOutcome::Finished(evaluation) => *evaluation,
        EvaluateOutcome::Stopped => panic!("nobody stopped it"),
    }
}

fn value(measurements: &[Measurement], metric: Metric, dataset: Option<DatasetName>) -> f64 {
    let dataset = dataset.map(Into::into);
    let wanted = |m: &&Measurement| m.score == ScoreName::LogLikelihood && m.metric == metric && m.dataset == dataset;
    measurements.iter().find(wanted).unwrap().value.unwrap()
}

fn read(saved: &SavedStatistics) -> Statistics {
    Statistics::read_file(&saved.path, Some(saved.reference.digest)).unwrap()
}

fn files(saved: &[SavedStatistics]) -> Vec<StatisticsFile> {
    saved.iter().map(|one| StatisticsFile { path: one.path.clone(), digest: one.reference.digest }).collect()
}

#[test]
fn statistics_and_measurements_agree() {
    let (spec, laboratory, data) = (spec("cycle", 30), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);

    let evaluation = finished(&request(&spec, &checkpoint, &data, laboratory.path()));

    assert_eq!(evaluation.problems, Vec::<String>::new());
    let sides = [&evaluation.learned[0], &evaluation.learned[1], &evaluation.statistics].map(read);
    let splits = [Split::Train, Split::Test, Split::Test];
    for (side, split) in sides.iter().zip(splits) {
        let header = side.header();
        assert_eq!((header.checkpoint, header.split, header.images), (checkpoint.file.digest, split, 30));
        assert_eq!((header.noise_draws, header.precision.as_str(), header.threads), (1, "float32", 1));
        let part = |name| side.column(name).unwrap();
        let (density, log_det) = (part(column::LATENT_LOG_DENSITY), part(column::LOG_DETERMINANT));
        for ((total, density), log_det) in side.log_likelihood().iter().zip(density).zip(log_det) {
            assert!((total - (density + log_det - 784.0 * 256_f64.ln())).abs() < 1e-9);
        }
        let constant = 392.0 * std::f64::consts::TAU.ln();
        for (density, norm) in density.iter().zip(part(column::LATENT_NORM_SQUARED)) {
            assert!((density + 0.5 * norm + constant).abs() < 1e-9);
        }
        let bits = Codec::ALL.map(|codec| side.column(&column::code_length(codec)).unwrap().to_vec());
        assert!(bits.iter().flatten().all(|bits| *bits > 0.0 && *bits < 784.0 * 9.0 && bits % 8.0 == 0.0));
        let projections = side.projections().unwrap();
        let square = |value: &f32| f64::from(*value) * f64::from(*value);
        let mean = projections.iter().map(square).sum::<f64>() / (30 * PROJECTIONS) as f64;
        let expected = part(column::LATENT_NORM_SQUARED).iter().sum::<f64>() / (30.0 * 784.0);
        assert!((mean / expected - 1.0).abs() < 0.5, "{mean} against {expected}");
    }
    let [_, inside, outside] = sides.each_ref().map(Statistics::log_likelihood);
    let wins = |out: &f64| inside.iter().filter(|within| out < *within).count();
    let auroc = outside.iter().map(wins).sum::<usize>() as f64 / 900.0;
    let measurements = &evaluation.measurements;
    assert!((value(measurements, Metric::Auroc, None) - auroc).abs() < 1e-12);
    let bits = |values: &[f64]| -values.iter().sum::<f64>() / (30.0 * 784.0 * std::f64::consts::LN_2);
    let mean = value(measurements, Metric::BitsPerDimMean, Some(DatasetName::SyntheticShapes));
    assert!((mean - bits(inside)).abs() < 1e-9);
    assert_eq!(value(measurements, Metric::NonFinite, Some(DatasetName::SyntheticStrokes)), 0.0);
    let mut scored: Vec<ScoreName> = measurements.iter().map(|measurement| measurement.score).collect();
    scored.dedup();
    scored.truncate(spec.scores().len());
    assert_eq!(scored, spec.scores());
}

#[test]
fn scales_add_up_to_the_whole() {
    let (spec, laboratory, data) = (spec("checkerboard", 3), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);

    let statistics = read(&finished(&request(&spec, &checkpoint, &data, laboratory.path())).statistics);

    assert_eq!(statistics.header().scales, 2);
    type Part = fn(u32) -> String;
    let names: [(&str, Part); 3] = [
        (column::LATENT_LOG_DENSITY, column::scale_latent_log_density),
        (column::LOG_DETERMINANT, column::scale_log_determinant),
        (column::LATENT_NORM_SQUARED, column::scale_latent_norm_squared),
    ];
    for (name, part) in names {
        let [whole, first, second] =
            [name.to_owned(), part(0), part(1)].map(|name| statistics.column(&name).unwrap().to_vec());
        assert!(whole.iter().zip(first.iter().zip(&second)).all(|(whole, (first, second))| *whole == first + second));
        assert_ne!(first, second);
    }
}

#[test]
fn training_records_its_own_dataset_once_for_all_evaluations() {
    let (spec, laboratory, data) = (spec("cycle", 5), Laboratory::new(), data());
    let (FitOutcome { end, checkpoint, statistics, .. }, _) = laboratory.fit(&spec, None, Recorder::default()).unwrap();
    assert_eq!(end, FitEnd::Finished);
    let checkpoint = checkpoint.unwrap();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];

    let learned = files(&statistics);
    let given = EvaluateRequest { learned: &learned, ..request(&spec, &checkpoint, &data, folders[0].path()) };
    let mut observer = Recorder::default();
    let EvaluateOutcome::Finished(given) = evaluate(&given, &mut observer).unwrap() else { panic!("it was stopped") };
    let alone = finished(&EvaluateRequest {
        batch_size: EvaluateRequest::DEFAULT_BATCH_SIZE,
        ..request(&spec, &checkpoint, &data, folders[1].path())
    });

    assert_eq!((given.learned.len(), alone.learned.len()), (0, 2));
    let of = |all: &[SavedStatistics]| all.iter().map(|one| one.reference.clone()).collect::<Vec<_>>();
    assert_eq!(of(&statistics), of(&alone.learned), "the same bits, whoever records them");
    assert_eq!(std::fs::read_dir(folders[0].path()).unwrap().count(), 1);
    // One pass over the OOD side is all that is left to do.
    let passed = observer.events().iter().filter_map(|event| match event {
        training::Event::Progress(progress) => Some(progress.total),
        _ => None,
    });
    assert_eq!(passed.max(), Some(30));
}

#[test]
fn statistics_of_another_evaluation_or_damaged_ones_are_recorded_again() {
    let (spec, laboratory, data) = (spec("cycle", 2), Laboratory::new(), data());
    let (outcome, _) = laboratory.fit(&spec, None, Recorder::default()).unwrap();
    let checkpoint = outcome.checkpoint.unwrap();
    let other = Laboratory::new();
    let (foreign, _) = other.fit(&experiment::spec("cycle", 4), None, Recorder::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let learned = [files(&foreign.statistics).swap_remove(0), files(&outcome.statistics).swap_remove(1)];
    std::fs::write(&learned[1].path, "damaged").unwrap();

    let request = EvaluateRequest { learned: &learned, ..request(&spec, &checkpoint, &data, folder.path()) };
    let found = finished(&request);

    assert_eq!(found.learned.len(), 2);
    assert_eq!(found.problems.len(), 2, "{:?}", found.problems);
    assert!(found.problems[0].contains("of another evaluation") && found.problems[1].contains("damaged"));
}

#[test]
fn a_stop_amid_the_recording_keeps_the_trained_flow() {
    let (spec, laboratory) = (spec("cycle", 5), Laboratory::new());
    let whole = laboratory.fit(&spec, None, Recorder::default()).unwrap().0;
    let laboratory = Laboratory::new();

    // Five steps are asked for before the first batch of the pass.
    let observer = Recorder::default().at(5, Directive::StopAfterCheckpoint);
    let (stopped, told) = laboratory.fit(&spec, None, observer).unwrap();
    let saved = stopped.checkpoint.unwrap();
    let (resumed, again) = laboratory.fit(&spec, Some(&saved), Recorder::default()).unwrap();

    assert_eq!((stopped.end, stopped.steps, stopped.statistics.len()), (FitEnd::Stopped, 5, 0));
    assert_eq!((told.checkpoints().len(), again.curve().len()), (1, 0));
    assert_eq!(resumed.end, FitEnd::Finished);
    let digests = |all: &[SavedStatistics]| all.iter().map(|one| one.reference.digest).collect::<Vec<_>>();
    assert_eq!(digests(&resumed.statistics), digests(&whole.statistics));
}

#[test]
fn held_out_examples_are_no_part_of_the_reference() {
    let mut spec = spec("cycle", 2);
    spec.training.validation = serde_json::from_value(serde_json::json!({"every_steps": 1, "examples": 15})).unwrap();
    let laboratory = Laboratory::new();

    let (outcome, _) = laboratory.fit(&spec, None, Recorder::default()).unwrap();

    let [reference, test] = [0, 1].map(|index| outcome.statistics[index].reference.clone());
    assert_eq!((reference.split, reference.images), (Split::Train, 25), "40 are taken, and 15 of them held out");
    assert_eq!((test.split, test.images), (Split::Test, 30));
}

#[test]
fn vectors_have_no_code_lengths() {
    let document = serde_json::json!({
        "model": {"tabular": {"couplings": 2, "st_network": {"mlp": {"width": 8, "layers": 1}}}},
        "data": {"dataset": "synthetic-clusters-0", "train_images": 60},
        "training": {"steps": 3, "batch_size": 12, "optimiser": {"adam": {"learning_rate": 1e-3}}},
        "evaluation": {"out": ["synthetic-clusters-1"], "images": 50},
    });
    let spec: ExperimentSpec = domain::spec::parse_document(&document, "").unwrap();
    let (laboratory, data) = (Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);
    let out = DatasetName::SyntheticClusters1.into();

    let found = finished(&EvaluateRequest { out, ..request(&spec, &checkpoint, &data, laboratory.path()) });

    let statistics = read(&found.statistics);
    assert!(!statistics.names().any(|name| name.starts_with("code_length")));
    assert_eq!((statistics.header().dimensions, statistics.header().discretisation_nats), (15, 0.0));
    assert_eq!(found.problems, Vec::<String>::new());
}

#[test]
fn evaluation_is_repeatable_and_batch_size_moves_it_by_rounding_only() {
    let (spec, laboratory, data) = (spec("checkerboard", 10), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];

    let base = finished(&request(&spec, &checkpoint, &data, folders[0].path()));
    let again = finished(&request(&spec, &checkpoint, &data, folders[1].path()));
    assert_eq!(
        (&base.measurements, base.statistics.reference),
        (&again.measurements, again.statistics.reference.clone())
    );

    let other = finished(&EvaluateRequest { batch_size: 7, ..request(&spec, &checkpoint, &data, folders[2].path()) });
    for (a, b) in read(&again.statistics).log_likelihood().iter().zip(read(&other.statistics).log_likelihood()) {
        assert!((a - b).abs() <= 1e-5 * a.abs(), "{a} against {b}");
    }
}

#[test]
fn more_noise_draws_are_averaged() {
    let (spec, laboratory, data) = (spec("cycle", 3), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);
    let outside = |draws| {
        let mut spec = spec.clone();
        spec.evaluation.noise_draws = draws;
        read(&finished(&request(&spec, &checkpoint, &data, laboratory.path())).statistics)
    };

    let (one, four) = (outside(1), outside(4));

    assert_ne!(one.log_likelihood(), four.log_likelihood());
    assert_eq!(one.projections(), four.projections(), "of the first draw");
    for (a, b) in one.log_likelihood().iter().zip(four.log_likelihood()) {
        assert!((a - b).abs() < 0.05 * a.abs(), "{a} against {b}");
    }
}

#[test]
fn directive_to_stop_leaves_nothing() {
    let (spec, laboratory, data) = (spec("cycle", 2), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);
    let folder = tempfile::tempdir().unwrap();

    let mut observer = Recorder::default().at(1, Directive::StopNow);
    let outcome = evaluate(&request(&spec, &checkpoint, &data, folder.path()), &mut observer).unwrap();

    assert_eq!(outcome, EvaluateOutcome::Stopped);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn missing_out_dataset_is_permanent() {
    let (spec, laboratory, data) = (spec("cycle", 2), Laboratory::new(), data());
    let checkpoint = laboratory.train(&spec);

    let request = EvaluateRequest {
        out: DatasetName::FashionMnist.into(),
        ..request(&spec, &checkpoint, &data, laboratory.path())
    };
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
    let wrong = domain::Digest::of(b"another file");

    let mut request = request(&spec, &checkpoint, &data, laboratory.path());
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

    let failure =
        evaluate(&request(&spec, &checkpoint, &data, laboratory.path()), &mut Recorder::default()).unwrap_err();

    assert_eq!(failure.kind(), FailureKind::Permanent);
    assert!(failure.to_string().contains("format 9 is not readable"), "{failure}");
}
