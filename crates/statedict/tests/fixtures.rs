//! Files made by PyTorch hold for us what they hold for PyTorch, and files that we write hold it again.

mod common;

use std::collections::BTreeMap;
use std::io::Cursor;

use common::{FIXTURES, contents, expected, in_words, limits, path};
use statedict::pt::{self, Wrapping};
use statedict::{Contents, Format, Limits, Rounding, StateDict, read_from, safetensors};

fn reread(bytes: Vec<u8>) -> Contents {
    read_from(Cursor::new(bytes), "written", &limits()).expect("what we write can be read")
}

fn as_pt(state: &StateDict, wrapping: Wrapping<'_>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    pt::write(&mut file, state, wrapping).expect("memory takes every byte");
    file.into_inner()
}

fn as_safetensors(state: &StateDict, metadata: &BTreeMap<String, String>) -> Vec<u8> {
    let mut file = Vec::new();
    safetensors::write(&mut file, state, metadata).expect("memory takes every byte");
    file
}

#[test]
fn every_tensor_of_every_fixture_has_the_bytes_that_pytorch_saw() {
    for fixture in FIXTURES {
        let mut wanted = expected(fixture);

        let mut found: Vec<_> = contents(fixture).state_dict.iter().map(in_words).collect();

        if fixture.ends_with(".safetensors") {
            // The format keeps no order but that of the bytes.
            wanted.sort();
            found.sort();
        }
        assert_eq!(found, wanted, "{fixture}");
    }
}

#[test]
fn format_is_told_by_the_bytes_and_not_by_the_name() {
    for (fixture, format) in [
        ("views.pt", Format::PtZip),
        ("old_zip.pt", Format::PtZip),
        ("legacy.pt", Format::PtLegacy),
        ("old_legacy.pth", Format::PtLegacy),
        ("legacy_protocol_4.pt", Format::PtLegacy),
        ("types.safetensors", Format::Safetensors),
    ] {
        let bytes = std::fs::read(path(fixture)).unwrap();

        let contents = read_from(Cursor::new(bytes), "without an ending", &limits()).unwrap();

        assert_eq!(contents.format, format, "{fixture}");
    }
}

#[test]
fn checkpoint_says_where_the_state_dict_lay_and_what_was_read_over() {
    let contents = contents("checkpoint.pt");

    assert_eq!(contents.found_under.as_deref(), Some("net"));
    assert_eq!(contents.ignored, ["optimizer", "epoch", "loss"]);
    assert!(!contents.unwrapped);
}

#[test]
fn bare_state_dict_lies_under_nothing() {
    let contents = contents("network.pt");

    assert_eq!((contents.found_under, contents.ignored), (None, Vec::new()));
}

#[test]
fn prefix_of_data_parallel_is_taken_off() {
    let contents = contents("parallel.pt");

    assert!(contents.unwrapped);
    assert_eq!(contents.found_under.as_deref(), Some("state_dict"));
    assert_eq!(contents.state_dict.names().next(), Some("0.weight"));
}

#[test]
fn metadata_of_safetensors_is_kept() {
    let contents = contents("types.safetensors");

    let wanted = [("about", "types"), ("made", "by safetensors")];
    assert_eq!(contents.metadata, wanted.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
}

#[test]
fn views_become_contiguous_numbers() {
    let state = contents("views.pt").state_dict;

    let values = |name: &str| state.get(name).unwrap().to_f64(Rounding::Refuse).unwrap();
    // count(4, 6)[1:3, 2:5], count(n) being 0, 0.5, 1, ...
    assert_eq!(values("sliced"), [4.0, 4.5, 5.0, 7.0, 7.5, 8.0]);
    assert_eq!(values("expanded"), [0.0, 0.5, 1.0, 0.0, 0.5, 1.0]);
    assert_eq!(values("transposed")[..3], [0.0, 2.0, 4.0]);
    assert_eq!(values("single"), [2.5]);
    assert_eq!(state.get("empty").unwrap().shape(), [0, 3]);
}

#[test]
fn written_files_hold_the_same_tensors() {
    for fixture in FIXTURES {
        let state = contents(fixture).state_dict;

        let bare = reread(as_pt(&state, Wrapping::Bare));
        let under = reread(as_pt(&state, Wrapping::Under("net")));
        let safe = reread(as_safetensors(&state, &BTreeMap::new()));

        assert_eq!((bare.format, bare.found_under), (Format::PtZip, None));
        assert_eq!(under.found_under.as_deref(), Some("net"));
        assert_eq!(safe.format, Format::Safetensors);
        assert_eq!(bare.state_dict, state, "{fixture}");
        assert_eq!(under.state_dict, state, "{fixture}");
        assert_eq!(safe.state_dict.digest(), state.digest(), "{fixture}");
    }
}

#[test]
fn equal_contents_give_equal_bytes() {
    let state = contents("types.pt").state_dict;
    let metadata: BTreeMap<_, _> = (0..20).map(|key| (format!("key {key}"), "value".to_owned())).collect();

    assert_eq!(as_pt(&state, Wrapping::Bare), as_pt(&state, Wrapping::Bare));
    assert_eq!(as_safetensors(&state, &metadata), as_safetensors(&state, &metadata));
    assert_eq!(reread(as_safetensors(&state, &metadata)).metadata, metadata);
}

#[test]
fn same_tensors_have_one_digest_in_every_format() {
    let digest = contents("views.pt").state_dict.digest();

    for other in ["legacy_views.pt", "old_protocol_1.pt", "python2_views.pt", "python2_zip.pt"] {
        assert_eq!(contents(other).state_dict.digest(), digest, "{other}");
    }
}

#[test]
fn file_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let state = contents("network.pt").state_dict;
    let there = folder.path().join("model.pt");

    let bytes = pt::write_file(&there, &state, Wrapping::Bare).unwrap();
    let refusal = safetensors::write_file(&folder.path().join("none/model"), &state, &BTreeMap::new()).unwrap_err();

    assert_eq!(std::fs::metadata(&there).unwrap().len(), bytes);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no neighbour stays");
    assert_eq!(statedict::read(&there, &limits()).unwrap().state_dict, state);
    assert!(refusal.to_string().contains("check that the folder exists"), "{refusal}");
}

#[test]
fn file_beyond_the_limit_is_refused_before_its_tensors_are_read() {
    for fixture in FIXTURES {
        let refusal = statedict::read(&path(fixture), &Limits::of_bytes(30)).unwrap_err().to_string();

        assert!(refusal.contains("beyond the limit of 30"), "{refusal}");
    }
}
