//! Flows that are judged while they train: the training does not notice, and the points do not depend on interruptions.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod experiment;

use domain::job::FailureKind;
use domain::report::ValidationPoint;
use domain::spec::{DatasetName, ExperimentSpec, RestartSpec, ValidationSpec};
use experiment::{Laboratory, spec};
use training::{Directive, Event, Recorder, SavedCheckpoint};

/// 30 images are learned and 10 held out; judged at every third step.
fn validated(steps: u32) -> ExperimentSpec {
    let mut spec = spec("cycle", steps);
    spec.training.validation =
        Some(ValidationSpec { every_steps: 3, examples: 10, out: Some(DatasetName::SyntheticStrokes.into()) });
    spec.validate("base").unwrap();
    spec
}

fn weights(saved: &SavedCheckpoint) -> Vec<(String, Vec<u8>)> {
    let bytes = std::fs::read(&saved.file.path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Vec<_> = file.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect();
    tensors.sort();
    tensors
}

fn bits(points: &[ValidationPoint]) -> Vec<(u64, Option<u64>, Option<u64>)> {
    let bits = |value: Option<f64>| value.map(f64::to_bits);
    points.iter().map(|point| (point.step, bits(point.bits_per_dim), bits(point.auroc))).collect()
}

#[test]
fn validation_changes_no_bit_of_the_training() {
    // The same 30 images are learned, and nobody is judged.
    let mut plain = spec("cycle", 10);
    plain.data.train_images = Some(30);

    let (unjudged, unjudged_told) = Laboratory::new().fit(&plain, None, Recorder::default()).unwrap();
    let laboratory = Laboratory::new();
    let (judged, judged_told) = laboratory.fit(&validated(10), None, Recorder::default()).unwrap();

    assert_eq!(judged_told.validation().iter().map(|point| point.step).collect::<Vec<_>>(), [3, 6, 9]);
    assert_eq!(judged_told.curve(), unjudged_told.curve());
    let (judged, unjudged) = (judged.checkpoint.unwrap(), unjudged.checkpoint.unwrap());
    // The laboratory that is gone has taken its file along: train again where it stays.
    drop(unjudged);
    let stays = Laboratory::new();
    assert_eq!(weights(&judged), weights(&stays.train(&plain)));
    assert!(weights(&judged).len() > 100);
}

#[test]
fn points_are_numbers_of_the_flow_at_their_step() {
    let (_, told) = Laboratory::new().fit(&validated(10), None, Recorder::default()).unwrap();

    let points = told.validation();
    for point in &points {
        assert!(point.bits_per_dim.is_some_and(|bits| (1.0..20.0).contains(&bits)), "{point:?}");
        assert!(point.auroc.is_some_and(|auroc| (0.0..=1.0).contains(&auroc)), "{point:?}");
    }
    assert!(points.last().unwrap().bits_per_dim < points[0].bits_per_dim, "it learns: {points:?}");
    let mut without = validated(10);
    without.training.validation.as_mut().unwrap().out = None;
    let (_, told) = Laboratory::new().fit(&without, None, Recorder::default()).unwrap();
    let bits_alone = |points: &[ValidationPoint]| points.iter().map(|point| point.bits_per_dim).collect::<Vec<_>>();
    assert_eq!(bits_alone(&told.validation()), bits_alone(&points));
    assert!(told.validation().iter().all(|point| point.auroc.is_none()));
}

#[test]
fn a_resumed_run_repeats_its_points_in_the_same_bits() {
    let spec = validated(12);
    let laboratory = Laboratory::new();
    let (whole, told) = laboratory.fit(&spec, None, Recorder::default()).unwrap();
    let (whole, undisturbed) = (whole.checkpoint.unwrap(), told.validation());
    assert_eq!(undisturbed.len(), 4);

    // Stopped amid two points, and right behind one.
    for stop in [5, 6] {
        let disturbed = Laboratory::new();
        let stopping = Recorder::default().at(stop, Directive::StopAfterCheckpoint);
        let (first, first_told) = disturbed.fit(&spec, None, stopping).unwrap();
        let (second, second_told) = disturbed.fit(&spec, first.checkpoint.as_ref(), Recorder::default()).unwrap();

        let points = [first_told.validation(), second_told.validation()].concat();
        assert_eq!(bits(&points), bits(&undisturbed), "stopped at {stop}");
        assert_eq!(second.checkpoint.unwrap().file.digest, whole.file.digest);
        // A point comes before the checkpoint of its step: whoever has the checkpoint needs no earlier point.
        let order = first_told.events().iter().position(|event| matches!(event, Event::Checkpoint(_))).unwrap();
        let points_before =
            first_told.events()[..order].iter().filter(|event| matches!(event, Event::ValidationPoint(_)));
        assert_eq!(points_before.count() as u64, stop / 3);
    }
    // Thrown back to step 5, a run repeats the points after it.
    let late = Laboratory::new();
    let checkpoint = Recorder::default().at(5, Directive::Checkpoint).at(10, Directive::StopNow);
    let (_, first_told) = late.fit(&spec, None, checkpoint).unwrap();
    let (_, second_told) = late.fit(&spec, first_told.checkpoints().first(), Recorder::default()).unwrap();
    assert_eq!(bits(&second_told.validation()), bits(&undisturbed)[1..]);
    assert_eq!(bits(&first_told.validation()), bits(&undisturbed)[..3]);
}

#[test]
fn a_run_that_may_restart_tells_points_once_no_restart_can_take_them_back() {
    let mut spec = validated(12);
    let policy = RestartSpec { checkpoint_steps: 4, ..serde_json::from_value(serde_json::json!({})).unwrap() };
    spec.training.on_divergence = domain::spec::DivergencePolicy::Restart(policy);
    let (_, unguarded) = Laboratory::new().fit(&validated(12), None, Recorder::default()).unwrap();

    // Nine steps: the state at 8 is there, and makes that at 4 good.
    let stopping = Recorder::default().at(9, Directive::StopNow);
    let (_, stopped) = Laboratory::new().fit(&spec, None, stopping).unwrap();
    let (_, whole) = Laboratory::new().fit(&spec, None, Recorder::default()).unwrap();

    assert_eq!(stopped.validation().iter().map(|point| point.step).collect::<Vec<_>>(), [3]);
    assert_eq!(bits(&whole.validation()), bits(&unguarded.validation()));
}

#[test]
fn held_out_examples_that_leave_none_to_learn_are_refused() {
    let mut spec = validated(3);
    spec.training.validation.as_mut().unwrap().examples = 40;

    let failure = Laboratory::new().fit(&spec, None, Recorder::default()).unwrap_err();

    assert_eq!(failure.kind(), FailureKind::Permanent);
    let text = failure.to_string();
    assert!(text.contains("40 examples held out of 40") && text.contains("training.validation.examples"), "{text}");
}
