//! Safetensors files: a JSON header, then the tensors' bytes, read and written one tensor at a time.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use ::safetensors::SafeTensorError;
use ::safetensors::tensor::{Metadata, TensorInfo};
use thiserror::Error;

use crate::contents::{Contents, Format};
use crate::element::ElementType;
use crate::limits::Limits;
use crate::state_dict::StateDict;
use crate::tensor::{Tensor, WrongSize};
use crate::whole_file;

/// The header's length, before the header; the header is padded to a multiple of it.
pub(crate) const LENGTH_BYTES: usize = 8;

/// The longest header that the format's own library accepts.
pub(crate) const LONGEST_HEADER: u64 = 100_000_000;

/// Why a safetensors file cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The operating system refused, or the file ends early.
    #[error("{0}; if the file is truncated, copy it again")]
    Disk(#[from] io::Error),
    /// The header is larger than the caller allows.
    #[error("its header of {bytes} bytes is beyond the limit of {limit}; raise it if the file is trusted")]
    LongHeader {
        /// The length it states.
        bytes: u64,
        /// The caller's limit.
        limit: usize,
    },
    /// The header is none, or its tensors do not lie end to end.
    #[error("its header: {0}; the file is damaged, copy it again")]
    Header(String),
    /// The bytes are not as many as the header states.
    #[error("its tensors take {stated} bytes behind the header, {found} are there; copy the file again")]
    Size {
        /// The bytes that the header states.
        stated: u64,
        /// The bytes behind the header.
        found: u64,
    },
    /// A tensor's element type is not one that is read.
    #[error("tensor {name:?} has elements of type {found}, which is not read; convert it to float32 and save again")]
    ElementType {
        /// The tensor.
        name: String,
        /// Its type in the file.
        found: String,
    },
    /// The tensors ask for more memory than the caller allows.
    #[error("its tensors take {bytes} bytes, beyond the limit of {limit}; raise it if the file is trusted")]
    TooLarge {
        /// The bytes of all tensors.
        bytes: u64,
        /// The caller's limit.
        limit: u64,
    },
    /// There are more tensors than the caller allows.
    #[error("it names {tensors} tensors, beyond the limit of {limit}; raise it if the file is trusted")]
    TooMany {
        /// Their number.
        tensors: usize,
        /// The caller's limit.
        limit: usize,
    },
    /// A tensor does not fit its bytes.
    #[error("{0}")]
    Tensor(#[from] WrongSize),
}

/// Why a safetensors file cannot be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The operating system refused.
    #[error("{0}; check that the folder exists and the disk has room")]
    Disk(#[from] io::Error),
    /// The tensors cannot be described.
    #[error("the header: {0}")]
    Header(#[from] SafeTensorError),
    /// The header cannot be written as JSON.
    #[error("the header: {0}")]
    Json(#[from] serde_json::Error),
    /// The format keeps this name for itself.
    #[error("a tensor is named {RESERVED:?}, which safetensors keeps for its metadata; rename it")]
    ReservedName,
    /// The header would be longer than the format's readers accept.
    #[error("names and metadata take {bytes} bytes, more than the {LONGEST_HEADER} that safetensors allows")]
    LongHeader {
        /// The header's length.
        bytes: usize,
    },
}

const RESERVED: &str = "__metadata__";

/// Writes the file to `path`: to a neighbour first, made durable, then renamed. Returns its size in bytes.
///
/// # Errors
/// [`WriteError`]; nothing lies at `path` then that did not before.
pub fn write_file(path: &Path, state: &StateDict, metadata: &BTreeMap<String, String>) -> Result<u64, WriteError> {
    whole_file::write(path, |file| write(file, state, metadata))
}

/// Writes the file. The same tensors in the same order with the same metadata give the same bytes.
///
/// Wider elements lie first, so that each tensor is aligned; equal widths keep their order.
///
/// # Errors
/// [`WriteError`], where the writer fails or a name is not allowed.
pub fn write<W: Write>(
    mut writer: W,
    state: &StateDict,
    metadata: &BTreeMap<String, String>,
) -> Result<(), WriteError> {
    let mut tensors: Vec<&Tensor> = state.iter().collect();
    tensors.sort_by_key(|tensor| std::cmp::Reverse(tensor.element().bytes()));
    let header = header(&tensors, metadata)?;
    writer.write_all(&(header.len() as u64).to_le_bytes())?;
    writer.write_all(&header)?;
    for tensor in tensors {
        writer.write_all(tensor.bytes())?;
    }
    writer.flush()?;
    Ok(())
}

fn header(tensors: &[&Tensor], metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, WriteError> {
    let mut end = 0;
    let infos = tensors.iter().map(|tensor| {
        let start = end;
        end += tensor.bytes().len();
        let info =
            TensorInfo { dtype: tensor.element().dtype(), shape: tensor.shape().to_vec(), data_offsets: (start, end) };
        if tensor.name() == RESERVED { Err(WriteError::ReservedName) } else { Ok((tensor.name().to_owned(), info)) }
    });
    let infos = infos.collect::<Result<Vec<_>, WriteError>>()?;
    let pairs: HashMap<String, String> = metadata.clone().into_iter().collect();
    let described = Metadata::new((!pairs.is_empty()).then_some(pairs), infos)?;
    // The library writes the metadata in the order of a hash table. Sorted, equal contents have one digest.
    let sorted: BTreeMap<String, serde_json::Value> = serde_json::from_value(serde_json::to_value(&described)?)?;
    let mut header = serde_json::to_vec(&sorted)?;
    header.resize(header.len().next_multiple_of(LENGTH_BYTES), b' ');
    if header.len() as u64 > LONGEST_HEADER {
        return Err(WriteError::LongHeader { bytes: header.len() });
    }
    Ok(header)
}

/// Reads a safetensors file.
pub(crate) fn read<R: Read + Seek>(mut reader: R, limits: &Limits) -> Result<Contents, ReadError> {
    let file_bytes = reader.seek(SeekFrom::End(0))?;
    reader.seek(SeekFrom::Start(0))?;
    let (header, behind) = read_header(&mut reader, file_bytes, limits)?;
    let described: Metadata = serde_json::from_slice(&header).map_err(|error| ReadError::Header(error.to_string()))?;
    drop(header);

    let names = described.offset_keys();
    let stated = described.data_len() as u64;
    if names.len() > limits.tensors {
        return Err(ReadError::TooMany { tensors: names.len(), limit: limits.tensors });
    }
    if stated != behind {
        return Err(ReadError::Size { stated, found: behind });
    }
    if stated > limits.bytes {
        return Err(ReadError::TooLarge { bytes: stated, limit: limits.bytes });
    }
    let mut state_dict = StateDict::new();
    for name in names {
        let info = described.info(&name).ok_or_else(|| ReadError::Header(format!("{name:?} is not described")))?;
        let element = ElementType::of_dtype(info.dtype)
            .ok_or_else(|| ReadError::ElementType { name: name.clone(), found: info.dtype.to_string() })?;
        // The tensors lie end to end in the order of `names`: the header was refused otherwise.
        let mut bytes = vec![0; info.data_offsets.1 - info.data_offsets.0];
        reader.read_exact(&mut bytes)?;
        let tensor = Tensor::new(name, element, info.shape.clone(), bytes)?;
        state_dict.push(tensor).map_err(|error| ReadError::Header(error.to_string()))?;
    }
    let metadata = described.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok(Contents {
        format: Format::Safetensors,
        state_dict,
        found_under: None,
        ignored: Vec::new(),
        unwrapped: false,
        metadata,
    })
}

/// The header, and the number of bytes behind it.
fn read_header<R: Read>(reader: &mut R, file_bytes: u64, limits: &Limits) -> Result<(Vec<u8>, u64), ReadError> {
    let mut length = [0; LENGTH_BYTES];
    reader.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > limits.header_bytes as u64 {
        return Err(ReadError::LongHeader { bytes: length, limit: limits.header_bytes });
    }
    let room = file_bytes.saturating_sub(LENGTH_BYTES as u64);
    let behind = room.checked_sub(length).ok_or(ReadError::Size { stated: length, found: room })?;
    let mut header = vec![0; usize::try_from(length).map_err(|_| ReadError::Size { stated: length, found: room })?];
    reader.read_exact(&mut header)?;
    Ok((header, behind))
}
