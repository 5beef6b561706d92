//! What lies at the path of a user's own files, and which part of it is which split.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use catalogue::OwnFiles;

use super::error::OwnError;
use super::folder::{self, Pictures};
use crate::error::LoadError;
use crate::examples::{Shape, Split};
use crate::location::DataDirectory;

/// The endings of files that are read.
const ENDINGS: [(&str, Format); 6] = [
    (".npy", Format::Array),
    (".npz", Format::Array),
    (".safetensors", Format::Array),
    (".csv", Format::Csv),
    (".csv.gz", Format::Csv),
    (".parquet", Format::Parquet),
];

/// Names that the examples of one split may have in a file of several arrays.
const ARRAYS: [&str; 2] = ["images", "embeddings"];

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// NumPy's or safetensors.
    Array,
    /// Text.
    Csv,
    /// Parquet.
    Parquet,
}

/// What one split consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Pictures of a folder, in the order in which they are read.
    Pictures(Pictures),
    /// A file.
    File {
        /// Where it lies.
        path: PathBuf,
        /// How it is read.
        format: Format,
        /// The names that its array may have, if it has names.
        names: Vec<&'static str>,
    },
}

/// A place that has something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    dataset: String,
    root: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A folder of pictures.
    Folder,
    /// A file for each split, which may be the same one.
    Files { train: Option<File>, test: Option<File>, put_train: PathBuf, put_test: PathBuf },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    path: PathBuf,
    format: Format,
    names: Vec<&'static str>,
}

impl Place {
    /// Looks at what lies at the path of a user's own files.
    pub fn find(directory: &DataDirectory, files: &OwnFiles) -> Result<Self, LoadError> {
        let root = directory.root().join(files.path());
        let kind = match metadata(&root)? {
            Some(found) if found.is_dir() => of_folder(&root, files)?,
            Some(_) => of_file(&root, true)?,
            None => of_file(&root, false)?,
        };
        Ok(Self { dataset: files.to_string(), root, kind })
    }

    /// What a split consists of.
    pub fn part(&self, split: Split) -> Result<Part, LoadError> {
        let no_split = |put: PathBuf| OwnError::NoSplit { dataset: self.dataset.clone(), split, put };
        match &self.kind {
            Kind::Folder => match folder::list(&self.root, split)? {
                Some(pictures) => Ok(Part::Pictures(pictures)),
                None => Err(no_split(self.root.join(split.as_str())).into()),
            },
            Kind::Files { train, test, put_train, put_test } => {
                let (file, put) = match split {
                    Split::Train => (train, put_train),
                    Split::Test => (test, put_test),
                };
                let File { path, format, names } = file.clone().ok_or_else(|| no_split(put.clone()))?;
                Ok(Part::File { path, format, names })
            }
        }
    }
}

/// What a path stands for; none if there is nothing.
pub fn metadata(path: &Path) -> Result<Option<std::fs::Metadata>, LoadError> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(LoadError::Unreadable { path: path.to_owned(), source }),
    }
}

/// The beginning of a file's name and its ending, if that is one that is read.
fn parts(name: &OsStr) -> Option<(&str, &'static str, Format)> {
    let name = name.to_str()?;
    ENDINGS.into_iter().find_map(|(ending, format)| Some((name.strip_suffix(ending)?, ending, format)))
}

/// A folder of `train.EXT` and `test.EXT`, or of pictures.
fn of_folder(root: &Path, files: &OwnFiles) -> Result<Kind, LoadError> {
    let file_of = |split: Split| -> Result<Option<File>, LoadError> {
        let mut found = None;
        for (ending, format) in ENDINGS {
            let path = root.join(format!("{split}{ending}"));
            if metadata(&path)?.is_some_and(|metadata| metadata.is_file()) {
                if let Some(File { path: first, .. }) = found {
                    return Err(OwnError::Ambiguous { split, first, second: path }.into());
                }
                found = Some(File { path, format, names: names(split, true) });
            }
        }
        Ok(found)
    };
    let (train, test) = (file_of(Split::Train)?, file_of(Split::Test)?);
    if train.is_none() && test.is_none() {
        return match Shape::from(files.shape()) {
            Shape::Image(_) => Ok(Kind::Folder),
            Shape::Vector(_) => {
                let problem = "a folder of vectors needs a file test.npy, test.npz, test.safetensors, test.csv, test.csv.gz or \
                               test.parquet, and one named train to learn from";
                Err(OwnError::unusable(root, problem).into())
            }
        };
    }
    let ending =
        train.as_ref().or(test.as_ref()).and_then(|file| parts(file.path.file_name()?)).map_or("", |part| part.1);
    let put = |split: Split| root.join(format!("{split}{ending}"));
    Ok(Kind::Files { train, test, put_train: put(Split::Train), put_test: put(Split::Test) })
}

/// A file `NAME.EXT`, or `NAME.train.EXT` and `NAME.test.EXT`.
fn of_file(root: &Path, is_there: bool) -> Result<Kind, LoadError> {
    let Some((stem, ending, format)) = root.file_name().and_then(parts) else {
        if !is_there {
            return Err(OwnError::Nothing { path: root.to_owned() }.into());
        }
        let problem = "its name ends in none of .npy, .npz, .safetensors, .csv, .csv.gz and .parquet";
        return Err(OwnError::unusable(root, problem).into());
    };
    let put = |split: Split| root.with_file_name(format!("{stem}.{split}{ending}"));
    let file_of = |split: Split| -> Result<Option<File>, LoadError> {
        let path = put(split);
        let is_file = metadata(&path)?.is_some_and(|metadata| metadata.is_file());
        Ok(is_file.then(|| File { path, format, names: names(split, true) }))
    };
    let (mut train, mut test) = (file_of(Split::Train)?, file_of(Split::Test)?);
    if is_there {
        if let Some(File { path, .. }) = test {
            return Err(OwnError::Ambiguous { split: Split::Test, first: root.to_owned(), second: path }.into());
        }
        test = Some(File { path: root.to_owned(), format, names: names(Split::Test, true) });
        // A file of named arrays may hold both splits.
        let has_names = [".npz", ".safetensors"].contains(&ending);
        if train.is_none() && has_names && super::array::has(root, Split::Train.as_str())? {
            train = Some(File { path: root.to_owned(), format, names: names(Split::Train, false) });
        }
    } else if train.is_none() && test.is_none() {
        return Err(OwnError::Nothing { path: root.to_owned() }.into());
    }
    Ok(Kind::Files { train, test, put_train: put(Split::Train), put_test: put(Split::Test) })
}

/// The names that the array of a split may have; alone in its file it need not say which split it is.
fn names(split: Split, is_alone: bool) -> Vec<&'static str> {
    let others = if is_alone { &ARRAYS[..] } else { &[] };
    std::iter::once(split.as_str()).chain(others.iter().copied()).collect()
}
