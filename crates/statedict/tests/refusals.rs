//! Hostile and foreign files are refused by what is wrong with them, before they run anything or take much memory.

mod common;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use common::{MOST_BYTES, archive_of, limits, path};
use statedict::pt::PtError;
use statedict::{Cause, Contents, Fault, Limits, ReadError, StateDict, Tensor, read, read_from};

fn read_bytes(bytes: Vec<u8>) -> Result<Contents, ReadError> {
    read_from(Cursor::new(bytes), "file.pt", &limits())
}

fn archive(pickle: &[u8]) -> Vec<u8> {
    let entries: [(&str, &[u8]); 2] = [("a/data.pkl", pickle), ("a/data/0", &[0; 16])];
    archive_of(&entries, zip::CompressionMethod::Stored)
}

/// A pickle of `{'w': tensor}` over storage 0 of four single-precision numbers.
fn tensor_pickle(offset: u8, shape: &[u8], strides: &[u8]) -> Vec<u8> {
    let numbers =
        |values: &[u8]| [b"(", &values.iter().flat_map(|&v| [b'K', v]).collect::<Vec<_>>()[..], b"t"].concat();
    [
        &b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n("[..],
        b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQ",
        &[b'K', offset],
        &numbers(shape),
        &numbers(strides),
        b"\x89NtRs.",
    ]
    .concat()
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(old.len()).position(|window| window == old) {
        replaced.extend([&rest[..at], new].concat());
        rest = &rest[at + old.len()..];
    }
    [replaced, rest.to_vec()].concat()
}

fn refusal(bytes: Vec<u8>) -> String {
    read_bytes(bytes).expect_err("the file is refused").to_string()
}

#[test]
fn file_that_would_run_a_command_is_refused_by_the_name_of_what_it_asks_for() {
    for fixture in ["hostile.pt", "hostile_legacy.pt"] {
        let error = read(&path(fixture), &limits()).unwrap_err();

        let Cause::Pt(PtError::Pickle(pickle)) = &*error.cause else { panic!("{error}") };
        assert_eq!(pickle.fault, Fault::ForeignName { name: "posix.system".to_owned() });
        let text = error.to_string();
        assert!(text.contains("the file asks for posix.system, which a state dict never needs"), "{text}");
        assert!(text.contains(fixture) && text.contains("at byte"), "{text}");
        assert!(!Path::new("statedict_was_fooled").exists() && !path("statedict_was_fooled").exists());
    }
}

#[test]
fn every_way_to_name_a_callable_is_refused_by_its_name() {
    for pickle in [
        &b"cos\nsystem\n(S'x'\ntR."[..],
        b"(X\x01\0\0\0xios\nsystem\n.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x02cos\nsystem\n)\x81.",
    ] {
        assert!(refusal(archive(pickle)).contains("asks for os.system"), "{pickle:?}");
    }
    assert!(refusal(archive(b"\x80\x02cbuiltins\neval\n.")).contains("builtins.eval"));
    assert!(refusal(archive(b"\x80\x02\x82\x01.")).contains("0x82"), "registered extensions");
}

#[test]
fn kinds_of_tensors_that_are_not_read_are_named_with_the_way_out() {
    for name in ["torch.ComplexFloatStorage", "torch._utils._rebuild_sparse_tensor"] {
        let (module, class) = name.rsplit_once('.').unwrap();

        let text = refusal(archive(format!("c{module}\n{class}\n.").as_bytes()));

        assert!(text.contains(&format!("needs {name}")) && text.contains("make the tensor dense"), "{text}");
    }
}

#[test]
fn tensor_within_its_storage_passes_and_beyond_it_is_refused() {
    let whole = read_bytes(archive(&tensor_pickle(0, &[2, 2], &[2, 1]))).unwrap();
    let diagonal = read_bytes(archive(&tensor_pickle(0, &[2], &[3]))).unwrap();

    assert_eq!(whole.state_dict.get("w").unwrap().bytes().len(), 16);
    assert_eq!(diagonal.state_dict.get("w").unwrap().bytes().len(), 8);
    for (offset, shape, strides) in
        [(1, &[2, 2][..], &[2, 1][..]), (0, &[3, 2], &[2, 1]), (0, &[2, 2], &[3, 1]), (4, &[1], &[1])]
    {
        let text = refusal(archive(&tensor_pickle(offset, shape, strides)));

        assert!(text.contains("tensor \"w\"") && text.contains("beyond the 4 elements"), "{text}");
    }
}

#[test]
fn old_view_of_a_storage_moves_and_narrows_it() {
    let viewed = |first: u8, span: u8| {
        let view = [&b"K\x04(X\x01\0\0\0vK"[..], &[first], b"K", &[span], b"ttQ"].concat();
        replaced(&tensor_pickle(0, &[2], &[1]), b"K\x04tQ", &view)
    };
    let numbers: Vec<u8> = (0..16).collect();
    let read = |pickle: &[u8]| {
        let entries: [(&str, &[u8]); 2] = [("a/data.pkl", pickle), ("a/data/0", &numbers)];
        read_bytes(archive_of(&entries, zip::CompressionMethod::Stored))
    };

    assert_eq!(read(&viewed(1, 2)).unwrap().state_dict.get("w").unwrap().bytes(), &numbers[4..12]);
    assert!(read(&viewed(1, 1)).is_err(), "narrower than the tensor");
    assert!(read(&viewed(3, 2)).is_err(), "beyond the storage");
}

#[test]
fn ordered_dict_of_python_2_is_a_list_of_pairs() {
    let plain = tensor_pickle(0, &[4], &[1]);
    // OrderedDict([['w', tensor]]), names being byte strings.
    let entry = replaced(&plain[3..plain.len() - 2], b"X\x01\0\0\0w", b"U\x01w");
    let pickle = [&b"\x80\x02ccollections\nOrderedDict\n(](]("[..], &entry, b"eetR."].concat();

    let contents = read_bytes(archive(&pickle)).unwrap();

    assert_eq!(contents.state_dict.names().collect::<Vec<_>>(), ["w"]);
}

#[test]
fn tensor_whose_bytes_mean_something_else_is_refused() {
    let negated = replaced(&tensor_pickle(0, &[4], &[1]), b"\x89NtR", b"\x89N}X\x03\0\0\0neg\x88stR");

    assert!(refusal(archive(&negated)).contains("resolve_neg()"));
}

#[test]
fn two_parts_of_one_name_are_refused() {
    let pickle = tensor_pickle(0, &[4], &[1]);
    let stored = zip::CompressionMethod::Stored;
    let other_folder: [(&str, &[u8]); 3] = [("a/data.pkl", &pickle), ("a/data/0", &[0; 16]), ("b/data/0", &[1; 16])];
    let other_name: [(&str, &[u8]); 3] = [("a/data.pkl", &pickle), ("a/data/0", &[0; 16]), ("a/data/1", &[1; 16])];

    let same_name = replaced(&archive_of(&other_name, stored), b"a/data/1", b"a/data/0");

    assert!(refusal(archive_of(&other_folder, stored)).contains("two parts of one name"));
    assert!(refusal(same_name).contains("two parts of one name"));
}

#[test]
fn storage_that_is_missing_or_stated_twice_differently_is_named() {
    let pickle = tensor_pickle(0, &[4], &[1]);
    let alone: [(&str, &[u8]); 1] = [("a/data.pkl", &pickle)];
    let doubles = replaced(&pickle[3..], b"FloatStorage", b"DoubleStorage");
    let second = [&pickle[..pickle.len() - 1], &replaced(&doubles, b"\0\0\0w", b"\0\0\0v")].concat();

    let missing = refusal(archive_of(&alone, zip::CompressionMethod::Stored));
    let different = refusal(archive(&second));

    assert!(missing.contains("storage \"0\" of tensor \"w\" is not in the file"), "{missing}");
    assert!(different.contains("tensor \"v\" states 32 bytes for storage \"0\", another tensor 16"), "{different}");
}

#[test]
fn settings_beside_the_state_dict_are_read_over() {
    let plain = tensor_pickle(0, &[4], &[1]);
    let settings = b"}X\x05\0\0\0depthK\x03s";
    let keys: [&[u8]; 2] = [b"\x80\x02}(X\x05\0\0\0model", b"X\x03\0\0\0net"];
    let outer = [keys[0], settings, keys[1], &plain[2..plain.len() - 1], b"u."].concat();

    let contents = read_bytes(archive(&outer)).unwrap();

    assert_eq!((contents.found_under.as_deref(), &contents.ignored[..]), (Some("net"), &["model".to_owned()][..]));
}

#[test]
fn expanded_tensor_counts_in_full() {
    let text = refusal(archive(&tensor_pickle(0, &[255, 255], &[0, 0])));

    assert!(text.contains("tensor \"w\"") && text.contains("260100 bytes, beyond the limit of 65536"), "{text}");
}

#[test]
fn zip_bomb_is_refused_before_it_is_unpacked() {
    let zeros = vec![0; 8 << 20];
    let pickle = tensor_pickle(0, &[4], &[1]);
    let deflated = zip::CompressionMethod::Deflated;
    let in_pickle = archive_of(&[("a/data.pkl", &zeros[..])], deflated);
    let in_storage = archive_of(&[("a/data.pkl", &pickle), ("a/data/0", &zeros)], deflated);
    let small = Limits { header_bytes: 1 << 16, ..limits() };

    let measured = allocation_counter::measure(|| {
        let pickle = read_from(Cursor::new(&in_pickle), "file.pt", &small).unwrap_err().to_string();
        let storage = read_from(Cursor::new(&in_storage), "file.pt", &small).unwrap_err().to_string();

        assert!(pickle.contains("larger than 65536 bytes"), "{pickle}");
        assert!(storage.contains("has 8388608 bytes where 16 are stated"), "{storage}");
    });
    assert!(measured.bytes_max < MOST_BYTES, "{measured:?}");
}

#[test]
fn deflated_archive_is_read_like_a_stored_one() {
    let numbers: Vec<u8> = [1_f32, 2.0, 3.0, 4.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let entries: [(&str, &[u8]); 2] = [("a/data.pkl", &tensor_pickle(0, &[4], &[1])), ("a/data/0", &numbers)];

    let contents = read_bytes(archive_of(&entries, zip::CompressionMethod::Deflated)).unwrap();

    assert_eq!(contents.state_dict.get("w").unwrap().bytes(), numbers);
}

#[test]
fn pickle_that_multiplies_itself_is_refused() {
    // A list of a thousand numbers, made a torch.Size again and again by a few bytes.
    let numbers = [&b"\x80\x02("[..], &b"K\x01".repeat(1000), b"lq\0"].concat();
    let again = b"ctorch\nSize\nh\0\x85R".repeat(2000);
    let pickle = [&numbers[..], &again, b"."].concat();
    let nested = [&b"\x80\x02"[..], &b"(".repeat(1000), b"."].concat();
    let limits = Limits { pickle_values: 10_000, ..limits() };

    let measured = allocation_counter::measure(|| {
        let text = read_from(Cursor::new(archive(&pickle)), "file.pt", &limits).unwrap_err().to_string();
        assert!(text.contains("more than 10000 values"), "{text}");
    });

    assert!(measured.bytes_max < 2 << 20, "{measured:?}");
    assert!(refusal(archive(&nested)).contains("nests more than 256 levels"));
}

#[test]
fn foreign_files_are_named_for_what_they_are() {
    let numpy = b"\x93NUMPY\x01\0v\0{'descr': '<f4'".to_vec();
    let pointer = b"version https://git-lfs.github.com/spec/v1\n".to_vec();
    for (bytes, what) in [
        (Vec::new(), "it is empty"),
        (numpy, "NumPy"),
        (pointer, "Git LFS"),
        (b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), "gzip"),
        (b"hello, this is text".to_vec(), "its first bytes are hello, this is t"),
        (b"\x80\x04}\x94.".to_vec(), "a plain pickle"),
        (archive_of(&[("a/readme", b"hello")], zip::CompressionMethod::Stored), "no data.pkl"),
        (archive_of(&[("a/constants.pkl", b""), ("a/data.pkl", b"N.")], zip::CompressionMethod::Stored), "TorchScript"),
        (archive_of(&[("a/byteorder", b"big"), ("a/data.pkl", b"N.")], zip::CompressionMethod::Stored), "\"big\""),
    ] {
        let text = refusal(bytes);

        assert!(text.starts_with("file.pt: ") && text.contains(what), "{what}: {text}");
    }
    let missing = read(Path::new("no such file"), &limits()).unwrap_err().to_string();
    assert!(missing.starts_with("no such file: ") && missing.contains("check that the file exists"), "{missing}");
}

#[test]
fn pickles_without_a_state_dict_say_what_they_hold() {
    let both = b"\x80\x02}(X\x03\0\0\0net}X\x05\0\0\0model}u.";
    let entry = [&tensor_pickle(0, &[4], &[1])[..][..], b""].concat();
    let with_number = [&entry[..entry.len() - 1], b"X\x01\0\0\0bK\x01s."].concat();

    assert!(refusal(archive(b"\x80\x02].")).contains("its top level is a list"));
    assert!(refusal(archive(b"\x80\x02}X\x05\0\0\0epochK\x07s.")).contains("a dict of epoch"));
    assert!(refusal(archive(both)).contains("both \"net\" and \"model\""));
    assert!(refusal(archive(&with_number)).contains("entry \"b\" of the state dict is an integer"));
}

#[test]
fn safetensors_with_a_wrong_header_are_refused_by_what_is_wrong() {
    let file = |header: &str, bytes: usize| {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; bytes]].concat()
    };
    let tensor = |dtype: &str, start: usize, end: usize| {
        format!("{{\"w\":{{\"dtype\":\"{dtype}\",\"shape\":[2],\"data_offsets\":[{start},{end}]}}}}")
    };
    let long = format!("{{{}}}", " ".repeat(16 << 20));

    assert!(read_bytes(file(&tensor("F32", 0, 8), 8)).is_ok());
    for (bytes, what) in [
        (file(&tensor("F8_E4M3", 0, 2), 2), "tensor \"w\" has elements of type F8_E4M3"),
        (file(&tensor("F32", 0, 8), 4), "take 8 bytes behind the header, 4 are there"),
        (file(&tensor("F32", 4, 12), 12), "invalid offset for tensor `w`"),
        (file(&tensor("F32", 0, 4), 4), "invalid shape"),
        (file("{\"w\":", 0), "its header: EOF"),
        (file(&long, 0), "beyond the limit of 16777216"),
    ] {
        let text = refusal(bytes);

        assert!(text.starts_with("file.pt: ") && text.contains(what), "{what}: {text}");
    }
}

#[test]
fn name_that_safetensors_keeps_for_itself_is_not_written() {
    let mut state = StateDict::new();
    state.push(Tensor::of_f32("__metadata__", vec![1], &[1.0]).unwrap()).unwrap();

    let refused = statedict::safetensors::write(Vec::new(), &state, &BTreeMap::new()).unwrap_err();

    assert!(refused.to_string().contains("__metadata__"), "{refused}");
}
