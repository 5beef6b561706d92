//! ImageNet downsampled: `npz` files with `data`, bytes `[n, 3 · side²]` in planes, and `labels` from 1; as they are, or in
//! the publisher's zip archives.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;

use zip::ZipArchive;
use zip::read::read_zipfile_from_stream;

use super::Loaded;
use super::container::Container;
use super::error::PublishedError;
use crate::arrays::{ArrayError, Element, integers, read_header};

/// Classes of ImageNet; their numbers in the files begin at 1.
const CLASSES: i64 = 1000;

/// One `npz` file of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batch {
    /// A file.
    File(PathBuf),
    /// A file in an archive.
    Packed(PathBuf, String),
}

/// Reads the first `count` of the `known` pictures of a split from its files, one after the other; with a count of 0, every
/// file whole, and keeps nothing.
pub fn read(
    batches: &[Batch],
    known: usize,
    count: usize,
    dimensions: usize,
) -> Result<Loaded, (PathBuf, PublishedError)> {
    let path_of = |batch: &Batch| match batch {
        Batch::File(path) | Batch::Packed(path, _) => path.clone(),
    };
    let first = batches.first().map(path_of).unwrap_or_default();
    let pixels = PublishedError::reserve(count * dimensions).map_err(|problem| (first.clone(), problem))?;
    let mut reading = Reading { pixels, labels: Vec::new(), found: 0, known, count, dimensions };
    for batch in batches {
        if count > 0 && reading.found >= count {
            break;
        }
        reading.batch(batch).map_err(|problem| (path_of(batch), problem))?;
    }
    let Reading { pixels, mut labels, found, .. } = reading;
    if count == known || count == 0 {
        let last = batches.last().map(path_of).unwrap_or(first);
        PublishedError::check_count("pictures", found, known).map_err(|problem| (last, problem))?;
    }
    labels.truncate(count);
    Ok(Loaded { pixels, labels: Some(labels), left_out: Vec::new(), is_stepped: false })
}

/// Finds a batch by its file's name: as a file of the folder, or of one that an archive extracts to, else in an archive.
pub fn find(
    folders: &[PathBuf],
    archives: &[&str],
    file_name: &str,
) -> Result<Option<Batch>, (PathBuf, PublishedError)> {
    for folder in folders {
        let extracted = archives.iter().map(|archive| folder.join(archive.trim_end_matches(".zip")));
        let mut places = std::iter::once(folder.clone()).chain(extracted).map(|place| place.join(file_name));
        if let Some(path) = places.find(|path| path.is_file()) {
            return Ok(Some(Batch::File(path)));
        }
        for archive in archives.iter().map(|name| folder.join(name)).filter(|path| path.is_file()) {
            let listing = Container::open(&archive).map_err(|problem| (archive.clone(), problem))?;
            if listing.find(file_name).is_ok() {
                return Ok(Some(Batch::Packed(archive, file_name.to_owned())));
            }
        }
    }
    Ok(None)
}

struct Reading {
    pixels: Vec<u8>,
    labels: Vec<u32>,
    /// Pictures of all files so far, those over the limit among them.
    found: usize,
    known: usize,
    count: usize,
    dimensions: usize,
}

impl Reading {
    fn batch(&mut self, batch: &Batch) -> Result<(), PublishedError> {
        match batch {
            Batch::File(path) => {
                let file = File::open(path).map_err(PublishedError::Io)?;
                // The list of files stands at the end, and is missed in a stream.
                let listed = ZipArchive::new(BufReader::new(&file));
                listed.map_err(|problem| PublishedError::damaged(problem.to_string()))?;
                let file = File::open(path).map_err(PublishedError::Io)?;
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                self.npz(&name, &mut BufReader::with_capacity(1 << 18, file))
            }
            Batch::Packed(archive, file_name) => {
                let container = Container::open(archive)?;
                let member = container.find(file_name)?;
                container.read_each(&[member], &mut |_, name, reader| self.npz(name, reader))
            }
        }
    }

    /// Reads the arrays of one file in the order in which it has them: a file within an archive cannot be read otherwise.
    fn npz(&mut self, name: &str, mut reader: &mut dyn Read) -> Result<(), PublishedError> {
        let (mut pictures, mut labels) = (None, None);
        let damaged = |problem: ArrayError| PublishedError::member(name, format!("cannot be used: {problem}"));
        loop {
            let next = read_zipfile_from_stream(&mut reader);
            let Some(mut array) = next.map_err(|error| PublishedError::member(name, format!("is damaged: {error}")))?
            else {
                break;
            };
            let array_name = array.name().map(|name| name.into_owned()).unwrap_or_default();
            match array_name.as_str() {
                "data.npy" if pictures.is_none() => pictures = Some(self.pictures(name, &mut array)?),
                "labels.npy" if labels.is_none() => {
                    let header = read_header(&mut array).map_err(damaged)?;
                    labels = Some(integers(&header, &mut array, self.known).map_err(damaged)?);
                }
                _ => {}
            }
            // The checksum is compared at the end.
            std::io::copy(&mut array, &mut std::io::sink()).map_err(|error| PublishedError::in_member(name, error))?;
        }
        let lacks = |array: &str| PublishedError::Lacks { member: format!("{name}/{array}.npy") };
        let (pictures, labels) = (pictures.ok_or_else(|| lacks("data"))?, labels.ok_or_else(|| lacks("labels"))?);
        if labels.len() != pictures {
            let problem = format!("has {} labels for {pictures} pictures", labels.len());
            return Err(PublishedError::member(name, problem));
        }
        for label in labels {
            if !(1..=CLASSES).contains(&label) {
                let problem = format!("has the label {label}, and 1 to {CLASSES} are expected");
                return Err(PublishedError::member(name, problem));
            }
            self.labels.push((label - 1) as u32);
        }
        Ok(())
    }

    /// Reads the pictures of one file, and says how many it has.
    fn pictures(&mut self, name: &str, reader: &mut dyn Read) -> Result<usize, PublishedError> {
        let refuse = |problem: String| PublishedError::member(name, problem);
        let header = read_header(reader).map_err(|problem| refuse(format!("cannot be used: {problem}")))?;
        let found = match header.dimensions[..] {
            [found, dimensions] if dimensions == self.dimensions && header.element == Element::Byte => found,
            _ => {
                let (element, shape, dimensions) = (&header.element, &header.dimensions, self.dimensions);
                return Err(refuse(format!("has data {element} {shape:?}, and uint8 [n, {dimensions}] is expected")));
            }
        };
        let before = self.found;
        self.found = before.saturating_add(found);
        if self.found > self.known {
            return Err(PublishedError::Count { what: "pictures", found: self.found, expected: self.known });
        }
        let mut picture = vec![0; self.dimensions];
        for _ in 0..found.min(self.count.saturating_sub(before)) {
            reader.read_exact(&mut picture).map_err(|error| PublishedError::in_member(name, error))?;
            self.pixels.extend_from_slice(&picture);
        }
        if self.found <= self.count {
            match crate::idx::fill(reader, &mut [0]).map_err(|error| PublishedError::in_member(name, error))? {
                0 => {}
                _ => return Err(refuse("has data after its last picture".to_owned())),
            }
        }
        Ok(found)
    }
}
