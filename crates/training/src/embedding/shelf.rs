//! Embeddings that are kept in the data directory, where every worker of a machine finds them: files named by what they depend
//! on, written whole or not at all, verified when they are read, least recently used out first.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use datasets::DataDirectory;
use domain::Digest;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tracing::debug;

use crate::tensor_file::{self, FileError};

/// The folder in the data directory.
const FOLDER: &str = ".embeddings";
/// Most bytes of all that is kept.
const CAPACITY: u64 = 1 << 35;
const ENDING: &str = "safetensors";
const TENSOR: &str = "embeddings";

/// What is kept.
pub struct Shelf {
    folder: PathBuf,
}

/// What a file says about its embeddings, for people who find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The dataset.
    pub dataset: String,
    /// The split.
    pub split: String,
    /// Images and features.
    pub sizes: [usize; 2],
}

/// The header of a file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    key: String,
    stored: Stored,
    /// SHA-256 of the values, little-endian.
    values: String,
}

impl Shelf {
    /// The shelf of a data directory.
    pub fn open(data: &DataDirectory) -> Self {
        Self { folder: data.root().join(FOLDER) }
    }

    /// The embeddings of a key, if they are there and sound.
    pub fn find(&self, key: Digest, sizes: [usize; 2]) -> Option<Vec<f32>> {
        let path = self.path(key);
        if !path.is_file() {
            return None;
        }
        match read(&path, key, sizes) {
            Ok(values) => {
                // So that what is used is not what goes first. That it cannot be noted is no failure.
                let noted =
                    File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
                if let Err(error) = noted {
                    debug!(path = %path.display(), %error, "use of embeddings was not noted");
                }
                Some(values)
            }
            Err(problem) => {
                debug!(path = %path.display(), problem, "kept embeddings cannot be used");
                None
            }
        }
    }

    /// Keeps embeddings.
    pub fn put(&self, key: Digest, stored: &Stored, values: &[f32]) -> Result<(), FileError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(&self.folder)?;
        let bytes = size_of_val(values) as u64;
        if bytes > CAPACITY {
            return Ok(());
        }
        self.make_room(CAPACITY - bytes)?;
        let header = Header { key: key.to_string(), stored: stored.clone(), values: digest(values).to_string() };
        let [images, features] = stored.sizes.map(|size| size as i64);
        let tensor = Tensor::from_slice(values).view([images, features]);
        // Another worker may write the same: each has a file of its own, and the last one to be named stays.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let own = self.folder.join(format!("{key}-{}-{number}.{ENDING}", std::process::id()));
        let written = tensor_file::write(&own, &header, &[(TENSOR.to_owned(), tensor)]);
        let named = written.and_then(|_| Ok(fs::rename(&own, self.path(key))?));
        if named.is_err() {
            let _removed = fs::remove_file(&own);
            let _removed = fs::remove_file(own.with_extension("partial"));
        }
        named
    }

    fn path(&self, key: Digest) -> PathBuf {
        self.folder.join(format!("{key}.{ENDING}"))
    }

    /// Removes what was used longest ago, until at most `bytes` are left; also what a killed worker left.
    fn make_room(&self, bytes: u64) -> Result<(), FileError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // What another worker removes meanwhile is gone, as it shall be.
            if let Ok(found) = entry.metadata() {
                files.push((found.modified().unwrap_or(SystemTime::UNIX_EPOCH), found.len(), entry.path()));
            }
        }
        let mut kept: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        files.sort();
        for (_, size, path) in files {
            if kept <= bytes {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                kept -= size;
            }
        }
        Ok(())
    }
}

fn read(path: &Path, key: Digest, sizes: [usize; 2]) -> Result<Vec<f32>, String> {
    let (header, tensors) = tensor_file::read::<Header>(path, None).map_err(|error| error.to_string())?;
    let [(name, tensor)] = &tensors[..] else { return Err("another number of tensors".to_owned()) };
    let expected = sizes.map(|size| size as i64);
    if header.key != key.to_string() || name != TENSOR || tensor.size() != expected {
        return Err("they are others".to_owned());
    }
    let values = Vec::<f32>::try_from(tensor.view(-1)).map_err(|error| error.to_string())?;
    if digest(&values).to_string() != header.values {
        return Err("their digest is another".to_owned());
    }
    Ok(values)
}

fn digest(values: &[f32]) -> Digest {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Digest::of(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(&DataDirectory::at(folder.path()));
        let stored = Stored { dataset: "a".to_owned(), split: "test".to_owned(), sizes: [2, 1] };
        let keys = [b"1", b"2", b"3"].map(|name| Digest::of(name));
        for (age, key) in keys.iter().enumerate() {
            shelf.put(*key, &stored, &[1.0, 2.0]).unwrap();
            let file = File::options().append(true).open(shelf.path(*key)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(age as u64)).unwrap();
        }
        let size = fs::metadata(shelf.path(keys[0])).unwrap().len();

        let used = shelf.find(keys[0], [2, 1]);
        shelf.make_room(2 * size).unwrap();

        assert_eq!(used, Some(vec![1.0, 2.0]));
        assert_eq!(keys.map(|key| shelf.path(key).is_file()), [true, false, true]);
        assert_eq!(shelf.find(keys[2], [1, 2]), None, "another shape is another thing");
    }
}
