//! Writes the zip format, such that `torch.load(file, weights_only=True)` reads it.

use std::io::{self, Seek, Write};
use std::path::Path;

use thiserror::Error;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::pickle::Writer;
use crate::state_dict::StateDict;
use crate::whole_file;

/// The name of the folder that all entries of the archive lie in.
const FOLDER: &str = "archive";

/// PyTorch aligns storages so that they can be mapped into memory.
const ALIGNMENT: u16 = 64;

/// What the file stands for in PyTorch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping<'a> {
    /// The state dict itself.
    Bare,
    /// A dict that holds the state dict under this key, `net` say.
    Under(&'a str),
}

/// Why a file cannot be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The operating system refused.
    #[error("{0}; check that the folder exists and the disk has room")]
    Disk(#[from] io::Error),
    /// The zip archive could not be written.
    #[error("its zip archive: {0}; check that the disk has room")]
    Zip(#[from] ZipError),
}

/// Writes the file to `path`: to a neighbour first, made durable, then renamed. Returns its size in bytes.
///
/// # Errors
/// [`WriteError`]; nothing lies at `path` then that did not before.
pub fn write_file(path: &Path, state: &StateDict, wrapping: Wrapping<'_>) -> Result<u64, WriteError> {
    whole_file::write(path, |file| write(file, state, wrapping))
}

/// Writes the file. The same tensors in the same order give the same bytes.
///
/// # Errors
/// [`WriteError`], where the writer fails.
pub fn write<W: Write + Seek>(writer: W, state: &StateDict, wrapping: Wrapping<'_>) -> Result<(), WriteError> {
    // A fixed time: the bytes depend on nothing but the tensors.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .with_alignment(ALIGNMENT);
    let mut archive = ZipWriter::new(writer);
    let mut entry = |name: &str, bytes: &[u8]| -> Result<(), WriteError> {
        let large = bytes.len() >= u32::MAX as usize;
        archive.start_file(format!("{FOLDER}/{name}"), options.large_file(large))?;
        archive.write_all(bytes)?;
        Ok(())
    };
    entry("data.pkl", &describe(state, wrapping))?;
    entry("byteorder", b"little")?;
    for (key, tensor) in state.iter().enumerate() {
        entry(&format!("data/{key}"), tensor.bytes())?;
    }
    entry("version", b"3\n")?;
    archive.finish()?.flush()?;
    Ok(())
}

fn describe(state: &StateDict, wrapping: Wrapping<'_>) -> Vec<u8> {
    let mut pickle = Writer::new();
    if let Wrapping::Under(key) = wrapping {
        pickle.begin_entry(key);
    }
    pickle.begin_ordered_dict();
    for (key, tensor) in state.iter().enumerate() {
        pickle.text(tensor.name());
        pickle.tensor(&key.to_string(), tensor);
    }
    pickle.end_ordered_dict();
    if let Wrapping::Under(_) = wrapping {
        pickle.end_entry();
    }
    pickle.finish()
}
