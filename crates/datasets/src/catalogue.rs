//! The catalogue: every dataset Spillway knows, with its shape, sizes, licence, files and checksums.
//!
//! It never holds data: only descriptors, so that users fetch the files from their publisher.

use std::fmt::Write as _;

use thiserror::Error;

use crate::images::Split;
use crate::synthetic::Procedure;

/// A name that no catalogue entry has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no dataset named {name:?}; the known ones are {}", known.join(", "))]
pub struct UnknownDataset {
    /// The name that was asked for.
    pub name: String,
    /// Every name the catalogue has, in its order.
    pub known: Vec<&'static str>,
}

/// One file of a dataset, under the publisher's name and without a compression suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataFile {
    /// The publisher's file name, without `.gz`.
    pub name: &'static str,
    /// The split the file belongs to.
    pub split: Split,
    /// The dimensions its header must state, outermost first: `[n, h, w]` for images, `[n]` for labels.
    pub dimensions: &'static [usize],
    /// Size of the decompressed file in bytes.
    pub bytes: usize,
    /// MD5 of the decompressed bytes, in hexadecimal: packagers re-compress, so that the compressed bytes differ.
    pub md5: &'static str,
}

impl DataFile {
    /// Says whether the file holds images (the part that training reads) rather than labels.
    #[must_use]
    pub fn holds_images(&self) -> bool {
        self.dimensions.len() > 1
    }
}

/// Where the images of a dataset come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// IDX files in a folder.
    Idx {
        /// Images and labels of both splits.
        files: &'static [DataFile],
        /// Folders of well-known packages that hold the files, looked at after the data directory.
        known_places: &'static [&'static str],
        /// Where a person gets the files.
        publisher: &'static str,
    },
    /// Computed from the image's index: always there.
    Procedural(Procedure),
}

/// One dataset of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The name that specs and folders use.
    pub name: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// The licence as the publisher states it.
    pub licence: &'static str,
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
    /// Number of training images.
    pub train_size: usize,
    /// Number of test images.
    pub test_size: usize,
    /// Where the images come from.
    pub source: Source,
}

impl Entry {
    /// Number of images in a split.
    #[must_use]
    pub fn size(&self, split: Split) -> usize {
        match split {
            Split::Train => self.train_size,
            Split::Test => self.test_size,
        }
    }

    /// Number of values (pixels times channels) of an image.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.shape.iter().product()
    }

    /// The files of the dataset; none for a procedural one.
    #[must_use]
    pub fn files(&self) -> &'static [DataFile] {
        match self.source {
            Source::Idx { files, .. } => files,
            Source::Procedural(_) => &[],
        }
    }

    /// Describes the dataset in a few lines for a person: title, shape, sizes, licence and files.
    #[must_use]
    pub fn describe(&self) -> String {
        let [channels, height, width] = self.shape;
        let mut text = format!(
            "{}: {}\n  images    {channels}x{height}x{width}, {} train, {} test\n  licence   {}\n",
            self.name, self.title, self.train_size, self.test_size, self.licence
        );
        match self.source {
            Source::Procedural(_) => text.push_str("  files     none: computed from each image's index\n"),
            Source::Idx { files, publisher, .. } => {
                let _ = writeln!(text, "  publisher {publisher}");
                for file in files {
                    let _ = writeln!(text, "  file      {} ({} bytes, MD5 {})", file.name, file.bytes, file.md5);
                }
            }
        }
        text
    }
}

/// All datasets Spillway knows.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue;

impl Catalogue {
    /// Every entry, in the order in which lists show them.
    #[must_use]
    pub fn entries() -> &'static [Entry] {
        &ENTRIES
    }

    /// Finds a dataset by its name.
    ///
    /// # Errors
    /// [`UnknownDataset`] with the known names.
    pub fn lookup(name: &str) -> Result<&'static Entry, UnknownDataset> {
        ENTRIES.iter().find(|entry| entry.name == name).ok_or_else(|| UnknownDataset {
            name: name.to_owned(),
            known: ENTRIES.iter().map(|entry| entry.name).collect(),
        })
    }
}

/// The four files of a dataset in MNIST's layout, from their MD5 sums in the order train images, train labels, test
/// images, test labels.
const fn mnist_layout(md5: [&'static str; 4]) -> [DataFile; 4] {
    [
        DataFile {
            name: "train-images-idx3-ubyte",
            split: Split::Train,
            dimensions: &[60_000, 28, 28],
            bytes: 47_040_016,
            md5: md5[0],
        },
        DataFile {
            name: "train-labels-idx1-ubyte",
            split: Split::Train,
            dimensions: &[60_000],
            bytes: 60_008,
            md5: md5[1],
        },
        DataFile {
            name: "t10k-images-idx3-ubyte",
            split: Split::Test,
            dimensions: &[10_000, 28, 28],
            bytes: 7_840_016,
            md5: md5[2],
        },
        DataFile {
            name: "t10k-labels-idx1-ubyte",
            split: Split::Test,
            dimensions: &[10_000],
            bytes: 10_008,
            md5: md5[3],
        },
    ]
}

static FASHION_MNIST_FILES: [DataFile; 4] = mnist_layout([
    "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "9018921c3c673c538a1fc5bad174d6f9",
    "8181f5470baa50b63fa0f6fddb340f0a",
    "15d484375f8d13e6eb1aabb0c3f46965",
]);

static MNIST_FILES: [DataFile; 4] = mnist_layout([
    "6bbc9ace898e44ae57da46a324031adb",
    "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
]);

const fn procedural(name: &'static str, title: &'static str, procedure: Procedure) -> Entry {
    Entry {
        name,
        title,
        licence: "part of Spillway (MIT OR Apache-2.0)",
        shape: [1, 28, 28],
        train_size: 60_000,
        test_size: 10_000,
        source: Source::Procedural(procedure),
    }
}

static ENTRIES: [Entry; 6] = [
    Entry {
        name: "fashion-mnist",
        title: "Fashion-MNIST: grey pictures of clothes, by Zalando Research",
        licence: "MIT",
        shape: [1, 28, 28],
        train_size: 60_000,
        test_size: 10_000,
        source: Source::Idx {
            files: &FASHION_MNIST_FILES,
            known_places: &["/usr/share/datasets/fashion-mnist"],
            publisher: "https://github.com/zalandoresearch/fashion-mnist (Debian package dataset-fashion-mnist)",
        },
    },
    Entry {
        name: "mnist",
        title: "MNIST: handwritten digits",
        licence: "CC BY-SA 3.0 (as commonly stated)",
        shape: [1, 28, 28],
        train_size: 60_000,
        test_size: 10_000,
        source: Source::Idx { files: &MNIST_FILES, known_places: &[], publisher: "http://yann.lecun.com/exdb/mnist/" },
    },
    procedural(
        "synthetic-shapes",
        "filled, shaded and textured silhouettes: a built-in stand-in for Fashion-MNIST",
        Procedure::Shapes,
    ),
    procedural("synthetic-strokes", "thin bright strokes on black: a built-in stand-in for MNIST", Procedure::Strokes),
    procedural("uniform-noise", "every pixel uniform and independent", Procedure::UniformNoise),
    procedural("constant", "one grey level for the whole image", Procedure::Constant),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found_by_its_name() {
        for entry in Catalogue::entries() {
            assert_eq!(Catalogue::lookup(entry.name).unwrap(), entry);
        }
    }

    #[test]
    fn unknown_name_is_refused_with_the_known_ones() {
        let refusal = Catalogue::lookup("imagenet").unwrap_err();

        let text = refusal.to_string();
        assert!(text.contains("\"imagenet\"") && text.contains("fashion-mnist, mnist, synthetic-shapes"), "{text}");
    }

    #[test]
    fn declared_sizes_agree_with_the_declared_dimensions() {
        for entry in Catalogue::entries() {
            for file in entry.files() {
                let header_bytes = 4 + 4 * file.dimensions.len();
                assert_eq!(file.bytes, header_bytes + file.dimensions.iter().product::<usize>(), "{}", file.name);
                assert_eq!(file.dimensions[0], entry.size(file.split), "{}", file.name);
            }
        }
    }

    #[test]
    fn description_names_the_licence_and_each_file() {
        let text = Catalogue::lookup("fashion-mnist").unwrap().describe();

        assert!(text.contains("MIT") && text.contains("1x28x28"), "{text}");
        for file in &FASHION_MNIST_FILES {
            assert!(text.contains(file.name) && text.contains(file.md5), "{text}");
        }
    }
}
