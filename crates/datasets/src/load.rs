//! Reads a split into memory, checking each file's format and checksum on the way.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use md5::{Digest, Md5};
use thiserror::Error;

use crate::catalogue::{DataFile, Entry, Source};
use crate::idx::{IdxError, decode};
use crate::images::{Images, Split};
use crate::location::{DataDirectory, MissingFile};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Why a dataset could not be read. None of these goes away by trying again.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file lies in none of the known places.
    #[error(transparent)]
    Missing(#[from] MissingFile),
    /// The operating system refused to read a file.
    #[error("cannot read {}: {source}; check the file's permissions and the disk", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The compressed bytes do not decompress.
    #[error("{} is a damaged gzip file: {source}; fetch it again", path.display())]
    CorruptGzip {
        /// The file.
        path: PathBuf,
        /// The decoder's complaint.
        source: io::Error,
    },
    /// The decompressed bytes are not the IDX file that the catalogue describes.
    #[error("{} is not the file it should be: {source}; fetch it again", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: IdxError,
    },
    /// The decompressed bytes have another checksum.
    #[error("{} has MD5 {found}, expected {expected} (over the decompressed bytes); fetch it again", path.display())]
    WrongDigest {
        /// The file.
        path: PathBuf,
        /// The catalogue's MD5, in hexadecimal.
        expected: &'static str,
        /// The file's MD5, in hexadecimal.
        found: String,
    },
}

/// Reads the first `limit` images of a split, or all of them; a limit over the split's size means all.
///
/// The whole file is checked (format, size, MD5 of the decompressed bytes) whatever the limit.
///
/// # Errors
/// [`LoadError`], naming the file and the remedy.
pub fn load(directory: &DataDirectory, entry: &Entry, split: Split, limit: Option<usize>) -> Result<Images, LoadError> {
    let len = limit.map_or(entry.size(split), |limit| limit.min(entry.size(split)));
    let pixels = match entry.source {
        Source::Procedural(procedure) => procedure.generate(entry.shape, split, len),
        Source::Idx { files, .. } => {
            let mut pixels = Vec::with_capacity(len * entry.dimensions());
            for file in files.iter().filter(|file| file.split == split && file.holds_images()) {
                let wanted = (len * entry.dimensions()).saturating_sub(pixels.len());
                let path = directory.find(entry, file)?;
                let bytes = read_checked(&path, file)?;
                let values = decode(&bytes, file.dimensions).map_err(|source| LoadError::Format { path, source })?;
                pixels.extend_from_slice(&values[..wanted.min(values.len())]);
            }
            pixels
        }
    };
    Ok(Images::new(entry.shape, pixels).expect("the catalogue's dimensions divide into its shapes"))
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
