//! Jobs run by the real program for a scripted coordinator.

mod support;

use domain::{
    Digest,
    job::FailureKind,
    report::{CheckpointRef, Completion, Metric, Split},
};
use rustix::process::Signal;
use support::{
    coordinator::Coordinator,
    documents::{ENDLESS, attempt, evaluate, evaluate_with, inspect, train, train_for_pictures, train_on},
    program::Program,
    service::Call,
};

#[test]
fn tiny_training_and_its_evaluation_run_to_completion() {
    let mut coordinator = Coordinator::start();
    let (training, evaluation) = (attempt(1, 1), attempt(2, 1));
    coordinator.state(|state| state.jobs.push_back(train(training, 20, Vec::new())));
    let _worker = Program::start(&coordinator.url(), &[]);

    let Completion::Train { checkpoint, provenance, statistics: recorded } = coordinator.wait_for_completion(training)
    else {
        panic!("a trained flow expected");
    };
    coordinator.state(|state| state.jobs.push_back(evaluate_with(evaluation, 20, checkpoint, recorded.clone())));
    let Completion::Evaluate { measurements, statistics, learned, .. } = coordinator.wait_for_completion(evaluation)
    else {
        panic!("numbers expected");
    };

    let parts: Vec<_> = recorded.iter().map(|one| (one.dataset.to_string(), one.split, one.images)).collect();
    let own = "synthetic-shapes".to_owned();
    assert_eq!(parts, [(own.clone(), Split::Train, 32), (own, Split::Test, 32)]);
    assert_eq!(learned, [], "what training recorded was not recorded again");

    assert_eq!(checkpoint.step, 20);
    assert_eq!((provenance.device.as_str(), provenance.threads), ("cpu", 1));
    let mut steps = Vec::new();
    let mut rows = Vec::new();
    for call in coordinator.seen() {
        if let Call::Report { attempt, curve, checkpoint } = call {
            assert_eq!(*attempt, training);
            steps.extend(curve.iter().map(|point| point.step));
            rows.extend(*checkpoint);
        }
    }
    assert_eq!(steps, [10, 20]);
    assert_eq!(rows, [checkpoint]);
    let auroc = measurements.iter().find(|measurement| measurement.metric == Metric::Auroc).unwrap();
    assert_eq!((auroc.n_in, auroc.n_out), (32, 32));
    assert!((0.0..=1.0).contains(&auroc.value.unwrap()), "{auroc:?}");
    coordinator.state(|state| assert!(state.artifacts.contains_key(&statistics.digest)));
}

#[test]
fn statistics_that_are_missing_or_damaged_are_recorded_again_in_the_same_bits() {
    let mut coordinator = Coordinator::start();
    let training = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train(training, 20, Vec::new())));
    let worker = Program::start(&coordinator.url(), &[]);
    let Completion::Train { checkpoint, statistics: recorded, .. } = coordinator.wait_for_completion(training) else {
        panic!("a trained flow expected");
    };
    drop(worker);
    let _worker = Program::start(&coordinator.url(), &[]);
    coordinator.state(|state| state.artifacts.insert(recorded[0].digest, b"damaged".to_vec()));

    for (epoch, given, again) in [(1, recorded.clone(), &recorded[..1]), (2, Vec::new(), &recorded[..])] {
        let evaluation = attempt(2, epoch);
        coordinator.state(|state| state.jobs.push_back(evaluate_with(evaluation, 20, checkpoint, given)));
        let Completion::Evaluate { learned, .. } = coordinator.wait_for_completion(evaluation) else {
            panic!("numbers expected");
        };
        assert_eq!(learned, again);
    }
}

#[test]
fn inspection_of_a_trained_flow_leaves_pictures_in_the_store() {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
    let mut coordinator = Coordinator::start();
    let (training, inspection) = (attempt(1, 1), attempt(2, 1));
    coordinator.state(|state| state.jobs.push_back(train_for_pictures(training, 10)));
    let _worker = Program::start(&coordinator.url(), &[]);
    let Completion::Train { checkpoint, .. } = coordinator.wait_for_completion(training) else {
        panic!("a trained flow expected");
    };

    coordinator.state(|state| state.jobs.push_back(inspect(inspection, 10, checkpoint)));
    let Completion::Inspect { figures, provenance } = coordinator.wait_for_completion(inspection) else {
        panic!("pictures expected");
    };

    assert_eq!(provenance.noise_draws, 2);
    let names: Vec<_> = figures.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(names.first(), Some(&"contact-sheet.png"));
    assert_eq!(names.last(), Some(&"samples.png"));
    assert!(names.contains(&"latents-synthetic-strokes.png"), "{names:?}");
    coordinator.state(|state| {
        for figure in &figures {
            let bytes = &state.artifacts[&figure.digest];
            let size = |start: usize| u32::from_be_bytes(bytes[start..start + 4].try_into().unwrap());
            assert!(bytes.starts_with(PNG), "{figure:?}");
            assert_eq!((size(16), size(20)), (figure.width, figure.height), "{figure:?}");
        }
    });
}

#[test]
fn interrupted_training_ends_in_the_same_bits() {
    const STEPS: u64 = 400;
    let mut coordinator = Coordinator::start();
    let (undisturbed, interrupted, resumed) = (attempt(1, 1), attempt(2, 1), attempt(2, 2));
    let url = coordinator.url();
    let checkpoint_of = |completion: Completion| match completion {
        Completion::Train { checkpoint, .. } => checkpoint,
        Completion::Evaluate { .. } | Completion::Inspect { .. } | Completion::Score { .. } => {
            panic!("a trained flow expected")
        }
    };
    coordinator.state(|state| {
        state.jobs.extend([train(undisturbed, STEPS, Vec::new()), train(interrupted, STEPS, Vec::new())]);
    });
    let worker = Program::start(&url, &[]);
    let expected = checkpoint_of(coordinator.wait_for_completion(undisturbed));
    coordinator.wait_for_progress(interrupted, 0);
    let half = drained_checkpoint(&mut coordinator, worker);
    assert!((1..STEPS).contains(&half.step), "it was not interrupted: {half:?}");

    coordinator.state(|state| state.jobs.push_back(train(resumed, STEPS, vec![half])));
    let _worker = Program::start(&url, &[]);
    let found = checkpoint_of(coordinator.wait_for_completion(resumed));

    assert_eq!(found, expected);
}

#[test]
fn a_full_artifact_store_costs_neither_the_checkpoint_nor_the_job() {
    let mut coordinator = Coordinator::start();
    let training = attempt(1, 1);
    coordinator.state(|state| {
        state.full_uploads = 3;
        state.jobs.push_back(train(training, 20, Vec::new()));
    });
    let _worker = Program::start(&coordinator.url(), &[]);

    let Completion::Train { checkpoint, .. } = coordinator.wait_for_completion(training) else {
        panic!("a trained flow expected");
    };

    assert_eq!(checkpoint.step, 20);
    coordinator.state(|state| assert!(state.artifacts.contains_key(&checkpoint.digest)));
    let refused = coordinator.seen().iter().filter(|call| matches!(call, Call::UploadRefused)).count();
    assert_eq!(refused, 3);
}

#[test]
fn refused_result_becomes_a_failure_and_the_next_job_runs() {
    let mut coordinator = Coordinator::start();
    let (refused, next) = (attempt(1, 1), attempt(2, 1));
    coordinator.state(|state| {
        state.completions_refused = true;
        state.jobs.push_back(train(refused, 10, Vec::new()));
    });
    let _worker = Program::start(&coordinator.url(), &[]);

    let failure = coordinator.wait_for("failure", |call| match call {
        Call::Fail(of, failure) if *of == refused => Some(failure.clone()),
        _ => None,
    });
    coordinator.state(|state| {
        state.completions_refused = false;
        state.jobs.push_back(train(next, 10, Vec::new()));
    });

    assert_eq!(failure.kind, FailureKind::Infrastructure);
    assert!(failure.message.contains("not liked"), "{}", failure.message);
    coordinator.wait_for_completion(next);
}

#[test]
fn dead_child_is_a_crash_and_the_next_job_runs() {
    let mut coordinator = Coordinator::start();
    let (killed, next) = (attempt(1, 3), attempt(2, 1));
    coordinator.state(|state| state.jobs.extend([train(killed, ENDLESS, Vec::new()), train(next, 10, Vec::new())]));
    let worker = Program::start(&coordinator.url(), &[]);
    coordinator.wait_for_progress(killed, 0);

    worker.child().signal(Signal::KILL);

    let failure = coordinator.wait_for("failure", |call| match call {
        Call::Fail(of, failure) if *of == killed => Some(failure.clone()),
        _ => None,
    });
    assert_eq!(failure.kind, FailureKind::Crash);
    assert!(failure.message.contains("SIGKILL"), "{}", failure.message);
    let log = coordinator.log(killed);
    assert!(log[0].starts_with("worker: child started, process "), "{log:?}");
    assert!(log.last().unwrap().contains("child ended without a result: signal: 9"), "{log:?}");
    coordinator.wait_for_completion(next);
}

#[test]
fn missing_dataset_is_a_permanent_failure_with_its_remedy() {
    let mut coordinator = Coordinator::start();
    coordinator.state(|state| state.jobs.push_back(train_on(attempt(1, 1), "mnist")));
    let _worker = Program::start(&coordinator.url(), &[]);

    let failure = coordinator.wait_for("failure", |call| match call {
        Call::Fail(_, failure) => Some(failure.clone()),
        _ => None,
    });

    assert_eq!(failure.kind, FailureKind::Permanent);
    assert!(failure.message.contains("mnist") && failure.message.contains("SPILLWAY_DATA_DIR"), "{}", failure.message);
}

#[test]
fn damaged_checkpoint_is_passed_over_for_the_one_before_it() {
    let mut coordinator = Coordinator::start();
    let (first, second) = (attempt(1, 1), attempt(1, 2));
    coordinator.state(|state| state.jobs.push_back(train(first, ENDLESS, Vec::new())));
    let worker = Program::start(&coordinator.url(), &[]);
    // Far enough that a run from the beginning would be behind it when it is stopped.
    let half = coordinator.wait_for_progress(first, 0).done;
    coordinator.wait_for_progress(first, 2 * half);
    let good = drained_checkpoint(&mut coordinator, worker);
    let damaged = CheckpointRef { digest: Digest::of(b"what it was"), step: good.step + 10 };
    let absent = CheckpointRef { digest: Digest::of(b"never stored"), step: good.step + 20 };
    coordinator.state(|state| {
        state.artifacts.insert(damaged.digest, b"what it became".to_vec());
        state.jobs.push_back(train(second, ENDLESS, vec![absent, damaged, good]));
    });

    let worker = Program::start(&coordinator.url(), &[]);
    let first_word = coordinator.wait_for_progress(second, 0);
    assert!(first_word.done >= good.step && first_word.total == ENDLESS, "{first_word:?}");
    let resumed = drained_checkpoint(&mut coordinator, worker);

    assert!(resumed.step >= good.step, "it went on from step {} at {}", good.step, resumed.step);
}

fn drained_checkpoint(coordinator: &mut Coordinator, worker: Program) -> CheckpointRef {
    worker.signal(Signal::TERM);
    let checkpoint = coordinator.wait_for("checkpoint", |call| match call {
        Call::Report { checkpoint, .. } => *checkpoint,
        _ => None,
    });
    assert!(worker.wait().success());
    checkpoint
}

#[test]
fn damaged_checkpoint_is_replaced_when_training_yields_it_again() {
    let mut coordinator = Coordinator::start();
    let (first, second) = (attempt(1, 1), attempt(1, 2));
    coordinator.state(|state| state.jobs.push_back(train(first, 10, Vec::new())));
    // A worker that keeps the checkpoint would not miss the stored one.
    let _worker = Program::start(&coordinator.url(), &["--cache-mib", "0"]);
    let Completion::Train { checkpoint, .. } = coordinator.wait_for_completion(first) else {
        panic!("a trained flow expected");
    };
    let whole = coordinator.state(|state| state.artifacts.insert(checkpoint.digest, b"what it became".to_vec()));

    coordinator.state(|state| state.jobs.push_back(train(second, 10, vec![checkpoint])));
    coordinator.wait_for_completion(second);

    assert_eq!(coordinator.state(|state| state.artifacts.get(&checkpoint.digest).cloned()), whole);
}

#[test]
fn damaged_trained_flow_fails_its_evaluation() {
    let mut coordinator = Coordinator::start();
    let damaged = CheckpointRef { digest: Digest::of(b"what it was"), step: 20 };
    coordinator.state(|state| {
        state.artifacts.insert(damaged.digest, b"what it became".to_vec());
        state.jobs.push_back(evaluate(attempt(2, 1), 20, damaged));
    });
    let _worker = Program::start(&coordinator.url(), &[]);

    let failure = coordinator.wait_for("failure", |call| match call {
        Call::Fail(_, failure) => Some(failure.clone()),
        _ => None,
    });

    assert_eq!(failure.kind, FailureKind::Infrastructure);
    assert!(failure.message.contains(&damaged.digest.to_string()), "{}", failure.message);
    assert!(failure.message.contains("submit the experiment under a new sweep name"), "{}", failure.message);
}

#[test]
fn log_of_an_attempt_holds_what_its_child_wrote_before_the_end_is_reported() {
    let mut coordinator = Coordinator::start();
    let failing = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train_on(failing, "mnist")));
    let _worker = Program::start(&coordinator.url(), &[]);

    coordinator.wait_for("failure", |call| matches!(call, Call::Fail(..)).then_some(()));

    let mut numbers = Vec::new();
    for call in coordinator.seen() {
        if let Call::Log(of, lines) = call {
            assert_eq!(*of, failing);
            numbers.extend(lines.iter().map(|(line, _)| *line));
        }
    }
    let log = coordinator.log(failing);
    assert_eq!(numbers, (1..=u32::try_from(log.len()).unwrap()).collect::<Vec<_>>());
    assert!(
        log.iter().any(|line| line.starts_with("worker: child ended: failed, ") && line.contains("mnist")),
        "{log:?}"
    );
}
