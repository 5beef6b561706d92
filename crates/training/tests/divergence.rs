//! Runs that diverge, and go back to a good state and on with a lower learning rate.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod experiment;

use std::time::Duration;

use domain::job::FailureKind;
use domain::spec::{DivergencePolicy, ExperimentSpec, RestartSpec, parse_document};
use experiment::Laboratory;
use serde_json::{Value, json};
use training::{Directive, Divergence, FitEnd, FitRequest, Recorder, TrainingError, fit};

/// A run of 40 steps whose learning rate grows up to `learning_rate`; with 1, it is too high before the end.
fn spec(learning_rate: f64, on_divergence: Value) -> ExperimentSpec {
    let resnet = json!({"width": 4, "blocks": 1, "batch_norm": false});
    let document = json!({
        "model": {"realnvp": {"mask": "checkerboard", "scales": 1, "couplings": 4, "st_network": {"resnet": resnet}}},
        "data": {"dataset": "synthetic-shapes", "train_images": 40},
        "training": {
            "steps": 40, "batch_size": 12, "gradient_clip_norm": 0,
            "optimiser": {"adam": {"learning_rate": learning_rate}},
            "schedule": {"warm-up-cosine": {"warm_up_steps": 39}},
            "on_divergence": on_divergence,
        },
        "evaluation": {"out": ["synthetic-strokes"], "images": 30},
    });
    let spec: ExperimentSpec = parse_document(&document, "base").unwrap();
    spec.validate("base").unwrap();
    spec
}

/// A run that diverges amid its way, and restarts from one of the states at every third step.
fn diverging() -> ExperimentSpec {
    let restart = json!({"at_most": 9, "learning_rate_factor": 0.8, "checkpoint_steps": 3, "loss_limit_nats": 20_000});
    spec(1.0, json!({"restart": restart}))
}

#[test]
fn diverging_run_goes_back_and_ends() {
    let (outcome, told) = Laboratory::new().fit(&diverging(), None, Recorder::default()).unwrap();

    assert_eq!((outcome.end, outcome.steps), (FitEnd::Finished, 40));
    let restarts = told.restarts();
    assert!(restarts.len() > 1, "{restarts:?}");
    let (mut good, mut factor) = (0, 1.0);
    for (index, restart) in restarts.iter().enumerate() {
        let (Divergence::NotFinite { step } | Divergence::AboveLimit { step, .. }) = restart.divergence;
        // The newest multiple of three whose three following steps were all good, once or before.
        good = ((step - 1) / 3 * 3 - 3).max(good);
        factor *= 0.8;
        assert_eq!((restart.to_step, restart.restarts), (good, index as u32 + 1), "{restart:?}");
        assert_eq!(restart.learning_rate_factor, factor);
    }
    // What a restart takes back is no part of the curve.
    let curve = told.curve();
    assert_eq!(curve.iter().map(|point| point.step).collect::<Vec<_>>(), [10, 20, 30, 40]);
    assert!(curve.iter().all(|point| point.loss_nats < 20_000.0), "{curve:?}");
}

#[test]
fn interruptions_before_and_after_restarts_change_nothing() {
    let spec = diverging();
    let (whole, whole_told) = Laboratory::new().fit(&spec, None, Recorder::default()).unwrap();
    let digest = whole.checkpoint.unwrap().file.digest;

    // The observer is asked more often than there are steps, as some come again.
    for stop in [2, 33, 38, 45] {
        let disturbed = Laboratory::new();
        let stopping = Recorder::default().at(stop, Directive::StopAfterCheckpoint);
        let (first, first_told) = disturbed.fit(&spec, None, stopping).unwrap();
        let (second, second_told) = disturbed.fit(&spec, first.checkpoint.as_ref(), Recorder::default()).unwrap();

        assert_eq!((first.end, second.end), (FitEnd::Stopped, FitEnd::Finished));
        assert_eq!(first.checkpoint.is_some(), stop > 5, "a state is good after another period");
        assert_eq!(second.checkpoint.unwrap().file.digest, digest, "stopped at {stop}");
        assert_eq!([first_told.curve(), second_told.curve()].concat(), whole_told.curve(), "stopped at {stop}");
    }
}

#[test]
fn clock_and_directives_do_not_decide_where_a_restart_goes() {
    let spec = diverging();
    let (whole, whole_told) = Laboratory::new().fit(&spec, None, Recorder::default()).unwrap();

    let laboratory = Laboratory::new();
    let mut told = Recorder::default().at(4, Directive::Checkpoint).at(23, Directive::Checkpoint);
    let request = FitRequest { checkpoint_every: Duration::ZERO, ..laboratory.request(&spec, None) };
    let outcome = fit(&request, &mut told).unwrap();

    assert_eq!(told.restarts(), whole_told.restarts());
    assert_eq!(outcome.checkpoint.unwrap().file.digest, whole.checkpoint.unwrap().file.digest);
    let steps: Vec<u64> = told.checkpoints().iter().map(|saved| saved.step).collect();
    assert!(steps.is_sorted_by(|a, b| a < b), "{steps:?}");
    assert!(steps.iter().all(|step| step.is_multiple_of(3) || *step == 40), "{steps:?}");
    // Every checkpoint leads to the same end, those from before the restarts too.
    for saved in told.checkpoints().iter().rev().step_by(3) {
        let (outcome, _) = laboratory.fit(&spec, Some(saved), Recorder::default()).unwrap();
        assert_eq!(outcome.checkpoint.unwrap().file.digest, told.checkpoints().last().unwrap().file.digest);
    }
}

#[test]
fn divergence_after_the_last_allowed_restart_is_the_jobs_own_failure() {
    let restart = json!({"at_most": 2, "learning_rate_factor": 0.9, "checkpoint_steps": 3});
    let spec = spec(1e3, json!({"restart": restart}));
    let laboratory = Laboratory::new();
    let mut told = Recorder::default();

    let failure = fit(&laboratory.request(&spec, None), &mut told).unwrap_err();

    assert_eq!(told.restarts().len(), 2);
    assert!(matches!(failure, TrainingError::Diverged { restarts: 2, .. }), "{failure}");
    assert_eq!(failure.kind(), FailureKind::Own);
    let text = failure.to_string();
    assert!(text.contains("is not finite at step ") && text.contains(", after 2 restarts, which are all"), "{text}");
}

#[test]
fn loss_above_the_limit_is_named_with_its_value() {
    let spec = spec(1e-3, json!({"restart": {"at_most": 1, "loss_limit_nats": 100}}));
    let laboratory = Laboratory::new();

    let failure = laboratory.fit(&spec, None, Recorder::default()).unwrap_err();

    let text = failure.to_string();
    assert!(text.contains("the mean negative log-likelihood is ") && text.contains("above the limit of 100"), "{text}");
    assert!(text.contains(" nats at step 1,") && text.contains("after 1 restart, which is all"), "{text}");
    assert_eq!(std::fs::read_dir(laboratory.path()).unwrap().count(), 0);
}

#[test]
fn policy_changes_nothing_about_a_run_that_does_not_diverge() {
    let (failing, restarting) = (spec(1e-3, json!("fail")), spec(1e-3, json!({"restart": {"checkpoint_steps": 7}})));
    let DivergencePolicy::Restart(RestartSpec { at_most: 3, .. }) = restarting.training.on_divergence else {
        panic!("three restarts are the default")
    };

    let (_, plain) = Laboratory::new().fit(&failing, None, Recorder::default()).unwrap();
    let (_, guarded) = Laboratory::new().fit(&restarting, None, Recorder::default()).unwrap();

    assert_eq!(guarded.restarts(), []);
    assert_eq!(guarded.curve(), plain.curve());
}
