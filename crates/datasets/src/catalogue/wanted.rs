//! The files that a dataset needs, under every name that is accepted.

use super::entry::Entry;
use super::format::{EmnistPart, Format};
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
    /// Whether loading examples needs it; labels are read where they are there.
    pub is_needed: bool,
    /// Whether a person makes it: such a file lies in the folder of the dataset's name, never in a shared one.
    pub is_array: bool,
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
            is_array: false,
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
        Self { names, split: Some(split), contents, is_needed: true, is_array: true }
    }
}

/// The files of an entry; of pictures, those of the publisher.
pub fn of(entry: &Entry) -> Vec<WantedFile> {
    match entry.source {
        Source::Idx { files, .. } => files.iter().map(WantedFile::idx).collect(),
        Source::Arrays { .. } => arrays(entry),
        Source::Published { format, .. } => published(entry, format),
        Source::Hepmass { .. } => [Split::Train, Split::Test].map(hepmass).into(),
        Source::Miniboone { .. } => vec![miniboone()],
        Source::Procedural(_) | Source::ProceduralVectors(_) => Vec::new(),
    }
}

/// The array files that are read, alone or in place of the publisher's.
pub fn arrays(entry: &Entry) -> Vec<WantedFile> {
    let (array, prefix) = match entry.source {
        Source::Arrays { array, prefix, .. } => (array, prefix),
        Source::Published { .. } => ("images", None),
        Source::Idx { .. }
        | Source::Hepmass { .. }
        | Source::Miniboone { .. }
        | Source::Procedural(_)
        | Source::ProceduralVectors(_) => return Vec::new(),
    };
    splits(entry).map(|split| WantedFile::array(entry, array, prefix, split)).collect()
}

fn splits(entry: &Entry) -> impl Iterator<Item = Split> {
    [Split::Train, Split::Test].into_iter().filter(|&split| entry.has(split))
}

/// A file of the publisher's, or the folder that it extracts to (with a `/` at its end).
fn published_file(names: Vec<String>, split: Option<Split>, contents: &str) -> WantedFile {
    WantedFile { names, split, contents: contents.to_owned(), is_needed: true, is_array: false }
}

fn published(entry: &Entry, format: Format) -> Vec<WantedFile> {
    match format {
        Format::Emnist(part) => splits(entry)
            .flat_map(|split| {
                let file = |kind, contents, is_needed| {
                    let names = emnist(part, split, kind);
                    WantedFile { is_needed, ..published_file(names, Some(split), contents) }
                };
                [
                    file("images-idx3", "the archive with the pictures, or the file itself", true),
                    file("labels-idx1", "the archive with the labels, or the file itself", false),
                ]
            })
            .collect(),
        Format::DownsampledImagenet => splits(entry).flat_map(|split| downsampled_imagenet(entry, split)).collect(),
        Format::Celeba(_) => vec![
            published_file(owned(format.archive_and_folder(Split::Train)), None, "202599 aligned faces, JPEG, 178×218"),
            celeba_partition(),
        ],
        Format::Cifar(_) | Format::Svhn | Format::Pictures { .. } => {
            splits(entry).map(|split| archive(format, split)).collect()
        }
    }
}

/// The archive of a split, or the folder that it extracts to.
pub(crate) fn archive(format: Format, split: Split) -> WantedFile {
    let contents = match format {
        Format::Cifar(_) => "records of labels and planes",
        Format::Svhn => "the arrays X and y",
        Format::Celeba(_) | Format::Pictures { .. } => "pictures",
        Format::Emnist(_) | Format::DownsampledImagenet => "arrays",
    };
    published_file(owned(format.archive_and_folder(split)), Some(split), &format!("the publisher's file: {contents}"))
}

/// The list that splits CelebA.
pub(crate) fn celeba_partition() -> WantedFile {
    published_file(vec!["list_eval_partition.txt".to_owned()], None, "a name and 0, 1 or 2 on each line")
}

/// The names of a file of EMNIST: in the archive, as it extracts, or alone.
pub(crate) fn emnist(part: EmnistPart, split: Split, kind: &str) -> Vec<String> {
    let file = format!("emnist-{}-{split}-{kind}-ubyte", part.as_str());
    let places = [format!("gzip/{file}"), file];
    ["gzip.zip".to_owned()]
        .into_iter()
        .chain(places.iter().flat_map(|place| [format!("{place}.gz"), place.clone()]))
        .collect()
}

/// The files of a split of the downsampled ImageNet.
fn downsampled_imagenet(entry: &Entry, split: Split) -> Vec<WantedFile> {
    let archives = imagenet_archives(entry, split);
    imagenet_batches(split)
        .into_iter()
        .enumerate()
        .map(|(index, file)| {
            // The first half of the batches lies in the first archive, where there are two.
            let archive = archives[if index < 5 { 0 } else { archives.len() - 1 }];
            published_file(
                vec![file, archive.to_owned()],
                Some(split),
                "the arrays data and labels, or the archive with it",
            )
        })
        .collect()
}

/// The names of the NumPy archives of a split.
pub(crate) fn imagenet_batches(split: Split) -> Vec<String> {
    match split {
        Split::Train => (1..=10).map(|batch| format!("train_data_batch_{batch}.npz")).collect(),
        Split::Test => vec!["val_data.npz".to_owned()],
    }
}

/// The publisher's zip archives that hold them.
pub(crate) fn imagenet_archives(entry: &Entry, split: Split) -> &'static [&'static str] {
    match (entry.shape.as_image(), split) {
        ([_, 64, _], Split::Train) => &["Imagenet64_train_part1_npz.zip", "Imagenet64_train_part2_npz.zip"],
        ([_, 64, _], Split::Test) => &["Imagenet64_val_npz.zip"],
        (_, Split::Train) => &["Imagenet32_train_npz.zip"],
        (_, Split::Test) => &["Imagenet32_val_npz.zip"],
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The table of a split of HEPMASS.
pub(crate) fn hepmass(split: Split) -> WantedFile {
    let contents = match split {
        Split::Train => "a line of names, then the label and 27 features of each row",
        Split::Test => "the same columns and one more",
    };
    let names = compressible(&format!("1000_{split}.csv"));
    WantedFile { names, split: Some(split), contents: contents.to_owned(), is_needed: true, is_array: false }
}

/// The table of MINIBOONE.
pub(crate) fn miniboone() -> WantedFile {
    WantedFile {
        names: compressible("MiniBooNE_PID.txt"),
        split: None,
        contents: "the numbers of signal and background rows, then 50 features of each row, signal first".to_owned(),
        is_needed: true,
        is_array: false,
    }
}

/// A file that is read plain or as gzip.
fn compressible(name: &str) -> Vec<String> {
    vec![name.to_owned(), format!("{name}.gz")]
}
