//! What a user's own files are: their splits, and a digest that two machines can compare.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use catalogue::OwnFiles;
use sha2::{Digest, Sha256};

use super::error::OwnError;
use super::place::{Part, Place};
use crate::error::LoadError;
use crate::examples::Split;
use crate::location::DataDirectory;

/// Size of the pieces in which a file is read, in bytes.
const CHUNK_BYTES: usize = 1 << 18;

/// What lies at the path of a user's own files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnContents {
    /// The splits that there are, train first.
    pub parts: Vec<OwnPart>,
    /// SHA-256, in hexadecimal, over names and bytes of all files that are read. Equal digests are equal examples.
    pub sha256: String,
}

/// One split of a user's own files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPart {
    /// Which one.
    pub split: Split,
    /// The files it is read from.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Names of the classes by label, of a folder of pictures with class folders.
    pub classes: Vec<String>,
    /// Files that lie there and are left out, since they are no pictures.
    pub others: usize,
    /// The first ones of them.
    pub first_others: Vec<String>,
}

/// Looks at a user's own files, and reads them all for their digest.
///
/// # Errors
/// [`LoadError`], naming the file and the remedy.
pub fn own_contents(directory: &DataDirectory, files: &OwnFiles) -> Result<OwnContents, LoadError> {
    let place = Place::find(directory, files)?;
    let root = directory.root().join(files.path());
    let mut parts = Vec::new();
    // By the name below the place: the order does not depend on the disk's.
    let mut read: BTreeMap<String, PathBuf> = BTreeMap::new();
    for split in [Split::Train, Split::Test] {
        let part = match place.part(split) {
            Ok(part) => part,
            Err(LoadError::Own(OwnError::NoSplit { .. })) => continue,
            Err(problem) => return Err(problem),
        };
        let (paths, classes, others) = match part {
            Part::File { path, .. } => (vec![path], Vec::new(), Default::default()),
            Part::Pictures(pictures) => {
                let paths: Vec<PathBuf> = pictures.files.into_iter().map(|file| file.path).collect();
                (paths, pictures.classes, pictures.others)
            }
        };
        let bytes = paths.iter().map(|path| size(path)).sum::<Result<u64, LoadError>>()?;
        parts.push(OwnPart {
            split,
            files: paths.len(),
            bytes,
            classes,
            others: others.count,
            first_others: others.names,
        });
        // A file alone has the name of its split, so that the digest does not depend on what the dataset is called.
        let name = |path: &Path| match path.strip_prefix(&root) {
            Ok(below) if !below.as_os_str().is_empty() => below.display().to_string(),
            _ => split.to_string(),
        };
        read.extend(paths.into_iter().map(|path| (name(&path), path)));
    }
    let mut hasher = Sha256::new();
    for (name, path) in &read {
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
        hasher.update(size(path)?.to_le_bytes());
        hash_file(path, &mut hasher).map_err(|source| LoadError::Unreadable { path: path.clone(), source })?;
    }
    Ok(OwnContents { parts, sha256: hex::encode(hasher.finalize()) })
}

fn size(path: &Path) -> Result<u64, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    Ok(std::fs::metadata(path).map_err(unreadable)?.len())
}

fn hash_file(path: &Path, hasher: &mut Sha256) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(()),
            read => hasher.update(&chunk[..read]),
        }
    }
}
