//! An archive or the folder that it extracts to: the same names, in the same order, with the same bytes.
//!
//! Nothing is extracted, and no name of an archive becomes a path. Files are read one at a time.

mod folder;
mod tar;
mod zip;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::PublishedError;

/// Most files of a dataset: ImageNet has 1.3 million.
const MAX_MEMBERS: usize = 1 << 21;
/// Most bytes of all names together, and of one.
const MAX_NAMES_BYTES: usize = 1 << 28;
const MAX_NAME_BYTES: usize = 4096;

/// Files with names.
#[derive(Debug)]
pub struct Container {
    path: PathBuf,
    kind: Kind,
    members: Vec<Member>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    Zip,
    /// Plain or gzip.
    Tar,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its path, parts joined by `/`; it begins with the name of the folder that an archive extracts to.
    pub name: String,
    /// Its index in the archive.
    place: usize,
}

impl Member {
    /// The parts of its path.
    pub fn parts(&self) -> Vec<&str> {
        self.name.split('/').collect()
    }

    /// The last part of its path.
    pub fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    /// Says whether its name is that of a picture.
    pub fn is_picture(&self) -> bool {
        let ending = self.name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        matches!(ending.as_str(), "png" | "jpg" | "jpeg")
    }
}

/// What is read of one file: its position among the wanted ones, its name and its bytes.
pub type Visit<'a> = dyn FnMut(usize, &str, &mut dyn Read) -> Result<(), PublishedError> + 'a;

impl Container {
    /// Lists the files of a folder, a zip or a tar archive, told apart by their first bytes, sorted by name. Hidden files
    /// and the ones that a Mac adds are left out.
    pub fn open(path: &Path) -> Result<Self, PublishedError> {
        let mut listing = Listing::default();
        let kind = if path.is_dir() {
            folder::list(path, &mut listing)?;
            Kind::Folder
        } else if starts_as_zip(path)? {
            zip::list(path, &mut listing)?;
            Kind::Zip
        } else {
            tar::list(path, &mut listing)?;
            Kind::Tar
        };
        let mut members = listing.members;
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { path: path.to_owned(), kind, members })
    }

    /// Every file, sorted by name.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The index of the first file with this name, whatever the folders before it.
    pub fn find(&self, file_name: &str) -> Result<usize, PublishedError> {
        let found = self.members.iter().position(|member| member.file_name() == file_name);
        found.ok_or_else(|| PublishedError::Lacks { member: file_name.to_owned() })
    }

    /// Reads files, given by their indices, in the order that suits the container.
    pub fn read_each(&self, wanted: &[usize], visit: &mut Visit<'_>) -> Result<(), PublishedError> {
        let wanted: Vec<&Member> = wanted.iter().map(|&member| &self.members[member]).collect();
        match self.kind {
            Kind::Folder => folder::read_each(&self.path, &wanted, visit),
            Kind::Zip => zip::read_each(&self.path, &wanted, visit),
            Kind::Tar => tar::read_each(&self.path, &wanted, visit),
        }
    }

    /// Reads a small file whole.
    pub fn read(&self, member: usize, most_bytes: u64) -> Result<Vec<u8>, PublishedError> {
        let mut bytes = Vec::new();
        self.read_each(&[member], &mut |_, name, reader| {
            bytes = read_bounded(name, reader, most_bytes)?;
            Ok(())
        })?;
        Ok(bytes)
    }
}

/// Reads a file of an archive whole; what it states of its size is not trusted.
pub fn read_bounded(name: &str, reader: &mut dyn Read, most_bytes: u64) -> Result<Vec<u8>, PublishedError> {
    let mut bytes = Vec::new();
    let read = reader.take(most_bytes + 1).read_to_end(&mut bytes);
    read.map_err(|error| PublishedError::in_member(name, error))?;
    if bytes.len() as u64 > most_bytes {
        return Err(PublishedError::member(name, format!("is longer than {most_bytes} bytes")));
    }
    Ok(bytes)
}

fn starts_as_zip(path: &Path) -> Result<bool, PublishedError> {
    let mut start = [0; 2];
    let mut file = File::open(path).map_err(PublishedError::Io)?;
    let count = crate::idx::fill(&mut file, &mut start).map_err(PublishedError::Io)?;
    Ok(start[..count] == *b"PK")
}

/// A growing list of files, bounded.
#[derive(Debug, Default)]
struct Listing {
    members: Vec<Member>,
    names_bytes: usize,
}

impl Listing {
    fn add(&mut self, name: &str, place: usize) -> Result<(), PublishedError> {
        let name = name.strip_prefix("./").unwrap_or(name);
        let is_hidden = |part: &str| part.is_empty() || part.starts_with('.') || part == "__MACOSX";
        if name.split('/').any(is_hidden) {
            return Ok(());
        }
        self.names_bytes += name.len();
        if name.len() > MAX_NAME_BYTES || self.names_bytes > MAX_NAMES_BYTES || self.members.len() == MAX_MEMBERS {
            return Err(PublishedError::TooMany { most: MAX_MEMBERS });
        }
        self.members.push(Member { name: name.to_owned(), place });
        Ok(())
    }
}
