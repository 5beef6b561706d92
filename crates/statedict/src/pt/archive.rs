//! The zip format: `NAME/data.pkl` describes the tensors, `NAME/data/KEY` holds each storage.
//!
//! The archive is walked entry by entry, in its own order, so that no more than one storage is held beside the tensors
//! that are finished.

use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;
use zip::read::ZipFile;

use super::error::PtError;
use super::outer;
use super::plan::Plan;
use crate::contents::{Contents, Format};
use crate::limits::Limits;
use crate::pickle;

/// Deflate turns one byte into at most this many (zlib, technical details).
const DEFLATE_RATIO: u64 = 1032;

/// What an entry of the archive is to its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Role {
    Pickle,
    ByteOrder,
    Code,
    Storage(String),
    Other,
}

/// Reads a zip archive of `torch.save`.
pub(crate) fn read<R: Read + Seek>(mut reader: R, limits: &Limits) -> Result<Contents, PtError> {
    let file_bytes = reader.seek(SeekFrom::End(0))?;
    let mut archive = ZipArchive::new(reader)?;
    if archive.has_duplicate_names() {
        return Err(PtError::DoubleEntry);
    }
    let pickle = read_description(&mut archive, file_bytes, limits)?;
    let mut plan = {
        let pickle = pickle::read(&pickle, limits.pickle_values)?;
        Plan::new(&outer::find(&pickle)?, limits)?
    };
    drop(pickle);

    for place in 0..archive.len() {
        let mut file = archive.by_index(place)?;
        let Role::Storage(key) = role(&file)? else { continue };
        let Some(wanted) = plan.wanted(&key) else { continue };
        if file.size() != wanted {
            return Err(plan.short_storage(&key, file.size()));
        }
        let bytes = read_entry(&mut file, file_bytes)?;
        plan.fill(&key, bytes)?;
    }
    plan.finish(Format::PtZip)
}

/// Reads the pickle, after a look at the entries that say what kind of archive this is.
fn read_description<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    file_bytes: u64,
    limits: &Limits,
) -> Result<Vec<u8>, PtError> {
    let mut pickle = None;
    for place in 0..archive.len() {
        let mut file = archive.by_index(place)?;
        match role(&file)? {
            Role::Pickle => {
                if pickle.is_some() {
                    return Err(PtError::DoubleEntry);
                }
                if file.size() > limits.header_bytes as u64 {
                    return Err(PtError::LongPickle { limit: limits.header_bytes });
                }
                pickle = Some(read_entry(&mut file, file_bytes)?);
            }
            Role::ByteOrder => {
                let mut found = Vec::new();
                // Longer than either order's name is neither of them.
                file.by_ref().take(8).read_to_end(&mut found).map_err(|cause| damaged(&file, cause))?;
                if found != b"little" {
                    return Err(PtError::ByteOrder { found: String::from_utf8_lossy(&found).into_owned() });
                }
            }
            Role::Code => return Err(PtError::TorchScript),
            Role::Storage(_) | Role::Other => {}
        }
    }
    pickle.ok_or(PtError::NoEntry { wanted: "data.pkl" })
}

fn role<R: Read>(file: &ZipFile<'_, R>) -> Result<Role, PtError> {
    let name = file.name()?;
    // The first folder is named after the file that was saved.
    let inner = name.split_once('/').map_or(&*name, |(_, inner)| inner);
    Ok(match inner {
        "data.pkl" => Role::Pickle,
        "byteorder" => Role::ByteOrder,
        "constants.pkl" => Role::Code,
        // PyTorch 1.4 called the folder `tensors`.
        _ => match inner.strip_prefix("data/").or_else(|| inner.strip_prefix("tensors/")) {
            Some(key) => Role::Storage(key.to_owned()),
            None => Role::Other,
        },
    })
}

/// Reads a whole entry, whose size was checked against the limits. Memory is taken only where the file is large enough
/// to fill it.
fn read_entry<R: Read>(file: &mut ZipFile<'_, R>, file_bytes: u64) -> Result<Vec<u8>, PtError> {
    let possible = file.compressed_size().min(file_bytes).saturating_mul(DEFLATE_RATIO);
    let too_short = || damaged(file, std::io::ErrorKind::UnexpectedEof.into());
    if file.size() > possible {
        return Err(too_short());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(file.size()).map_err(|_| too_short())?);
    let limit = file.size();
    // The size is enforced; reading on to the end makes the archive's checksum be compared.
    file.by_ref().take(limit).read_to_end(&mut bytes).map_err(|cause| damaged(file, cause))?;
    let rest = file.read(&mut [0]).map_err(|cause| damaged(file, cause))?;
    if bytes.len() as u64 != limit || rest != 0 {
        return Err(damaged(file, std::io::ErrorKind::InvalidData.into()));
    }
    Ok(bytes)
}

fn damaged<R: Read>(file: &ZipFile<'_, R>, cause: std::io::Error) -> PtError {
    PtError::Entry { entry: String::from_utf8_lossy(file.name_raw()).into_owned(), cause }
}
