//! Trained models as files, without a cluster: imported, looked into, exported, and refused where they do not fit.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod support;

use std::{collections::BTreeMap, fs, path::Path};

use domain::sweep::SweepSpec;
use serde_json::json;
use statedict::{ElementType, StateDict, Tensor, pt, safetensors};
use support::spillway;

/// A sweep of Glows of two widths, as JSON.
fn sweep() -> SweepSpec {
    let document = json!({
        "name": "glows", "seeds": [1],
        "base": {
            "model": {"glow": {"steps": 1, "st_network": {"highway": {"width": 3, "blocks": 1}}}},
            "data": {"dataset": "mnist"},
            "training": {"steps": 1, "batch_size": 2, "optimiser": {"adam": {"learning_rate": 1e-3}}},
            "evaluation": {"out": ["fashion-mnist"]},
        },
        "expansion": {"grid": {"axes": [{"field": "model.glow.st_network.highway.width", "values": [3, 4]}]}},
    });
    serde_json::from_value(document).unwrap()
}

/// What the reference saves of the first of them: its names, every value another.
fn reference_state() -> StateDict {
    let architecture = sweep().expand().unwrap().variants[0].spec.architecture("base").unwrap();
    let candidates = architecture::flows_ood::counterparts(&architecture).unwrap();
    let mut state = StateDict::new();
    for (number, (tensor, counterpart)) in candidates[0].iter().enumerate() {
        let architecture::flows_ood::Counterpart::Named(name) = counterpart else { continue };
        let shape: Vec<usize> = tensor.shape.iter().map(|&size| usize::try_from(size).unwrap()).collect();
        let value = (number as f32).to_le_bytes();
        let bytes = value.repeat(shape.iter().product());
        state.push(Tensor::new(name.clone(), ElementType::F32, shape, bytes).unwrap()).unwrap();
    }
    state
}

/// A folder with the sweep and the reference's file in both formats.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("glows.json"), serde_json::to_string(&sweep()).unwrap()).unwrap();
    pt::write_file(&folder.path().join("theirs.pt"), &reference_state(), pt::Wrapping::Under("net")).unwrap();
    safetensors::write_file(&folder.path().join("theirs.safetensors"), &reference_state(), &BTreeMap::new()).unwrap();
    folder
}

fn import<'a>(file: &'a str, variant: &'a str, out: &'a str) -> Vec<&'a str> {
    let start = ["checkpoint", "import", file, "--format", "flows-ood", "--spec", "glows.json", "--out", out];
    [start.as_slice(), &["--variant", variant]].concat()
}

fn read(folder: &Path, name: &str) -> StateDict {
    statedict::read(&folder.join(name), &statedict::Limits::of_bytes(1 << 24)).unwrap().state_dict
}

#[test]
fn weights_come_back_from_an_import_and_an_export_unchanged() {
    let folder = folder();

    let from_pt = spillway(folder.path(), &import("theirs.pt", "width=3", "ours.safetensors"));
    let from_safetensors = spillway(folder.path(), &import("theirs.safetensors", "width=3", "again.safetensors"));
    let back = ["checkpoint", "export", "ours.safetensors", "--format", "flows-ood", "--out", "back.pth"];
    let exported = spillway(folder.path(), &back);

    assert_eq!((from_pt.code, from_safetensors.code, exported.code), (Some(0), Some(0), Some(0)), "{}", from_pt.err);
    assert_eq!(from_pt.out.trim().len(), 64, "standard output is the digest alone: {}", from_pt.out);
    assert_eq!(read(folder.path(), "back.pth"), reference_state());
    let model = |name| read(folder.path(), name).digest();
    assert_eq!(model("ours.safetensors"), model("again.safetensors"));
}

#[test]
fn inspect_shows_the_document_the_counts_and_where_the_weights_come_from() {
    let folder = folder();
    assert_eq!(spillway(folder.path(), &import("theirs.pt", "width=3", "ours.safetensors")).code, Some(0));

    let run = spillway(folder.path(), &["checkpoint", "inspect", "ours.safetensors"]);
    let tensors =
        spillway(folder.path(), &["checkpoint", "inspect", "ours.safetensors", "--tensors", "--format", "csv"]);

    let count = sweep().expand().unwrap().variants[0].spec.architecture("base").unwrap().count();
    for part in [
        format!("parameters   {} ({} of them gains)", count.parameters, count.gains),
        "input        1×28×28".to_owned(),
        "origin       flows-ood file with SHA-256 ".to_owned(),
        r#""dataset":"mnist""#.to_owned(),
    ] {
        assert!(run.out.contains(&part), "{part} is not in\n{}", run.out);
    }
    assert!(tensors.out.contains("act_norms.0.initialised,[],"), "{}", tensors.out);
}

#[test]
fn a_file_of_another_variant_is_refused_with_names_and_shapes() {
    let folder = folder();

    let wider = spillway(folder.path(), &import("theirs.pt", "width=4", "ours.safetensors"));
    let unnamed = spillway(folder.path(), &import("theirs.pt", "width=3", "ours.safetensors")[..9]);
    let unknown = spillway(folder.path(), &import("theirs.pt", "width=9", "ours.safetensors"));

    assert_eq!(wider.code, Some(1));
    let text = "st_net.in_conv.conv.weight has shape [3, 2, 3, 3] there and [4, 2, 3, 3] in the document's model";
    assert!(wider.err.contains("theirs.pt cannot be imported") && wider.err.contains(text), "{}", wider.err);
    assert_eq!((unnamed.code, unknown.code), (Some(3), Some(3)));
    assert!(
        unnamed.err.contains("say which one the model is with --variant, one of `width=3`, `width=4`"),
        "{}",
        unnamed.err
    );
    assert!(unknown.err.contains("has no variant `width=9`"), "{}", unknown.err);
    assert!(!folder.path().join("ours.safetensors").exists());
}

#[test]
fn files_that_are_no_checkpoints_are_told_apart() {
    let folder = folder();
    fs::write(folder.path().join("notes.txt"), "not a file of tensors").unwrap();

    let raw = spillway(folder.path(), &["checkpoint", "inspect", "theirs.safetensors"]);
    let pickled = spillway(folder.path(), &["checkpoint", "inspect", "theirs.pt"]);
    let text = spillway(folder.path(), &["checkpoint", "inspect", "notes.txt"]);
    let absent = spillway(folder.path(), &["checkpoint", "inspect", "absent.pt"]);

    for (run, part) in
        [(raw, "import it first"), (pickled, "import it first"), (text, "notes.txt"), (absent, "absent.pt")]
    {
        assert_eq!(run.code, Some(1), "{}", run.err);
        assert!(run.err.contains(part), "{part} is not in {}", run.err);
    }
}
