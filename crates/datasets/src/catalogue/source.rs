//! Where a dataset's examples come from.

use std::fmt;

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
            Self::Arrays { origin, .. } => Some(origin),
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
            | Self::Procedural(_)
            | Self::ProceduralVectors(VectorProcedure::Embeddings { .. }) => false,
        }
    }

    /// The folder that datasets which are classes of one table share.
    pub(super) fn shared_folder(&self) -> Option<&'static str> {
        match self {
            Self::Hepmass { .. } => Some("hepmass"),
            Self::Miniboone { .. } => Some("miniboone"),
            Self::Idx { .. } | Self::Arrays { .. } | Self::Procedural(_) | Self::ProceduralVectors(_) => None,
        }
    }
}
