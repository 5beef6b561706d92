//! Inspections of tiny trained flows.
#![allow(clippy::unwrap_used, reason = "a test's set-up fails loudly")]

mod experiment;

use std::fs;
use std::path::Path;

use domain::job::FailureKind;
use domain::spec::ExperimentSpec;
use experiment::{Laboratory, data, spec};
use training::{
    CheckpointFile, Device, Directive, Event, InspectOutcome, InspectRequest, Recorder, SavedCheckpoint, SavedPicture,
    TrainingError, inspect,
};

/// The tiny experiment with pictures of two images, of latents averaged over three draws, and of five samples.
fn inspected(mask: &str, changes: serde_json::Value) -> ExperimentSpec {
    let mut inspection = serde_json::json!({"images": [4, 1], "draws": 3, "samples": 5});
    inspection.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let spec = ExperimentSpec { inspection: serde_json::from_value(inspection).unwrap(), ..spec(mask, 6) };
    spec.validate("base").unwrap();
    spec
}

fn run(
    spec: &ExperimentSpec,
    checkpoint: &SavedCheckpoint,
    folder: &Path,
    observer: &mut Recorder,
) -> Result<InspectOutcome, TrainingError> {
    let request = InspectRequest {
        spec,
        inspection: spec.inspection.as_ref().unwrap(),
        seed: 5,
        checkpoint: CheckpointFile::from(&checkpoint.file),
        device: Device::Cpu,
        data: &data(),
        folder: folder.to_owned(),
    };
    inspect(&request, observer)
}

fn finished(spec: &ExperimentSpec, checkpoint: &SavedCheckpoint, folder: &Path) -> Vec<SavedPicture> {
    match run(spec, checkpoint, folder, &mut Recorder::default()).unwrap() {
        InspectOutcome::Finished(pictures) => pictures,
        InspectOutcome::Stopped => panic!("nobody stopped it"),
    }
}

fn names(pictures: &[SavedPicture]) -> Vec<&str> {
    pictures.iter().map(|picture| picture.name.as_str()).collect()
}

#[test]
fn every_part_of_every_image_is_drawn_and_the_sheet_comes_first() {
    let (spec, laboratory) = (inspected("cycle", serde_json::json!({})), Laboratory::new());
    let checkpoint = laboratory.train(&spec);

    let pictures = finished(&spec, &checkpoint, laboratory.path());

    assert_eq!(
        names(&pictures),
        [
            "contact-sheet.png",
            "latents-synthetic-shapes.png",
            "activations-synthetic-shapes-4.png",
            "scale-and-shift-synthetic-shapes-4.png",
            "activations-synthetic-shapes-1.png",
            "scale-and-shift-synthetic-shapes-1.png",
            "latents-synthetic-strokes.png",
            "activations-synthetic-strokes-4.png",
            "scale-and-shift-synthetic-strokes-4.png",
            "activations-synthetic-strokes-1.png",
            "scale-and-shift-synthetic-strokes-1.png",
            "samples.png",
        ]
    );
    for SavedPicture { file, name, width, height, .. } in &pictures {
        let bytes = fs::read(&file.path).unwrap();
        assert_eq!((domain::Digest::of(&bytes), bytes.len() as u64), (file.digest, file.bytes));
        let reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        assert_eq!((reader.info().width, reader.info().height), (*width, *height), "{name}");
        let texts = &reader.info().uncompressed_latin1_text;
        let source = &texts.iter().find(|text| text.keyword == "Source").unwrap().text;
        assert!(source.contains("seed 5") && source.contains(&checkpoint.file.digest.to_string()), "{source}");
    }
}

#[test]
fn only_the_parts_that_were_asked_for_are_drawn() {
    let laboratory = Laboratory::new();
    let of = |parts: &[&str]| {
        let spec = inspected("horizontal", serde_json::json!({"parts": parts, "datasets": ["synthetic-strokes"]}));
        let checkpoint = laboratory.train(&spec);
        let pictures = finished(&spec, &checkpoint, laboratory.path());
        names(&pictures)[1..].iter().map(|&name| name.to_owned()).collect::<Vec<_>>()
    };

    assert_eq!(of(&["samples"]), ["samples.png"]);
    assert_eq!(of(&["averaged-latents"]), ["latents-synthetic-strokes.png"]);
    assert_eq!(of(&["activations"]), ["activations-synthetic-strokes-4.png", "activations-synthetic-strokes-1.png"]);
}

#[test]
fn same_request_gives_the_same_bytes() {
    let (spec, laboratory) = (inspected("checkerboard", serde_json::json!({})), Laboratory::new());
    let checkpoint = laboratory.train(&spec);
    let digests = |pictures: Vec<SavedPicture>| {
        pictures.into_iter().map(|picture| (picture.name, picture.file.digest)).collect::<Vec<_>>()
    };

    let first = digests(finished(&spec, &checkpoint, laboratory.path()));
    let again = digests(finished(&spec, &checkpoint, laboratory.path()));

    assert_eq!(first, again);
}

#[test]
fn progress_counts_every_pass_and_sample() {
    let (spec, laboratory) = (inspected("cycle", serde_json::json!({})), Laboratory::new());
    let checkpoint = laboratory.train(&spec);
    let mut observer = Recorder::default();

    run(&spec, &checkpoint, laboratory.path(), &mut observer).unwrap();

    let Some(Event::Progress(last)) = observer.events().last() else { panic!("{:?}", observer.events()) };
    // Two datasets of two images with three draws, and five samples.
    assert_eq!((last.done, last.total), (17, 17));
}

#[test]
fn directive_to_stop_leaves_nothing() {
    let (spec, laboratory) = (inspected("cycle", serde_json::json!({})), Laboratory::new());
    let checkpoint = laboratory.train(&spec);
    let folder = laboratory.path().join("pictures");
    fs::create_dir(&folder).unwrap();

    let mut observer = Recorder::default().at(3, Directive::StopAfterCheckpoint);
    let outcome = run(&spec, &checkpoint, &folder, &mut observer).unwrap();

    assert_eq!(outcome, InspectOutcome::Stopped);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn image_beyond_the_test_split_is_named_with_its_size() {
    let laboratory = Laboratory::new();
    let spec = inspected("cycle", serde_json::json!({"images": [0, 99_999_999], "datasets": ["constant"]}));
    let checkpoint = laboratory.train(&spec);

    let failure = run(&spec, &checkpoint, laboratory.path(), &mut Recorder::default()).unwrap_err();

    assert_eq!(failure.kind(), FailureKind::Permanent);
    let text = failure.to_string();
    assert!(text.starts_with("constant has no test image 99999999: its test split has "), "{text}");
    assert!(text.ends_with("change `inspection.images`"), "{text}");
}

#[test]
fn checkpoint_of_another_experiment_is_refused() {
    let laboratory = Laboratory::new();
    let checkpoint = laboratory.train(&inspected("cycle", serde_json::json!({})));
    let other = inspected("horizontal", serde_json::json!({}));

    let failure = run(&other, &checkpoint, laboratory.path(), &mut Recorder::default()).unwrap_err();

    assert!(matches!(failure, TrainingError::Checkpoint { .. }), "{failure}");
}

#[test]
fn folder_that_is_not_there_is_the_machines_fault() {
    let (spec, laboratory) = (inspected("cycle", serde_json::json!({"parts": ["samples"]})), Laboratory::new());
    let checkpoint = laboratory.train(&spec);

    let failure = run(&spec, &checkpoint, Path::new("/nowhere"), &mut Recorder::default()).unwrap_err();

    assert_eq!(failure.kind(), FailureKind::Infrastructure);
    assert!(failure.to_string().contains("/nowhere/contact-sheet.png"), "{failure}");
}
