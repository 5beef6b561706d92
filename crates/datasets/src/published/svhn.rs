//! Street view house numbers: a MAT-file with `X`, `[32, 32, 3, n]` with the first index running fastest, and `y`, in which
//! the digit 0 is written 10.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use catalogue::{Filter, Size};

use super::Loaded;
use super::error::PublishedError;
use super::mat5::{self, Array, Stored};
use crate::transform::Resizer;

const SIDE: usize = 32;
const CHANNELS: usize = 3;
/// Largest number of a label in the file; it stands for the digit 0.
const ZERO: u32 = 10;

/// Reads the first `count` of the `known` pictures of a file, resized (bilinear) if their side is another one.
pub fn read(path: &Path, known: usize, count: usize, side: usize) -> Result<Loaded, PublishedError> {
    let file = File::open(path).map_err(PublishedError::Io)?;
    let (mut pixels, mut labels) = (None, None);
    mat5::read(&mut BufReader::with_capacity(1 << 18, file), &mut |array, numbers| {
        match array.name.as_str() {
            "X" if pixels.is_none() => pixels = Some(pictures(array, numbers, known, count, side)?),
            "y" if labels.is_none() => labels = Some(digits(array, numbers, known)?),
            _ => {}
        }
        Ok(())
    })?;
    let pixels = pixels.ok_or_else(|| PublishedError::Lacks { member: "X (the pictures)".to_owned() })?;
    let mut labels = labels.ok_or_else(|| PublishedError::Lacks { member: "y (the digits)".to_owned() })?;
    labels.truncate(count);
    Ok(Loaded { pixels, labels: Some(labels), left_out: Vec::new(), is_stepped: false })
}

fn pictures(
    array: &Array,
    numbers: &mut dyn Read,
    known: usize,
    count: usize,
    side: usize,
) -> Result<Vec<u8>, PublishedError> {
    let found = match array.dimensions[..] {
        [SIDE, SIDE, CHANNELS, found] => found,
        // A single picture has no fourth dimension.
        [SIDE, SIDE, CHANNELS] => 1,
        _ => {
            let problem = format!("its array X has the shape {:?}, and [32, 32, 3, n] is expected", array.dimensions);
            return Err(PublishedError::damaged(problem));
        }
    };
    if array.stored != Stored::Bytes {
        return Err(PublishedError::damaged("its array X is not of bytes"));
    }
    PublishedError::check_count("pictures", found, known)?;
    let mut pixels = PublishedError::reserve(count * CHANNELS * side * side)?;
    let mut column_major = vec![0; CHANNELS * SIDE * SIDE];
    let mut picture = vec![0; CHANNELS * SIDE * SIDE];
    let size = Size { height: side as u32, width: side as u32 };
    let mut resizer = (side != SIDE).then(|| Resizer::new([CHANNELS, SIDE, SIDE], size, Filter::Bilinear));
    for _ in 0..count.min(found) {
        numbers.read_exact(&mut column_major).map_err(PublishedError::of_reading)?;
        // Row, then column, then channel run fastest: [c, w, h] becomes [c, h, w].
        for (planes, columns) in picture.chunks_exact_mut(SIDE * SIDE).zip(column_major.chunks_exact(SIDE * SIDE)) {
            for (place, level) in planes.iter_mut().enumerate() {
                let (row, column) = (place / SIDE, place % SIDE);
                *level = columns[column * SIDE + row];
            }
        }
        match &mut resizer {
            Some(resizer) => resizer.append(&picture, &mut pixels),
            None => pixels.extend_from_slice(&picture),
        }
    }
    Ok(pixels)
}

fn digits(array: &Array, numbers: &mut dyn Read, known: usize) -> Result<Vec<u32>, PublishedError> {
    PublishedError::check_count("labels", array.len(), known)?;
    let element_bytes = match array.stored {
        Stored::Bytes => 1,
        Stored::Doubles => 8,
        Stored::Other(kind) => {
            return Err(PublishedError::damaged(format!("its array y is of type {kind}, and bytes are expected")));
        }
    };
    let mut element = vec![0; element_bytes];
    let mut labels = Vec::with_capacity(known);
    for index in 0..known {
        numbers.read_exact(&mut element).map_err(PublishedError::of_reading)?;
        let value = match element[..] {
            [byte] => f64::from(byte),
            [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => f64::NAN,
        };
        let digit = (1..=ZERO).find(|&digit| f64::from(digit) == value).ok_or_else(|| {
            PublishedError::damaged(format!("its label {index} (from 0) is {value}, and 1 to {ZERO} are expected"))
        })?;
        labels.push(digit % ZERO);
    }
    Ok(labels)
}
