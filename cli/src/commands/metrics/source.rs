//! Where scores come from: a file of some format, or standard input.

use std::{
    convert::Infallible,
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context, Result, bail};
use datasets::read_numbers;

use super::{delimited, parquet};

/// Most scores read from a file: 800 MB of them.
pub const MOST_SCORES: usize = 100_000_000;

/// The column that is meant; none if the file has only one.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a>(pub Option<&'a str>);

/// A file, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `-`
    StandardInput,
    /// A file.
    File(PathBuf),
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "-" { Self::StandardInput } else { Self::File(text.into()) })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardInput => formatter.write_str("standard input"),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

impl Source {
    /// Whether it can be read only once.
    pub fn is_standard_input(&self) -> bool {
        *self == Self::StandardInput
    }

    /// Reads the scores, of which there is at least one and none is NaN.
    pub fn read(&self, column: Column<'_>) -> Result<Vec<f64>> {
        let scores = match self {
            Self::StandardInput => delimited::read(io::stdin().lock(), b',', column),
            Self::File(path) => read_file(path, column),
        };
        let scores = scores.with_context(|| format!("cannot read scores from {self}"))?;
        let broken = scores.iter().filter(|score| score.is_nan()).count();
        if let Some(first) = scores.iter().position(|score| score.is_nan()) {
            bail!(
                "{broken} of the {} scores of {self} are NaN, the first in row {} (from 1): they have no rank, and leaving them out would hide what broke",
                scores.len(),
                first + 1
            );
        }
        if scores.is_empty() {
            bail!("{self} holds no scores: both sides need at least one");
        }
        Ok(scores)
    }
}

fn read_file(path: &Path, column: Column<'_>) -> Result<Vec<f64>> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("npy" | "npz" | "safetensors") => Ok(read_numbers(path, column.0, MOST_SCORES)?),
        Some("parquet") => parquet::read(path, column),
        Some("tsv") => delimited::read(File::open(path)?, b'\t', column),
        _ => delimited::read(File::open(path)?, b',', column),
    }
}
