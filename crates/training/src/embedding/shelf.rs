//! Embeddings that are kept in the data directory, where every worker of a machine finds them: files named by what they depend
//! on, written whole or not at all, verified when they are read, least recently used out first.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use checkpoints::HEADER_KEY;
use datasets::DataDirectory;
use domain::Digest;
use serde::{Deserialize, Serialize};
use tracing::debug;

/// The folder in the data directory.
const FOLDER: &str = ".embeddings";
/// Most bytes of all that is kept.
const CAPACITY: u64 = 1 << 35;
const ENDING: &str = "safetensors";
const SINGLE: &str = "F32";
/// Longest header of a file, in bytes.
const MAX_HEADER: u64 = 1 << 16;
/// Values that are written, read and digested together: embeddings are large, and shall not be there twice.
const CHUNK: usize = 1 << 16;

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

/// The header that safetensors asks for.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<String, String>,
    embeddings: Layout,
}

/// Where the values lie after the header.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Layout {
    dtype: String,
    shape: [usize; 2],
    data_offsets: [u64; 2],
}

/// What is ours in it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    key: String,
    stored: Stored,
    /// SHA-256 over the SHA-256 of each chunk of the values.
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
    pub fn put(&self, key: Digest, stored: &Stored, values: &[f32]) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(&self.folder)?;
        let bytes = size_of_val(values) as u64;
        if bytes > CAPACITY {
            return Ok(());
        }
        self.make_room(CAPACITY - bytes)?;
        let header = Header { key: key.to_string(), stored: stored.clone(), values: digest(values) };
        // Another worker may write the same: each has a file of its own, and the last one to be named stays.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let own = self.folder.join(format!("{key}-{}-{number}.{ENDING}", std::process::id()));
        let named = write(&own, &header, values).and_then(|()| fs::rename(&own, self.path(key)));
        if named.is_err() {
            let _removed = fs::remove_file(&own);
        }
        named
    }

    fn path(&self, key: Digest) -> PathBuf {
        self.folder.join(format!("{key}.{ENDING}"))
    }

    /// Removes what was used longest ago, until at most `bytes` are left; also what a killed worker left.
    fn make_room(&self, bytes: u64) -> io::Result<()> {
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

fn write(path: &Path, header: &Header, values: &[f32]) -> io::Result<()> {
    let metadata = BTreeMap::from([(HEADER_KEY.to_owned(), serde_json::to_string(header)?)]);
    let layout = layout(header.stored.sizes);
    let mut document = serde_json::to_string(&Document { metadata, embeddings: layout })?;
    // The format asks that values begin at a multiple of eight bytes.
    document.extend(std::iter::repeat_n(' ', document.len().next_multiple_of(8) - document.len()));
    let mut file = BufWriter::new(File::create_new(path)?);
    file.write_all(&(document.len() as u64).to_le_bytes())?;
    file.write_all(document.as_bytes())?;
    values.chunks(CHUNK).try_for_each(|chunk| file.write_all(&little_endian(chunk)))?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

fn layout([images, features]: [usize; 2]) -> Layout {
    let bytes = (images as u64).saturating_mul(features as u64).saturating_mul(size_of::<f32>() as u64);
    Layout { dtype: SINGLE.to_owned(), shape: [images, features], data_offsets: [0, bytes] }
}

fn read(path: &Path, key: Digest, sizes: [usize; 2]) -> Result<Vec<f32>, String> {
    let in_words = |error: io::Error| error.to_string();
    let file = File::open(path).map_err(in_words)?;
    let bytes = file.metadata().map_err(in_words)?.len();
    let mut file = BufReader::new(file);
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(in_words)?;
    let length = u64::from_le_bytes(length);
    let layout = layout(sizes);
    if length > MAX_HEADER || layout.data_offsets[1].checked_add(8 + length) != Some(bytes) {
        return Err("they are of another length".to_owned());
    }
    let mut document = vec![0; length as usize];
    file.read_exact(&mut document).map_err(in_words)?;
    let document: Document = serde_json::from_slice(&document).map_err(|error| error.to_string())?;
    let header = document.metadata.get(HEADER_KEY).ok_or("they have no header")?;
    let header: Header = serde_json::from_str(header).map_err(|error| error.to_string())?;
    if header.key != key.to_string() || document.embeddings != layout {
        return Err("they are others".to_owned());
    }
    let [images, features] = sizes;
    let mut values = Vec::new();
    values.try_reserve_exact(images.saturating_mul(features)).map_err(|error| error.to_string())?;
    let mut chunk = vec![0; CHUNK * size_of::<f32>()];
    while values.len() < images * features {
        let now = CHUNK.min(images * features - values.len()) * size_of::<f32>();
        file.read_exact(&mut chunk[..now]).map_err(in_words)?;
        values.extend(chunk[..now].as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)));
    }
    if digest(&values) != header.values {
        return Err("their digest is another".to_owned());
    }
    Ok(values)
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn digest(values: &[f32]) -> String {
    let parts: String = values.chunks(CHUNK).map(|chunk| Digest::of(&little_endian(chunk)).to_string()).collect();
    Digest::of(parts.as_bytes()).to_string()
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

        let bytes = fs::read(shelf.path(keys[0])).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!((used, tensors.tensor("embeddings").unwrap().shape()), (Some(vec![1.0, 2.0]), &[2, 1][..]));
        assert_eq!(keys.map(|key| shelf.path(key).is_file()), [true, false, true]);
        assert_eq!(shelf.find(keys[2], [1, 2]), None, "another shape is another thing");
    }
}
