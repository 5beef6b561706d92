//! Where a dataset's examples come from.

use std::fmt;

use super::format::Format;
use crate::examples::Split;
use crate::synthetic::{Procedure, VectorProcedure};

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
    /// What its bytes are compared with; none if nobody has published it.
    pub checksum: Option<Checksum>,
}

/// A published checksum, in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// MD5.
    Md5(&'static str),
    /// SHA-256.
    Sha256(&'static str),
}

impl Digest {
    /// What people call the function.
    #[must_use]
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::Md5(_) => "MD5",
            Self::Sha256(_) => "SHA-256",
        }
    }

    /// The value in hexadecimal.
    #[must_use]
    pub fn hexadecimal(self) -> &'static str {
        match self {
            Self::Md5(value) | Self::Sha256(value) => value,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.algorithm(), self.hexadecimal())
    }
}

/// Which bytes of a file a checksum covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// The decompressed bytes: packagers re-compress, so that the compressed bytes differ.
    Decompressed,
    /// The compressed file as its publisher serves it; a file without compression is not compared.
    Served,
}

impl fmt::Display for Coverage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Decompressed => "over the decompressed bytes",
            Self::Served => "over the file as it is served",
        })
    }
}

/// A published checksum and the bytes that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum {
    /// Its value.
    pub digest: Digest,
    /// The bytes.
    pub covers: Coverage,
}

impl Checksum {
    /// The MD5 of a file's decompressed bytes.
    #[must_use]
    pub const fn md5_decompressed(value: &'static str) -> Self {
        Self { digest: Digest::Md5(value), covers: Coverage::Decompressed }
    }

    /// The SHA-256 of a compressed file as its publisher serves it.
    #[must_use]
    pub const fn sha256_served(value: &'static str) -> Self {
        Self { digest: Digest::Sha256(value), covers: Coverage::Served }
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.digest, self.covers)
    }
}

impl DataFile {
    /// Says whether the file holds images (the part that training reads) rather than labels.
    #[must_use]
    pub fn holds_images(&self) -> bool {
        self.dimensions.len() > 1
    }
}

/// How many examples a split has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitSize {
    /// As many as the publisher says. Array files may hold fewer, never more.
    Known(usize),
    /// As many as the files hold.
    OfFiles,
    /// The dataset has no such split.
    Absent,
}

impl SplitSize {
    /// The publisher's number, if there is one.
    #[must_use]
    pub fn known(self) -> Option<usize> {
        match self {
            Self::Known(size) => Some(size),
            Self::OfFiles | Self::Absent => None,
        }
    }
}

impl fmt::Display for SplitSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(size) => size.fmt(formatter),
            Self::OfFiles => formatter.write_str("as many as the file has"),
            Self::Absent => formatter.write_str("no"),
        }
    }
}

/// Where the examples of a dataset come from.
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
    /// `.npy`, `.npz` or `.safetensors` files that a person makes from the publisher's: bytes for images, floats for
    /// vectors.
    Arrays {
        /// Name of the array in files that name theirs.
        array: &'static str,
        /// What stands before `_train.npz` and `_test.npz` in another accepted name.
        prefix: Option<&'static str>,
        /// Where the data comes from.
        origin: &'static str,
    },
    /// Pictures in the publisher's own files; array files that a person makes from them are read too.
    Published {
        /// How they are kept.
        format: Format,
        /// The folder that datasets made from the same files share.
        shared_folder: Option<&'static str>,
        /// Where a person gets the files.
        origin: &'static str,
    },
    /// One class of the tables of HEPMASS.
    Hepmass {
        /// The label, 0 or 1.
        class: u8,
    },
    /// One class of the table of MINIBOONE.
    Miniboone {
        /// 1 for signal, 0 for background.
        class: u8,
    },
    /// Images computed from their index: always there.
    Procedural(Procedure),
    /// Vectors computed from their index: always there.
    ProceduralVectors(VectorProcedure),
}

impl Source {
    /// The IDX files; none for other sources.
    #[must_use]
    pub fn idx_files(&self) -> &'static [DataFile] {
        match self {
            Self::Idx { files, .. } => files,
            Self::Arrays { .. }
            | Self::Published { .. }
            | Self::Hepmass { .. }
            | Self::Miniboone { .. }
            | Self::Procedural(_)
            | Self::ProceduralVectors(_) => &[],
        }
    }

    /// Where a person gets the files; none for what is built in.
    #[must_use]
    pub fn origin(&self) -> Option<&'static str> {
        match self {
            Self::Idx { publisher, .. } => Some(publisher),
            Self::Arrays { origin, .. } | Self::Published { origin, .. } => Some(origin),
            Self::Hepmass { .. } => Some("https://archive.ics.uci.edu/dataset/347/hepmass"),
            Self::Miniboone { .. } => Some("https://archive.ics.uci.edu/dataset/199/miniboone+particle+identification"),
            Self::Procedural(_) | Self::ProceduralVectors(_) => None,
        }
    }

    pub(super) fn is_standardised(&self) -> bool {
        match self {
            Self::Hepmass { .. }
            | Self::Miniboone { .. }
            | Self::ProceduralVectors(VectorProcedure::Clusters { .. }) => true,
            Self::Idx { .. }
            | Self::Arrays { .. }
            | Self::Published { .. }
            | Self::Procedural(_)
            | Self::ProceduralVectors(VectorProcedure::Embeddings { .. }) => false,
        }
    }

    /// The folder that datasets which are classes of one table share.
    pub(super) fn shared_folder(&self) -> Option<&'static str> {
        match self {
            Self::Hepmass { .. } => Some("hepmass"),
            Self::Miniboone { .. } => Some("miniboone"),
            Self::Published { shared_folder, .. } => *shared_folder,
            Self::Idx { .. } | Self::Arrays { .. } | Self::Procedural(_) | Self::ProceduralVectors(_) => None,
        }
    }

    /// What is special about the files, in half a sentence.
    #[must_use]
    pub fn trap(&self) -> Option<&'static str> {
        match self {
            Self::Published { format, .. } => format.trap(),
            Self::Hepmass { .. } => Some("the last column of the test file and discrete features are left out"),
            Self::Miniboone { .. } => Some("classes are cut to the smaller one; −999 stands for what was not measured"),
            Self::Idx { .. } | Self::Arrays { .. } | Self::Procedural(_) | Self::ProceduralVectors(_) => None,
        }
    }
}
