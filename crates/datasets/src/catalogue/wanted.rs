//! The files that a dataset needs, under every name that is accepted.

use super::entry::Entry;
use super::source::{DataFile, Source};
use crate::examples::{Shape, Split};

/// One file that a dataset needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedFile {
    /// The names it may have, in the order in which they are looked for.
    pub names: Vec<String>,
    /// The split it belongs to; none if it holds both.
    pub split: Option<Split>,
    /// What it must hold, for a person.
    pub contents: String,
    /// Whether loading examples needs it; labels are only verified.
    pub is_needed: bool,
}

impl WantedFile {
    /// An IDX file, plain or compressed.
    pub(crate) fn idx(file: &DataFile) -> Self {
        Self {
            names: compressible(file.name),
            split: Some(file.split),
            contents: match file.checksum {
                Some(checksum) => format!("{} bytes decompressed, {checksum}", file.bytes),
                None => format!("{} bytes decompressed", file.bytes),
            },
            is_needed: file.holds_images(),
        }
    }

    /// The array file of a split.
    fn array(entry: &Entry, array: &str, prefix: Option<&str>, split: Split) -> Self {
        let mut names: Vec<String> = ["npy", "npz", "safetensors"].map(|ending| format!("{split}.{ending}")).into();
        names.extend(prefix.map(|prefix| format!("{prefix}_{split}.npz")));
        names.push(format!("{}.npz", entry.name));
        let values = match entry.shape {
            Shape::Image([c, h, w]) => format!("uint8 [n, {c}, {h}, {w}] or [n, {h}, {w}, {c}]"),
            Shape::Vector(features) => format!("float32, float64 or float16 [n, {features}]"),
        };
        let contents = format!("{values}; in npz and safetensors the array `{array}` or `{split}`");
        Self { names, split: Some(split), contents, is_needed: true }
    }
}

/// The files of an entry.
pub fn of(entry: &Entry) -> Vec<WantedFile> {
    match entry.source {
        Source::Idx { files, .. } => files.iter().map(WantedFile::idx).collect(),
        Source::Arrays { array, prefix, .. } => [Split::Train, Split::Test]
            .into_iter()
            .filter(|&split| entry.has(split))
            .map(|split| WantedFile::array(entry, array, prefix, split))
            .collect(),
        Source::Hepmass { .. } => [Split::Train, Split::Test].map(hepmass).into(),
        Source::Miniboone { .. } => vec![miniboone()],
        Source::Procedural(_) | Source::ProceduralVectors(_) => Vec::new(),
    }
}

/// The table of a split of HEPMASS.
pub(crate) fn hepmass(split: Split) -> WantedFile {
    let contents = match split {
        Split::Train => "a line of names, then the label and 27 features of each row",
        Split::Test => "the same columns and one more",
    };
    let names = compressible(&format!("1000_{split}.csv"));
    WantedFile { names, split: Some(split), contents: contents.to_owned(), is_needed: true }
}

/// The table of MINIBOONE.
pub(crate) fn miniboone() -> WantedFile {
    WantedFile {
        names: compressible("MiniBooNE_PID.txt"),
        split: None,
        contents: "the numbers of signal and background rows, then 50 features of each row, signal first".to_owned(),
        is_needed: true,
    }
}

/// A file that is read plain or as gzip.
fn compressible(name: &str) -> Vec<String> {
    vec![name.to_owned(), format!("{name}.gz")]
}
