//! The fixtures that PyTorch made, and what `expected.json` says of them.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use statedict::{Contents, Limits, Tensor, read};
use zip::write::SimpleFileOptions;

/// Every file that PyTorch or the safetensors library wrote.
#[allow(dead_code, reason = "each test program uses its part of this module")]
pub const FIXTURES: [&str; 16] = [
    "checkpoint.pt",
    "legacy.pt",
    "legacy_protocol_4.pt",
    "legacy_views.pt",
    "network.pt",
    "old_legacy.pth",
    "old_protocol_1.pt",
    "old_zip.pt",
    "parallel.pt",
    "protocol_4.pt",
    "python2_legacy.pth",
    "python2_views.pt",
    "python2_zip.pt",
    "types.pt",
    "types.safetensors",
    "views.pt",
];

/// What reading any of the fixtures, whole or damaged, may hold at once: the limit on tensors twice, the central
/// directory, the decompressor.
#[allow(dead_code, reason = "each test program uses its part of this module")]
pub const MOST_BYTES: u64 = 512 << 10;

/// A tensor as PyTorch saw it: name, type, shape, bytes in hexadecimal.
pub type Expected = (String, String, Vec<usize>, String);

pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

#[allow(dead_code, reason = "each test program uses its part of this module")]
pub fn expected(name: &str) -> Vec<Expected> {
    let text = std::fs::read_to_string(path("expected.json")).expect("expected.json lies beside the fixtures");
    let mut all: BTreeMap<String, Vec<Expected>> = serde_json::from_str(&text).expect("expected.json is JSON");
    all.remove(name).expect("expected.json knows the fixture")
}

/// More than any fixture needs, and little.
pub fn limits() -> Limits {
    Limits::of_bytes(1 << 16)
}

#[allow(dead_code, reason = "each test program uses its part of this module")]
pub fn contents(name: &str) -> Contents {
    read(&path(name), &limits()).unwrap_or_else(|error| panic!("{error}"))
}

/// A tensor in the words of `expected.json`.
#[allow(dead_code, reason = "each test program uses its part of this module")]
pub fn in_words(tensor: &Tensor) -> Expected {
    let element = match tensor.element().to_string().as_str() {
        "f16" => "float16".to_owned(),
        "bf16" => "bfloat16".to_owned(),
        "f32" => "float32".to_owned(),
        "f64" => "float64".to_owned(),
        "u8" => "uint8".to_owned(),
        "bool" => "bool".to_owned(),
        signed => signed.replace('i', "int"),
    };
    let hex = tensor.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    (tensor.name().to_owned(), element, tensor.shape().to_vec(), hex)
}

/// A zip archive of these entries.
#[allow(dead_code, reason = "each test program uses its part of this module")]
pub fn archive_of(entries: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive
            .start_file(*name, SimpleFileOptions::default().compression_method(method))
            .expect("the archive is sound");
        archive.write_all(bytes).expect("the archive is sound");
    }
    archive.finish().expect("the archive is sound").into_inner()
}
