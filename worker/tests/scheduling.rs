//! What a worker offers, what it keeps on its disk, and how it makes room for another job.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use domain::{
    Digest,
    fleet::Label,
    lease::Directive,
    report::{Attempt, CheckpointRef, Completion},
};
use rustix::process::Signal;
use support::{
    coordinator::Coordinator,
    documents::{ENDLESS, attempt, evaluate, train},
    program::{Program, command},
    service::Call,
};

/// Trains on a worker and has it evaluate what it trained; yields the checkpoint.
fn train_and_evaluate(coordinator: &mut Coordinator, between: impl FnOnce(Digest)) -> Digest {
    let (training, evaluation) = (attempt(1, 1), attempt(2, 1));
    coordinator.state(|state| state.jobs.push_back(train(training, 20, Vec::new())));
    let checkpoint = trained(coordinator, training);
    between(checkpoint.digest);
    coordinator.state(|state| state.jobs.push_back(evaluate(evaluation, 20, checkpoint)));
    coordinator.wait_for_completion(evaluation);
    checkpoint.digest
}

fn trained(coordinator: &mut Coordinator, training: Attempt) -> CheckpointRef {
    let Completion::Train { checkpoint, .. } = coordinator.wait_for_completion(training) else {
        panic!("a trained flow expected");
    };
    checkpoint
}

fn downloads(coordinator: &Coordinator) -> Vec<Digest> {
    let digest = |call: &Call| match call {
        Call::Get(digest) => Some(*digest),
        _ => None,
    };
    coordinator.seen().iter().filter_map(digest).collect()
}

/// Every file below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn evaluation_after_training_on_the_same_worker_downloads_nothing() {
    let mut coordinator = Coordinator::start();
    let _worker = Program::start(&coordinator.url(), &[]);

    let checkpoint = train_and_evaluate(&mut coordinator, |_| {});

    assert_eq!(downloads(&coordinator), []);
    coordinator.state(|state| assert_eq!(state.offer.as_ref().unwrap().artifacts, [checkpoint]));
}

#[test]
fn worker_without_a_cache_downloads_and_offers_no_artifacts() {
    let mut coordinator = Coordinator::start();
    let _worker = Program::start(&coordinator.url(), &["--cache-mib", "0"]);

    let checkpoint = train_and_evaluate(&mut coordinator, |_| {});

    assert_eq!(downloads(&coordinator), [checkpoint]);
    coordinator.state(|state| assert_eq!(state.offer.as_ref().unwrap().artifacts, []));
}

#[test]
fn damaged_file_in_the_cache_costs_a_download() {
    let mut coordinator = Coordinator::start();
    let worker = Program::start(&coordinator.url(), &[]);
    let scratch = worker.scratch().to_owned();
    let damage = |checkpoint: Digest| {
        let name = checkpoint.to_string();
        let kept = files_below(&scratch).into_iter().find(|file| file.file_name().unwrap() == name.as_str()).unwrap();
        fs::write(kept, "what it became").unwrap();
    };

    let checkpoint = train_and_evaluate(&mut coordinator, damage);

    assert_eq!(downloads(&coordinator), [checkpoint]);
}

#[test]
fn kept_checkpoints_go_with_the_worker() {
    let mut coordinator = Coordinator::start();
    let folder = tempfile::tempdir().unwrap();
    let worker = Program::start(&coordinator.url(), &["--cache-dir", folder.path().to_str().unwrap()]);
    let checkpoint = train_and_evaluate(&mut coordinator, |_| {});
    let names: Vec<_> = files_below(folder.path());
    assert!(names.iter().any(|file| file.ends_with(checkpoint.to_string())), "{names:?}");

    worker.signal(Signal::TERM);

    assert!(worker.wait().success());
    assert_eq!(files_below(folder.path()), [] as [PathBuf; 0]);
}

#[test]
fn missing_cache_folder_is_refused_with_its_flag_and_variable() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");

    let ended = command().arg("--cache-dir").arg(&absent).output().unwrap();

    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(64), "{said}");
    assert!(said.contains("--cache-dir") && said.contains("SPILLWAY_CACHE_DIR"), "{said}");
}

#[test]
fn labels_and_memory_are_part_of_every_claim() {
    let mut coordinator = Coordinator::start();
    let _worker = Program::start(&coordinator.url(), &["--label", "a100,site=oslo", "--memory-mib", "512"]);
    coordinator.state(|state| state.jobs.push_back(train(attempt(1, 1), 10, Vec::new())));

    coordinator.wait_for_completion(attempt(1, 1));

    let offer = coordinator.state(|state| state.offer.clone()).unwrap();
    assert_eq!(offer.labels.iter().map(Label::as_str).collect::<Vec<_>>(), ["a100", "site=oslo"]);
    assert_eq!(offer.memory_bytes, 512 << 20);
}

#[test]
fn preempted_training_makes_room_and_ends_later_in_the_same_bits() {
    const STEPS: u64 = 400;
    let mut coordinator = Coordinator::start();
    let (undisturbed, preempted, urgent, resumed) = (attempt(1, 1), attempt(2, 1), attempt(3, 1), attempt(2, 2));
    coordinator.state(|state| {
        state.jobs.extend([train(undisturbed, STEPS, Vec::new()), train(preempted, STEPS, Vec::new())]);
    });
    let _worker = Program::start(&coordinator.url(), &[]);
    let expected = trained(&mut coordinator, undisturbed);
    coordinator.wait_for_progress(preempted, 0);

    coordinator.state(|state| {
        // Late words about other attempts mean nothing.
        state.directives.push(Directive::Preempt { job: undisturbed.job, epoch: undisturbed.epoch });
        state.directives.push(Directive::Preempt { job: preempted.job, epoch: preempted.epoch });
        state.jobs.push_back(train(urgent, 10, Vec::new()));
    });
    let half = coordinator.wait_for("checkpoint", |call| match call {
        Call::Report { attempt, checkpoint, .. } if *attempt == preempted => *checkpoint,
        _ => None,
    });
    coordinator.wait_for("release", |call| matches!(call, Call::Release(of) if *of == preempted).then_some(()));
    assert!((1..STEPS).contains(&half.step), "it was not interrupted: {half:?}");
    coordinator.wait_for_completion(urgent);
    coordinator.state(|state| state.jobs.push_back(train(resumed, STEPS, vec![half])));
    let found = trained(&mut coordinator, resumed);

    assert_eq!(found, expected);
    assert_eq!(downloads(&coordinator), [], "its own checkpoint was on its disk");
    let sessions = coordinator.seen().iter().filter(|call| matches!(call, Call::Open(_))).count();
    assert_eq!(sessions, 1, "the session was replaced");
}

#[test]
fn preempted_training_that_is_taken_away_meanwhile_is_not_released() {
    let mut coordinator = Coordinator::start();
    let running = attempt(1, 1);
    coordinator.state(|state| state.jobs.push_back(train(running, ENDLESS, Vec::new())));
    let worker = Program::start(&coordinator.url(), &[]);
    coordinator.wait_for_progress(running, 0);
    let child = worker.child();

    // A stopped process follows no command.
    child.signal(Signal::STOP);
    coordinator.state(|state| {
        state.directives.push(Directive::Preempt { job: running.job, epoch: running.epoch });
    });
    coordinator.wait_for("heartbeat", |call| matches!(call, Call::Heartbeat(..)).then_some(()));
    coordinator.state(|state| {
        state.directives.push(Directive::Abandon { job: running.job, epoch: running.epoch });
        state.jobs.push_back(train(attempt(2, 1), 10, Vec::new()));
    });

    child.wait_until_gone();
    coordinator.wait_for_completion(attempt(2, 1));
    assert!(!coordinator.seen().iter().any(|call| matches!(call, Call::Release(_))), "it was another's by then");
}
