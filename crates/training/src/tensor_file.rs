//! Tensors in a file: safetensors with one header document, written so that a crash leaves either the whole file or
//! none under its name, and addressed by its SHA-256.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use checkpoints::HEADER_KEY;
use domain::Digest;
use safetensors::tensor::{Dtype, SafeTensorError, View};
use safetensors::{SafeTensors, serialize};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tch::{Kind, Tensor};
use thiserror::Error;

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFile {
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A file's bytes are not the ones that were asked for.
#[derive(Debug, Error)]
#[error(
    "{} is damaged: expected SHA-256 {expected}, found {found} ({bytes} bytes); fetch it again from the artifact store; if it is damaged there, submit the experiment under a new sweep name",
    path.display()
)]
pub struct WrongDigest {
    /// The file.
    pub path: PathBuf,
    /// The digest asked for.
    pub expected: Digest,
    /// The file's.
    pub found: Digest,
    /// The file's size.
    pub bytes: usize,
}

/// Why a file of tensors cannot be written or read.
#[derive(Debug, Error)]
pub enum FileError {
    /// The operating system refused.
    #[error("{0}; check that the folder exists and the disk has room")]
    Disk(#[from] io::Error),
    /// The bytes are not the ones that were asked for.
    #[error(transparent)]
    WrongDigest(Box<WrongDigest>),
    /// The bytes are not safetensors.
    #[error("not a safetensors file: {0}")]
    Format(#[from] SafeTensorError),
    /// The header document is absent or of other fields.
    #[error("not a file of Spillway's, or of an incompatible version: {0}")]
    Header(String),
    /// A tensor's element type is not one that these files have.
    #[error("tensor {name} has element type {found}, which these files never hold")]
    ElementType {
        /// The tensor.
        name: String,
        /// Its element type.
        found: String,
    },
}

/// Writes tensors and their header document to `path`: to a neighbour first, made durable, then renamed.
///
/// The same header and tensors give the same bytes.
pub(crate) fn write(
    path: &Path,
    header: &impl Serialize,
    tensors: &[(String, Tensor)],
) -> Result<SavedFile, FileError> {
    let header = serde_json::to_string(header).map_err(|error| FileError::Header(error.to_string()))?;
    let metadata = HashMap::from([(HEADER_KEY.to_owned(), header)]);
    let views = tensors.iter().map(|(name, tensor)| Ok((name, Stored::new(name, tensor)?)));
    let bytes = serialize(views.collect::<Result<Vec<_>, FileError>>()?, Some(metadata))?;

    let partial = path.with_extension("partial");
    let mut file = File::create(&partial)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    // The name is in the folder's own data: without this a power cut can lose it.
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(SavedFile { path: path.to_owned(), digest: Digest::of(&bytes), bytes: bytes.len() as u64 })
}

/// Reads the header document and the tensors of a file, checking its digest when one is expected.
pub(crate) fn read<H: DeserializeOwned>(
    path: &Path,
    expected: Option<Digest>,
) -> Result<(H, Vec<(String, Tensor)>), FileError> {
    let bytes = fs::read(path)?;
    if let Some(expected) = expected {
        let found = Digest::of(&bytes);
        if found != expected {
            let wrong = WrongDigest { path: path.to_owned(), expected, found, bytes: bytes.len() };
            return Err(FileError::WrongDigest(Box::new(wrong)));
        }
    }
    let (_, metadata) = SafeTensors::read_metadata(&bytes)?;
    let header = metadata.metadata().as_ref().and_then(|pairs| pairs.get(HEADER_KEY));
    let header = header.ok_or_else(|| FileError::Header(format!("its metadata has no {HEADER_KEY:?}")))?;
    let header = serde_json::from_str(header).map_err(|error| FileError::Header(error.to_string()))?;

    let file = SafeTensors::deserialize(&bytes)?;
    let mut tensors = Vec::with_capacity(file.len());
    for (name, view) in file.iter() {
        let kind = kind_of(view.dtype())
            .ok_or_else(|| FileError::ElementType { name: name.to_owned(), found: view.dtype().to_string() })?;
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        tensors.push((name.to_owned(), Tensor::from_data_size(view.data(), &shape, kind)));
    }
    Ok((header, tensors))
}

fn kind_of(dtype: Dtype) -> Option<Kind> {
    match dtype {
        Dtype::F32 => Some(Kind::Float),
        Dtype::F64 => Some(Kind::Double),
        Dtype::I64 => Some(Kind::Int64),
        _ => None,
    }
}

/// A tensor on its way into a file.
struct Stored {
    tensor: Tensor,
    dtype: Dtype,
    shape: Vec<usize>,
}

impl Stored {
    fn new(name: &str, tensor: &Tensor) -> Result<Self, FileError> {
        let dtype = match tensor.kind() {
            Kind::Float => Dtype::F32,
            Kind::Double => Dtype::F64,
            Kind::Int64 => Dtype::I64,
            other => return Err(FileError::ElementType { name: name.to_owned(), found: format!("{other:?}") }),
        };
        let shape = tensor.size().iter().map(|&size| size as usize).collect();
        Ok(Self { tensor: tensor.detach().to_device(tch::Device::Cpu).contiguous(), dtype, shape })
    }
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = vec![0; self.data_len()];
        self.tensor.copy_data_u8(&mut bytes, self.tensor.numel());
        Cow::Owned(bytes)
    }

    fn data_len(&self) -> usize {
        self.tensor.numel() * self.dtype.bitsize() / 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors() -> Vec<(String, Tensor)> {
        vec![
            ("weights".to_owned(), Tensor::from_slice(&[1.5_f32, -2.0, f32::MIN_POSITIVE]).view([3, 1])),
            ("steps".to_owned(), Tensor::from(7_i64)),
            ("sums".to_owned(), Tensor::from_slice(&[0.1_f64])),
        ]
    }

    fn written() -> (tempfile::TempDir, SavedFile) {
        let folder = tempfile::tempdir().unwrap();
        let saved = write(&folder.path().join("a.safetensors"), &("header", 0.1_f64), &tensors()).unwrap();
        (folder, saved)
    }

    #[test]
    fn tensors_and_header_are_read_back() {
        let (_folder, saved) = written();

        let (header, mut read) = read::<(String, f64)>(&saved.path, Some(saved.digest)).unwrap();

        assert_eq!(header, ("header".to_owned(), 0.1));
        let mut expected = tensors();
        read.sort_by(|a, b| a.0.cmp(&b.0));
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(read.len(), expected.len());
        for ((name, tensor), (expected_name, expected)) in read.iter().zip(&expected) {
            assert_eq!((name, tensor.size(), tensor.kind()), (expected_name, expected.size(), expected.kind()));
            assert!(tensor.equal(expected), "{name}");
        }
    }

    #[test]
    fn equal_contents_have_equal_bytes_and_no_partial_file_stays() {
        let (folder, first) = written();
        let (_other, second) = written();

        assert_eq!(first.digest, second.digest);
        assert_eq!(fs::metadata(&first.path).unwrap().len(), first.bytes);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn wrong_digest_is_refused_with_file_both_digests_and_remedy() {
        let (_folder, saved) = written();
        let other = Digest::of(b"something else");

        let refusal = read::<(String, f64)>(&saved.path, Some(other)).unwrap_err().to_string();

        let (path, other, found) = (saved.path.display().to_string(), other.to_string(), saved.digest.to_string());
        for part in [&path, &other, &found, "fetch it again from the artifact store", "new sweep name"] {
            assert!(refusal.contains(part), "no {part:?} in {refusal}");
        }
    }

    #[test]
    fn truncated_file_is_refused_with_and_without_a_digest() {
        let (_folder, saved) = written();
        let bytes = fs::read(&saved.path).unwrap();

        for length in [0, 4, 20, bytes.len() - 1] {
            fs::write(&saved.path, &bytes[..length]).unwrap();

            let refusal = read::<(String, f64)>(&saved.path, Some(saved.digest)).unwrap_err();
            assert!(matches!(refusal, FileError::WrongDigest(_)), "{length}: {refusal}");
            let refusal = read::<(String, f64)>(&saved.path, None).unwrap_err();
            assert!(matches!(refusal, FileError::Format(_)), "{length}: {refusal}");
        }
    }

    #[test]
    fn foreign_header_is_refused() {
        let (_folder, saved) = written();

        let refusal = read::<u64>(&saved.path, None).unwrap_err();

        assert!(matches!(refusal, FileError::Header(_)), "{refusal}");
    }
}
