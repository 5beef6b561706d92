//! Tiny training runs on the processor: they learn, they resume in the same bits, they fail with the right blame.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod experiment;

use std::time::Duration;

use domain::job::FailureKind;
use domain::spec::{AdamSpec, DatasetName, OptimiserSpec, RmsPropSpec};
use experiment::{Laboratory, spec};
use training::{Device, Directive, Divergence, Event, FitEnd, FitRequest, Recorder, TrainingError, fit};

#[test]
fn loss_falls() {
    for mask in ["checkerboard", "horizontal", "cycle"] {
        let (outcome, told) = Laboratory::new().fit(&spec(mask, 40), None, Recorder::default()).unwrap();

        let curve = told.curve();
        assert_eq!((outcome.end, outcome.steps), (FitEnd::Finished, 40));
        assert_eq!(curve.iter().map(|point| point.step).collect::<Vec<_>>(), [10, 20, 30, 40]);
        assert!(curve.is_sorted_by(|a, b| a.loss_nats > b.loss_nats), "{mask}: {curve:?}");
        let per_dimension = curve[0].loss_nats / (784.0 * std::f64::consts::LN_2);
        assert!((curve[0].bits_per_dim - per_dimension).abs() < 1e-9, "{curve:?}");
        assert!(curve.iter().all(|point| point.gradient_norm > 0.0), "{curve:?}");
    }
}

#[test]
fn stopped_and_resumed_run_ends_in_the_bits_of_an_undisturbed_one() {
    for (mask, stop) in [("checkerboard", 7), ("cycle", 1), ("checkerboard", 12)] {
        let spec = spec(mask, 23);
        let undisturbed = Laboratory::new();
        let (whole, whole_told) = undisturbed.fit(&spec, None, Recorder::default()).unwrap();

        let disturbed = Laboratory::new();
        let stopping = Recorder::default().at(stop, Directive::StopAfterCheckpoint);
        let (first, first_told) = disturbed.fit(&spec, None, stopping).unwrap();
        let (second, second_told) = disturbed.fit(&spec, first.checkpoint.as_ref(), Recorder::default()).unwrap();

        assert_eq!((first.end, first.steps), (FitEnd::Stopped, stop));
        assert_eq!((second.end, second.steps), (FitEnd::Finished, 23));
        // The digest is over parameters, batch-norm statistics, optimiser state, step and curve sums.
        assert_eq!(whole.checkpoint.unwrap().file.digest, second.checkpoint.unwrap().file.digest, "{mask} at {stop}");
        assert_eq!(whole_told.curve(), [first_told.curve(), second_told.curve()].concat(), "{mask} at {stop}");
    }
}

#[test]
fn killed_run_resumes_from_an_older_checkpoint_with_the_same_curve() {
    let mut spec = spec("horizontal", 23);
    spec.training.optimiser = OptimiserSpec::RmsProp(RmsPropSpec { learning_rate: 1e-4, alpha: 0.99, epsilon: 1e-8 });
    let (whole, whole_told) = Laboratory::new().fit(&spec, None, Recorder::default()).unwrap();

    // A kill loses everything after the checkpoint, points of the curve included.
    let killed = Laboratory::new();
    let observer = Recorder::default().at(6, Directive::Checkpoint).at(17, Directive::StopNow);
    let (first, first_told) = killed.fit(&spec, None, observer).unwrap();
    let (second, second_told) = killed.fit(&spec, first.checkpoint.as_ref(), Recorder::default()).unwrap();

    assert_eq!((first.end, first.checkpoint.unwrap().step), (FitEnd::Stopped, 6));
    // How many points came before the kill depends on the clock.
    assert!(whole_told.curve().starts_with(&first_told.curve()), "{:?}", first_told.curve());
    assert_eq!(second_told.curve(), whole_told.curve());
    assert_eq!(second.checkpoint.unwrap().file.digest, whole.checkpoint.unwrap().file.digest);
}

#[test]
fn checkpoints_by_the_clock_change_nothing() {
    let spec = spec("cycle", 12);
    let undisturbed = Laboratory::new().train(&spec);

    let laboratory = Laboratory::new();
    let mut told = Recorder::default();
    let request = FitRequest { checkpoint_every: Duration::ZERO, ..laboratory.request(&spec, None) };
    let outcome = fit(&request, &mut told).unwrap();

    let steps: Vec<u64> = told.checkpoints().iter().map(|saved| saved.step).collect();
    assert_eq!(steps, (1..=12).collect::<Vec<_>>());
    assert_eq!(outcome.checkpoint.unwrap().file.digest, undisturbed.file.digest);
}

#[test]
fn finished_run_starts_again_at_its_end() {
    let spec = spec("cycle", 5);
    let laboratory = Laboratory::new();
    let first = laboratory.train(&spec);

    let (again, _) = laboratory.fit(&spec, Some(&first), Recorder::default()).unwrap();

    assert_eq!((again.end, again.checkpoint.unwrap().file.digest), (FitEnd::Finished, first.file.digest));
}

#[test]
fn other_seeds_give_other_flows() {
    let spec = spec("cycle", 3);
    let (one, other) = (Laboratory::new(), Laboratory::new());
    let request = FitRequest { seed: 6, ..other.request(&spec, None) };

    let outcome = fit(&request, &mut Recorder::default()).unwrap();

    assert_ne!(outcome.checkpoint.unwrap().file.digest, one.train(&spec).file.digest);
}

#[test]
fn clipping_at_zero_is_no_clipping() {
    let train = |clip| {
        let mut spec = spec("cycle", 3);
        spec.training.gradient_clip_norm = clip;
        Laboratory::new().train(&spec).file.digest
    };

    assert_eq!(train(Some(0.0)), train(None));
    assert_ne!(train(Some(1.0)), train(None));
}

#[test]
fn progress_ends_with_all_steps_done() {
    let (_, told) = Laboratory::new().fit(&spec("cycle", 11), None, Recorder::default()).unwrap();

    let last = told.events().iter().rev().find_map(|event| match event {
        Event::Progress(progress) => Some(*progress),
        Event::CurvePoint(_)
        | Event::ValidationPoint(_)
        | Event::Checkpoint(_)
        | Event::StartedOver(_)
        | Event::Restarted(_) => None,
    });
    let last = last.unwrap();
    assert_eq!((last.done, last.total), (11, 11));
    assert!(last.images_per_second > 0.0 && last.bits_per_dim.is_some(), "{last:?}");
}

#[test]
fn divergence_is_the_jobs_own_failure_and_leaves_no_checkpoint() {
    let mut spec = spec("checkerboard", 60);
    spec.training.gradient_clip_norm = None;
    spec.training.optimiser =
        OptimiserSpec::Adam(AdamSpec { learning_rate: 1e3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    let laboratory = Laboratory::new();

    let failure = laboratory.fit(&spec, None, Recorder::default()).unwrap_err();

    assert!(
        matches!(failure, TrainingError::Diverged { divergence: Divergence::NotFinite { step: 2..=60 }, restarts: 0 }),
        "{failure}"
    );
    assert_eq!(failure.kind(), FailureKind::Own);
    assert_eq!(std::fs::read_dir(laboratory.path()).unwrap().count(), 0);
}

#[test]
fn missing_dataset_is_permanent_and_names_the_place() {
    let mut spec = spec("cycle", 3);
    spec.data.dataset = DatasetName::Mnist.into();

    let failure = Laboratory::new().fit(&spec, None, Recorder::default()).unwrap_err();

    assert_eq!(failure.kind(), FailureKind::Permanent);
    let text = failure.to_string();
    assert!(text.contains("mnist") && text.contains("train-images-idx3-ubyte"), "{text}");
}

#[test]
fn cuda_without_cuda_is_refused() {
    if Device::Cuda.require().is_ok() {
        println!("skipped: this machine has a CUDA device");
        return;
    }
    let (spec, laboratory) = (spec("cycle", 3), Laboratory::new());
    let request = FitRequest { device: Device::Cuda, ..laboratory.request(&spec, None) };

    let failure = fit(&request, &mut Recorder::default()).unwrap_err();

    assert_eq!(failure.kind(), FailureKind::Infrastructure);
    assert!(failure.to_string().contains("CUDA"), "{failure}");
}

#[test]
fn damaged_checkpoint_is_refused() {
    let spec = spec("cycle", 4);
    let laboratory = Laboratory::new();
    let saved = laboratory.train(&spec);
    let bytes = std::fs::read(&saved.file.path).unwrap();
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;

    for damaged in [&flipped[..], &bytes[..bytes.len() / 2], &[]] {
        std::fs::write(&saved.file.path, damaged).unwrap();
        let failure = laboratory.fit(&spec, Some(&saved), Recorder::default()).unwrap_err();

        assert_eq!(failure.kind(), FailureKind::Infrastructure);
        let text = failure.to_string();
        assert!(text.contains("damaged") && text.contains(&saved.file.digest.to_string()), "{text}");
        assert!(text.contains("checkpoint-4.safetensors") && text.contains("new sweep name"), "{text}");
    }

    std::fs::remove_file(&saved.file.path).unwrap();
    let failure = laboratory.fit(&spec, Some(&saved), Recorder::default()).unwrap_err();
    assert!(failure.to_string().contains("checkpoint-4.safetensors"), "{failure}");
}

#[test]
fn checkpoint_of_another_experiment_is_refused() {
    let spec = spec("cycle", 4);
    let laboratory = Laboratory::new();
    let saved = laboratory.train(&spec);
    let refusal = |request: FitRequest<'_>| {
        let failure = fit(&request, &mut Recorder::default()).unwrap_err();
        assert_eq!(failure.kind(), FailureKind::Permanent, "{failure}");
        failure.to_string()
    };

    let other_model = experiment::spec("horizontal", 4);
    assert!(refusal(laboratory.request(&other_model, Some(&saved))).contains("another model"));
    let longer = experiment::spec("cycle", 5);
    assert!(refusal(laboratory.request(&longer, Some(&saved))).contains("another training section"));
    let seed = FitRequest { seed: 1, ..laboratory.request(&spec, Some(&saved)) };
    assert!(refusal(seed).contains("another seed"));
}

#[test]
fn checkpoint_folder_that_does_not_exist_is_the_infrastructures_failure() {
    let (spec, laboratory) = (spec("cycle", 2), Laboratory::new());
    let checkpoint_folder = laboratory.path().join("absent");
    let request = FitRequest { checkpoint_folder, ..laboratory.request(&spec, None) };

    let failure = fit(&request, &mut Recorder::default()).unwrap_err();

    assert_eq!(failure.kind(), FailureKind::Infrastructure);
    assert!(failure.to_string().contains("checkpoint-2.safetensors"), "{failure}");
}

#[test]
fn checkpoint_of_another_format_makes_training_start_over() {
    assert_starts_over(br#"\"format\":1"#, br#"\"format\":9"#, "format 9 is not readable");
}

#[test]
fn checkpoint_with_an_unknown_header_makes_training_start_over() {
    assert_starts_over(br#"\"seed\""#, br#"\"sead\""#, "sead");
}

/// Training from a checkpoint whose header has `was` replaced by `is` tells of it and ends as from the beginning.
fn assert_starts_over(was: &[u8], is: &[u8], complaint: &str) {
    let spec = spec("cycle", 12);
    let laboratory = Laboratory::new();
    let saved = laboratory.train(&spec);
    let start = experiment::with_header(&saved, was, is);

    let request = FitRequest { start: Some(start), ..laboratory.request(&spec, None) };
    let mut told = Recorder::default();
    let outcome = fit(&request, &mut told).unwrap();

    let problem = told.events().iter().find_map(|event| match event {
        Event::StartedOver(problem) => Some(problem.clone()),
        Event::Progress(_)
        | Event::CurvePoint(_)
        | Event::ValidationPoint(_)
        | Event::Checkpoint(_)
        | Event::Restarted(_) => None,
    });
    assert!(problem.as_ref().is_some_and(|text| text.contains(complaint)), "{problem:?}");
    assert_eq!(told.curve().first().unwrap().step, 10);
    assert_eq!(outcome.checkpoint.unwrap().file.digest, saved.file.digest);
}
