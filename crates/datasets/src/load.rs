//! Reads a split into memory, checking formats, checksums and values on the way.

use std::io;
use std::path::{Path, PathBuf};

use crate::arrays::{ArrayError, read_bytes, read_labels, read_rows, with_array};
use crate::catalogue::{Entry, Source, SplitSize, WantedFile};
use crate::error::LoadError;
use crate::examples::{Examples, Shape, Split, Values};
use crate::idx_files;
use crate::location::{DataDirectory, MissingFile};
use crate::published;
use crate::scaling::{KeptColumns, Scaling};
use crate::tables::hepmass::read_class;
use crate::tables::miniboone::ClassRows;
use crate::tables::{TableError, open};
use crate::transform::Pipeline;

/// Most labels read of a dataset whose size the catalogue does not state.
const MAX_LABELS: usize = 1 << 26;

/// Reads the first `limit` examples of a split, or all of them; a limit over the split's size means all.
///
/// `scaling` is that of the experiment: [`Scaling::of`] the dataset that is learned, also for the others. It changes
/// continuous values alone. An IDX file is checked whole (format, size, MD5 of the decompressed bytes) whatever the limit.
///
/// # Errors
/// [`LoadError`], naming the file and the remedy.
pub fn load_entry(
    directory: &DataDirectory,
    entry: &Entry,
    split: Split,
    limit: Option<usize>,
    scaling: &Scaling,
) -> Result<Examples, LoadError> {
    Ok(load_stepped(directory, entry, split, limit, scaling, None)?.0)
}

/// The same, and whether the steps were applied to the images while they were read. If not, that is left to the caller.
pub(crate) fn load_stepped(
    directory: &DataDirectory,
    entry: &Entry,
    split: Split,
    limit: Option<usize>,
    scaling: &Scaling,
    steps: Option<&Pipeline>,
) -> Result<(Examples, bool), LoadError> {
    if !entry.has(split) {
        return Err(LoadError::NoSplit { dataset: entry.name, split });
    }
    scaling.check_fits(entry)?;
    let values = match (entry.source, entry.shape) {
        (Source::Published { format, .. }, _) => {
            return match published::load(directory, entry, format, split, limit, steps) {
                Err(LoadError::Missing(missing)) => Ok((load_instead(directory, entry, split, limit, missing)?, false)),
                read => read,
            };
        }
        (Source::Procedural(procedure), shape) => {
            Values::Bytes(procedure.generate(shape.as_image(), split, generated(entry, split, limit)))
        }
        (Source::Idx { files, .. }, _) => {
            return Ok((idx_files::load(directory, entry, files, split, generated(entry, split, limit))?, false));
        }
        (Source::Arrays { array, .. }, _) => {
            let path = find(directory, entry, &array_of(entry, split))?;
            return Ok((load_array(&path, array, entry, split, limit, scaling)?, false));
        }
        (Source::Hepmass { .. } | Source::Miniboone { .. } | Source::ProceduralVectors(_), _) => {
            let mut values = Vec::new();
            let append = &mut |row: &[f64]| scaling.append(row, &mut values);
            rows(directory, entry, split, limit, scaling, append)?;
            values.shrink_to_fit();
            Values::Floats(values)
        }
    };
    let examples = Examples::new(entry.shape, values);
    Ok((examples.expect("every source gives whole examples of the catalogue's shape"), false))
}

/// Number of examples to compute.
fn generated(entry: &Entry, split: Split, limit: Option<usize>) -> usize {
    let size = entry.size(split).known().unwrap_or_default();
    limit.map_or(size, |limit| limit.min(size))
}

/// Reads the array file that stands in for the publisher's files, if it is there.
fn load_instead(
    directory: &DataDirectory,
    entry: &Entry,
    split: Split,
    limit: Option<usize>,
    missing: MissingFile,
) -> Result<Examples, LoadError> {
    let array = array_of(entry, split);
    let Ok(path) = directory.find(entry, &array) else {
        let MissingFile { contents, .. } = &missing;
        let contents = format!("{contents}; or an array of your own, {}/{}", entry.name, array.names.join(" or "));
        return Err(MissingFile { contents, ..missing }.into());
    };
    load_array(&path, "images", entry, split, limit, &Scaling::none())
}

fn array_of(entry: &Entry, split: Split) -> WantedFile {
    let mut arrays = entry.arrays().into_iter();
    arrays.find(|file| file.split == Some(split)).expect("the split is there, as was checked")
}

/// Reads one array file and the labels in it.
pub(crate) fn load_array(
    path: &Path,
    array: &str,
    entry: &Entry,
    split: Split,
    limit: Option<usize>,
    scaling: &Scaling,
) -> Result<Examples, LoadError> {
    let values = array_file(path, array, entry.shape, split, entry.size(split), limit, scaling)?;
    let examples = Examples::new(entry.shape, values).expect("arrays give whole examples of the catalogue's shape");
    let most = entry.size(split).known().unwrap_or(MAX_LABELS);
    let labels = read_labels(path, examples.len(), most).map_err(|problem| in_array(path, problem))?;
    // An array that is named for its split stands beside another one: the labels may be those of the other.
    Ok(match labels {
        Some(labels) if labels.len() == examples.len() => examples.with_labels(labels).expect("one for each"),
        _ => examples,
    })
}

/// Reads one array file, whatever its place.
fn array_file(
    path: &Path,
    array: &str,
    shape: Shape,
    split: Split,
    size: SplitSize,
    limit: Option<usize>,
    scaling: &Scaling,
) -> Result<Values, LoadError> {
    let values = with_array(path, &[array, split.as_str()], |array| match shape {
        Shape::Image(shape) => Ok(Values::Bytes(read_bytes(array, shape, size.known(), limit)?)),
        Shape::Vector(features) => {
            let mut values = Vec::new();
            let append = &mut |row: &[f64]| scaling.append(row, &mut values);
            read_rows(array, features, size.known(), limit, append)?;
            values.shrink_to_fit();
            Ok(Values::Floats(values))
        }
    });
    values.map_err(|problem| in_array(path, problem))
}

fn in_array(path: &Path, problem: ArrayError) -> LoadError {
    let path = path.to_owned();
    match problem {
        ArrayError::Io(source) => LoadError::Unreadable { path, source },
        source => LoadError::Array { path, source },
    }
}

/// Passes on the rows of a table or of computed vectors, before scaling.
fn rows(
    directory: &DataDirectory,
    entry: &Entry,
    split: Split,
    limit: Option<usize>,
    scaling: &Scaling,
    row: &mut dyn FnMut(&[f64]) -> Result<(), usize>,
) -> Result<(), LoadError> {
    match entry.source {
        Source::Hepmass { class } => {
            let KeptColumns { columns, kept } = match &scaling.survey {
                Some(survey) => survey.clone(),
                None => KeptColumns::read(directory, entry)?,
            };
            let path = find(directory, entry, &crate::catalogue::hepmass(split))?;
            let mut read = || read_class(open(&path)?, class, columns, &kept, limit, row);
            read().map_err(|problem| in_table(&path, problem))
        }
        Source::Miniboone { class } => {
            let path = find(directory, entry, &crate::catalogue::miniboone())?;
            let read = || ClassRows::read(open(&path)?, class, entry.dimensions());
            let class_rows = read().map_err(|problem| in_table(&path, problem))?;
            for found in class_rows.of_split(split).take(limit.unwrap_or(usize::MAX)) {
                let too_large =
                    |feature: usize| TableError::TooLarge { line: found.line, feature, value: found.values[feature] };
                row(found.values).map_err(|feature| in_table(&path, too_large(feature)))?;
            }
            Ok(())
        }
        Source::ProceduralVectors(procedure) => {
            let len = generated(entry, split, limit);
            let drawn = procedure.generate(entry.dimensions(), split, len, row);
            drawn.expect("computed values fit single precision");
            Ok(())
        }
        Source::Idx { .. } | Source::Arrays { .. } | Source::Published { .. } | Source::Procedural(_) => Ok(()),
    }
}

pub(crate) fn find(directory: &DataDirectory, entry: &Entry, file: &WantedFile) -> Result<PathBuf, LoadError> {
    Ok(directory.find(entry, file)?)
}

/// Says in which file a table is wrong, and tells the file's damage, which a new copy mends, from a disk's.
pub(crate) fn in_table(path: &Path, problem: TableError) -> LoadError {
    let path = path.to_owned();
    match problem {
        TableError::Io(source) => match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                LoadError::CorruptGzip { path, source }
            }
            _ => LoadError::Unreadable { path, source },
        },
        source => LoadError::Table { path, source },
    }
}
