//! The one entry: tells a file's format by its first bytes, whatever its name ends in.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use thiserror::Error;

use crate::contents::Contents;
use crate::limits::Limits;
use crate::pt::{self, PtError};
use crate::safetensors;

/// What `torch.nn.DataParallel` puts before every name.
const PARALLEL_PREFIX: &str = "module.";

/// A file that cannot be read, and why.
#[derive(Debug, Error)]
#[error("{file}: {cause}")]
pub struct ReadError {
    /// The file's path, or what the caller calls it.
    pub file: String,
    /// What is wrong.
    pub cause: Box<Cause>,
}

impl ReadError {
    fn new(file: &str, cause: impl Into<Cause>) -> Self {
        Self { file: file.to_owned(), cause: Box::new(cause.into()) }
    }
}

/// Why a file cannot be read.
#[derive(Debug, Error)]
pub enum Cause {
    /// The operating system refused.
    #[error("{0}; check that the file exists and may be read")]
    Disk(#[from] io::Error),
    /// The first bytes are of no format that is read.
    #[error("{found}; a file of torch.save or a safetensors file is expected")]
    Unknown {
        /// What the first bytes look like.
        found: String,
    },
    /// It is a file of PyTorch's with something wrong.
    #[error(transparent)]
    Pt(#[from] PtError),
    /// It is a safetensors file with something wrong.
    #[error(transparent)]
    Safetensors(#[from] safetensors::ReadError),
}

/// Reads the file of tensors at `path`. Holds at most the tensors and their largest storage at once.
///
/// # Errors
/// [`ReadError`], naming the file, and the tensor and the offset where there is one.
pub fn read(path: &Path, limits: &Limits) -> Result<Contents, ReadError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| ReadError::new(&name, error))?;
    read_from(BufReader::new(file), &name, limits)
}

/// Reads tensors from anything that can be read at any place; `name` is what errors call it.
///
/// # Errors
/// [`ReadError`], naming the tensor and the offset where there is one.
pub fn read_from<R: Read + Seek>(reader: R, name: &str, limits: &Limits) -> Result<Contents, ReadError> {
    let mut contents = read_any(reader, limits).map_err(|cause| ReadError::new(name, cause))?;
    contents.unwrapped = contents.state_dict.strip_prefix(PARALLEL_PREFIX);
    Ok(contents)
}

fn read_any<R: Read + Seek>(mut reader: R, limits: &Limits) -> Result<Contents, Cause> {
    let mut first = Vec::with_capacity(16);
    reader.by_ref().take(16).read_to_end(&mut first)?;
    reader.seek(SeekFrom::Start(0))?;
    match first[..] {
        [b'P', b'K', 3, 4, ..] => Ok(pt::read_archive(reader, limits)?),
        [0x80, 2..=5, ..] => Ok(pt::read_legacy(reader, limits)?),
        _ if is_safetensors(&first) => Ok(safetensors::read(reader, limits)?),
        _ => Err(Cause::Unknown { found: appearance(&first) }),
    }
}

/// A length that the format allows, then JSON.
fn is_safetensors(first: &[u8]) -> bool {
    let Some((length, rest)) = first.split_first_chunk::<{ safetensors::LENGTH_BYTES }>() else { return false };
    u64::from_le_bytes(*length) <= safetensors::LONGEST_HEADER && rest.first() == Some(&b'{')
}

fn appearance(first: &[u8]) -> String {
    let known: [(&[u8], &str); 6] = [
        (b"\x1f\x8b", "it is packed with gzip; unpack it first"),
        (b"\x93NUMPY", "it is a NumPy array without a name"),
        (b"\x89HDF", "it is an HDF5 file"),
        (b"version https:", "it is a pointer of Git LFS and not the file itself; fetch it with git lfs pull"),
        (b"<", "it is a web page, perhaps a failed download"),
        (b"\x80", "it is a pickle of an unknown protocol"),
    ];
    if first.is_empty() {
        return "it is empty".to_owned();
    }
    let fitting = known.iter().find(|(beginning, _)| first.starts_with(beginning));
    fitting.map_or_else(|| format!("its first bytes are {}", first.escape_ascii()), |(_, what)| (*what).to_owned())
}
