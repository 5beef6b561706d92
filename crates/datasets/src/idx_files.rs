//! IDX files on disk: plain or gzip, read as a stream and compared with their published checksum.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::catalogue::{Checksum, Coverage, DataFile, Entry, WantedFile};
use crate::digest::Hashed;
use crate::error::LoadError;
use crate::examples::{Examples, Split, Values};
use crate::idx::{self, IdxProblem};
use crate::location::DataDirectory;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads the first `count` images of a split, and their labels if those files are there.
pub fn load(
    directory: &DataDirectory,
    entry: &Entry,
    files: &[DataFile],
    split: Split,
    count: usize,
) -> Result<Examples, LoadError> {
    let of_split = |file: &&DataFile| file.split == split;
    let mut pixels = Vec::with_capacity(count * entry.dimensions());
    for file in files.iter().filter(of_split).filter(|file| file.holds_images()) {
        let path = directory.find(entry, &WantedFile::idx(file))?;
        let rest = count * entry.dimensions() - pixels.len();
        read(&path, file, rest, &mut pixels)?;
    }
    let examples = Examples::new(entry.shape, Values::Bytes(pixels)).expect("files hold whole images");

    let mut labels = Vec::new();
    for file in files.iter().filter(of_split).filter(|file| !file.holds_images()) {
        // Training needs no labels: who has the images alone goes without.
        let Ok(path) = directory.find(entry, &WantedFile::idx(file)) else { return Ok(examples) };
        read(&path, file, count - labels.len(), &mut labels)?;
    }
    if labels.len() < count {
        return Ok(examples);
    }
    let labels = labels.into_iter().map(u32::from).collect();
    Ok(examples.with_labels(labels).expect("as many labels as images were read"))
}

/// Reads a file whole, compares it with its checksum, and appends its first `keep` values.
pub fn read(path: &Path, file: &DataFile, keep: usize, values: &mut Vec<u8>) -> Result<(), LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let published = |covers| file.checksum.filter(|checksum| checksum.covers == covers);
    let (served, decompressed) = (published(Coverage::Served), published(Coverage::Decompressed));
    let mut bytes = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
    if !bytes.fill_buf().map_err(unreadable)?.starts_with(&GZIP_MAGIC) {
        let mut plain = Hashed::new(bytes, decompressed.map(|checksum| checksum.digest));
        idx::read(&mut plain, file.dimensions, keep, values).map_err(|problem| in_file(path, problem, false))?;
        return compare(path, decompressed, plain.finish().map_err(unreadable)?);
    }
    // What covers the file as it is served is computed below the decoder, and only then; the decoder reads on to the end.
    let compressed = BufReader::with_capacity(1 << 16, Hashed::new(bytes, served.map(|checksum| checksum.digest)));
    let mut decoder = Hashed::new(MultiGzDecoder::new(compressed), decompressed.map(|checksum| checksum.digest));
    idx::read(&mut decoder, file.dimensions, keep, values).map_err(|problem| in_file(path, problem, true))?;
    let corrupt = |source| LoadError::CorruptGzip { path: path.to_owned(), source };
    let (decoder, found) = decoder.into_parts().map_err(corrupt)?;
    compare(path, decompressed, found)?;
    compare(path, served, decoder.into_inner().into_inner().finish().map_err(unreadable)?)
}

fn compare(path: &Path, checksum: Option<Checksum>, found: Option<String>) -> Result<(), LoadError> {
    match (checksum, found) {
        (Some(checksum), Some(found)) if found != checksum.digest.hexadecimal() => {
            Err(LoadError::WrongDigest { path: path.to_owned(), expected: checksum, found })
        }
        _ => Ok(()),
    }
}

fn in_file(path: &Path, problem: IdxProblem, is_compressed: bool) -> LoadError {
    let path = path.to_owned();
    match problem {
        IdxProblem::Format(source) => LoadError::Format { path, source },
        IdxProblem::Io(source) if is_compressed && is_damage(&source) => LoadError::CorruptGzip { path, source },
        IdxProblem::Io(source) => LoadError::Unreadable { path, source },
    }
}

/// Tells a decoder's complaint about the bytes from a disk's.
pub fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | InvalidData | InvalidInput | Other)
}
