//! Reads a split into memory, checking formats, checksums and values on the way.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use md5::{Digest, Md5};

use crate::arrays::{ArrayError, read_bytes, read_rows, with_array};
use crate::catalogue::{DataFile, Entry, Source, SplitSize, WantedFile};
use crate::error::LoadError;
use crate::examples::{Examples, Shape, Split, Values};
use crate::idx::decode;
use crate::location::DataDirectory;
use crate::scaling::{KeptColumns, Scaling};
use crate::tables::hepmass::read_class;
use crate::tables::miniboone::ClassRows;
use crate::tables::{TableError, open};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

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
    if !entry.has(split) {
        return Err(LoadError::NoSplit { dataset: entry.name, split });
    }
    scaling.check_fits(entry)?;
    let values = match (entry.source, entry.shape) {
        (Source::Procedural(procedure), shape) => {
            Values::Bytes(procedure.generate(shape.as_image(), split, generated(entry, split, limit)))
        }
        (Source::Idx { files, .. }, _) => Values::Bytes(idx_bytes(directory, entry, files, split, limit)?),
        (Source::Arrays { array, .. }, shape) => array_values(directory, entry, array, shape, split, limit, scaling)?,
        (Source::Hepmass { .. } | Source::Miniboone { .. } | Source::ProceduralVectors(_), _) => {
            let mut values = Vec::new();
            let append = &mut |row: &[f64]| scaling.append(row, &mut values);
            rows(directory, entry, split, limit, scaling, append)?;
            values.shrink_to_fit();
            Values::Floats(values)
        }
    };
    Ok(Examples::new(entry.shape, values).expect("every source gives whole examples of the catalogue's shape"))
}

/// Number of examples to compute.
fn generated(entry: &Entry, split: Split, limit: Option<usize>) -> usize {
    let size = entry.size(split).known().unwrap_or_default();
    limit.map_or(size, |limit| limit.min(size))
}

fn idx_bytes(
    directory: &DataDirectory,
    entry: &Entry,
    files: &[DataFile],
    split: Split,
    limit: Option<usize>,
) -> Result<Vec<u8>, LoadError> {
    let wanted = generated(entry, split, limit) * entry.dimensions();
    let mut pixels = Vec::with_capacity(wanted);
    for file in files.iter().filter(|file| file.split == split && file.holds_images()) {
        let rest = wanted - pixels.len();
        let path = find(directory, entry, &WantedFile::idx(file))?;
        let bytes = read_checked(&path, file)?;
        let values = decode(&bytes, file.dimensions).map_err(|source| LoadError::Format { path, source })?;
        pixels.extend_from_slice(&values[..rest.min(values.len())]);
    }
    Ok(pixels)
}

fn array_values(
    directory: &DataDirectory,
    entry: &Entry,
    array: &str,
    shape: Shape,
    split: Split,
    limit: Option<usize>,
    scaling: &Scaling,
) -> Result<Values, LoadError> {
    let files = entry.wanted();
    let file = files.iter().find(|file| file.split == Some(split)).expect("the split is there, as was checked");
    let path = find(directory, entry, file)?;
    array_file(&path, array, shape, split, entry.size(split), limit, scaling)
}

/// Reads one array file, whatever its place.
pub(crate) fn array_file(
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
    values.map_err(|problem| match problem {
        ArrayError::Io(source) => LoadError::Unreadable { path: path.to_owned(), source },
        source => LoadError::Array { path: path.to_owned(), source },
    })
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
        Source::Idx { .. } | Source::Arrays { .. } | Source::Procedural(_) => Ok(()),
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

/// Reads a file's decompressed bytes and checks that they are the ones the catalogue describes.
pub(crate) fn read_checked(path: &Path, file: &DataFile) -> Result<Vec<u8>, LoadError> {
    let bytes = read_decompressed(path, file.bytes)?;
    decode(&bytes, file.dimensions).map_err(|source| LoadError::Format { path: path.to_owned(), source })?;
    let found = hex::encode(Md5::digest(&bytes));
    if found != file.md5 {
        return Err(LoadError::WrongDigest { path: path.to_owned(), expected: file.md5, found });
    }
    Ok(bytes)
}

/// Reads a plain or gzip file (told apart by its first bytes), one byte past the expected size at most: a small
/// compressed file can decompress to more than the memory holds.
fn read_decompressed(path: &Path, expected_bytes: usize) -> Result<Vec<u8>, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
    let compressed = reader.fill_buf().map_err(unreadable)?.starts_with(&GZIP_MAGIC);

    let limit = u64::try_from(expected_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::with_capacity(expected_bytes);
    if compressed {
        let corrupt = |source| LoadError::CorruptGzip { path: path.to_owned(), source };
        MultiGzDecoder::new(reader).take(limit).read_to_end(&mut bytes).map_err(corrupt)?;
    } else {
        reader.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    Ok(bytes)
}
