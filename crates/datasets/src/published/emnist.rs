//! EMNIST: IDX files in one archive, or extracted from it. The pictures lie on their side; examples stand upright.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::Loaded;
use super::container::Container;
use super::error::PublishedError;
use crate::catalogue::EmnistPart;
use crate::examples::Split;
use crate::idx::{self, IdxProblem};

const SIDE: usize = 28;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The name of a file without `.gz`; `kind` is `images-idx3` or `labels-idx1`.
pub fn file_name(part: EmnistPart, split: Split, kind: &str) -> String {
    format!("emnist-{}-{split}-{kind}-ubyte", part.as_str())
}

/// Reads the first `count` of the `known` pictures of a split from the archive, or from the file of pictures and, if it is
/// there, that of labels beside it.
pub fn read(path: &Path, part: EmnistPart, split: Split, known: usize, count: usize) -> Result<Loaded, PublishedError> {
    let mut pixels = PublishedError::reserve(count * SIDE * SIDE)?;
    let mut labels = Vec::new();
    let mut read_images = |name: &str, reader: &mut dyn BufRead| {
        read_idx(name, reader, &[known, SIDE, SIDE], count * SIDE * SIDE, &mut pixels)
    };
    let mut read_labels = |name: &str, reader: &mut dyn BufRead| read_idx(name, reader, &[known], count, &mut labels);
    let [images_name, labels_name] = ["images-idx3", "labels-idx1"].map(|kind| file_name(part, split, kind));
    let has_labels = if path.extension().is_some_and(|extension| extension == "zip") {
        let archive = Container::open(path)?;
        let find = |name: &str| archive.find(&format!("{name}.gz")).or_else(|_| archive.find(name));
        archive.read_each(&[find(&images_name)?, find(&labels_name)?], &mut |position, name, reader| {
            let mut reader = BufReader::new(reader);
            if position == 0 { read_images(name, &mut reader) } else { read_labels(name, &mut reader) }
        })?;
        true
    } else {
        let open = |path: &Path| File::open(path).map(|file| BufReader::with_capacity(1 << 16, file));
        read_images(&images_name, &mut open(path).map_err(PublishedError::Io)?)?;
        let beside = [format!("{labels_name}.gz"), labels_name.clone()].map(|name| path.with_file_name(name));
        match beside.iter().find(|path| path.is_file()) {
            Some(labels) => {
                read_labels(&labels_name, &mut open(labels).map_err(PublishedError::Io)?)?;
                true
            }
            None => false,
        }
    };
    pixels.chunks_exact_mut(SIDE * SIDE).for_each(transpose);
    let labels = has_labels.then(|| renumber(&labels, part)).transpose()?;
    Ok(Loaded { pixels, labels, left_out: Vec::new(), is_stepped: false })
}

fn read_idx(
    name: &str,
    reader: &mut dyn BufRead,
    dimensions: &[usize],
    keep: usize,
    values: &mut Vec<u8>,
) -> Result<(), PublishedError> {
    let is_compressed = reader.fill_buf().map_err(|error| PublishedError::in_member(name, error))?;
    let read = if is_compressed.starts_with(&GZIP_MAGIC) {
        idx::read(&mut MultiGzDecoder::new(reader), dimensions, keep, values)
    } else {
        idx::read(&mut reader.take(u64::MAX), dimensions, keep, values)
    };
    read.map_err(|problem| match problem {
        IdxProblem::Io(error) => PublishedError::in_member(name, error),
        IdxProblem::Format(problem) => PublishedError::member(name, format!("is not the file it should be: {problem}")),
    })
}

/// Exchanges rows and columns of one picture.
fn transpose(picture: &mut [u8]) {
    for row in 0..SIDE {
        for column in 0..row {
            picture.swap(row * SIDE + column, column * SIDE + row);
        }
    }
}

/// Labels from 0: those of the letters begin at 1.
fn renumber(labels: &[u8], part: EmnistPart) -> Result<Vec<u32>, PublishedError> {
    let first = part.first_label();
    let renumbered = labels.iter().map(|&label| {
        label.checked_sub(first).map(u32::from).ok_or_else(|| {
            PublishedError::damaged(format!(
                "it has the label {label}, and labels of {} begin at {first}",
                part.as_str()
            ))
        })
    });
    renumbered.collect()
}
