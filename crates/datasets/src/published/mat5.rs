//! Level 5 MAT-files, as far as images need them: arrays of numbers at the top level, compressed or not, passed on as a
//! stream. Structures, cells, sparse and complex arrays are refused.
//!
//! Format: MathWorks, MAT-File Format (R2016b), chapter 1.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::error::PublishedError;
use crate::idx::fill;

const HEADER_BYTES: usize = 128;
const MAX_RANK: usize = 8;
const MAX_NAME_BYTES: u32 = 256;
const COMPLEX: u32 = 0x0800;

/// Types of elements (table 1-1).
const INT8: u32 = 1;
const UINT8: u32 = 2;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const DOUBLE: u32 = 9;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
const UTF8: u32 = 16;

/// The classes of numeric arrays, double to unsigned 64-bit integers (table 1-3).
const NUMERIC_CLASSES: std::ops::RangeInclusive<u32> = 6..=15;

/// What is known of an array before its numbers are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// The variable's name.
    pub name: String,
    /// The first index runs fastest.
    pub dimensions: Vec<usize>,
    /// How its numbers are stored.
    pub stored: Stored,
}

/// How numbers are stored, whatever the class of their array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// A byte each.
    Bytes,
    /// Double precision each.
    Doubles,
    /// Another type, by its number.
    Other(u32),
}

impl Array {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.dimensions.iter().product()
    }
}

/// Passes on each array of a file and its numbers, in the file's order.
pub fn read(
    file: &mut dyn Read,
    visit: &mut dyn FnMut(&Array, &mut dyn Read) -> Result<(), PublishedError>,
) -> Result<(), PublishedError> {
    let mut header = [0; HEADER_BYTES];
    if fill(file, &mut header).map_err(PublishedError::of_reading)? < HEADER_BYTES {
        return Err(PublishedError::damaged("it is shorter than the header of a MAT-file"));
    }
    match [header[124], header[125], header[126], header[127]] {
        [0, 1, b'I', b'M'] => {}
        [1, 0, b'M', b'I'] => {
            return Err(PublishedError::damaged("it is a big-endian MAT-file, which the publisher's is not"));
        }
        _ => return Err(PublishedError::damaged("it is no MAT-file of level 5")),
    }
    while let Some(Tag { kind, bytes, .. }) = Tag::read(file, true)? {
        let mut element = file.take(u64::from(bytes));
        match kind {
            COMPRESSED => {
                let mut inflated = ZlibDecoder::new(&mut element);
                let Some(tag) = Tag::read(&mut inflated, true)? else {
                    return Err(PublishedError::damaged("a compressed element is empty"));
                };
                if tag.kind != MATRIX {
                    return Err(PublishedError::damaged(format!("a compressed element is of type {}", tag.kind)));
                }
                read_matrix(&mut (&mut inflated).take(u64::from(tag.bytes)), visit)?;
                // The checksum is compared at the end of the compressed bytes.
                skip(&mut inflated)?;
            }
            MATRIX => read_matrix(&mut element, visit)?,
            _ => {}
        }
        skip(&mut element)?;
    }
    Ok(())
}

fn read_matrix(
    reader: &mut dyn Read,
    visit: &mut dyn FnMut(&Array, &mut dyn Read) -> Result<(), PublishedError>,
) -> Result<(), PublishedError> {
    let flags = Tag::expect(reader, UINT32)?.small_data(reader, 8, 8)?;
    let flags = word(&flags, 0);
    let dimensions = Tag::expect(reader, INT32)?.small_data(reader, 8, 4 * MAX_RANK as u32)?;
    let name = Tag::expect_any(reader, &[INT8, UTF8])?.small_data(reader, 0, MAX_NAME_BYTES)?;
    let name = String::from_utf8_lossy(&name).into_owned();
    if !NUMERIC_CLASSES.contains(&(flags & 0xff)) || flags & COMPLEX != 0 {
        return Err(PublishedError::damaged(format!(
            "its variable {} is no array of real numbers",
            name.escape_default()
        )));
    }
    let sizes: Option<Vec<usize>> = dimensions
        .chunks_exact(4)
        .map(|size| usize::try_from(i32::from_le_bytes([size[0], size[1], size[2], size[3]])).ok())
        .collect();
    let count = |sizes: &Vec<usize>| sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    let sizes = sizes.filter(|sizes| count(sizes).is_some());
    let dimensions = sizes.ok_or_else(|| PublishedError::damaged("it states impossible dimensions"))?;

    let tag = Tag::expect_some(reader)?;
    let (stored, element_bytes) = match tag.kind {
        UINT8 => (Stored::Bytes, 1),
        DOUBLE => (Stored::Doubles, 8),
        other => (Stored::Other(other), 0),
    };
    let array = Array { name, dimensions, stored };
    if element_bytes > 0 && array.len().checked_mul(element_bytes) != Some(tag.bytes as usize) {
        let problem = format!("its array of shape {:?} has {} bytes", array.dimensions, tag.bytes);
        return Err(PublishedError::damaged(problem));
    }
    match tag.inline {
        Some(data) => visit(&array, &mut &data[..tag.bytes as usize]),
        None => visit(&array, &mut reader.take(u64::from(tag.bytes))),
    }
}

/// The beginning of an element.
#[derive(Debug, Clone, Copy)]
struct Tag {
    kind: u32,
    bytes: u32,
    /// The data of a small element, which stands within its tag.
    inline: Option<[u8; 4]>,
}

impl Tag {
    /// Reads a tag; none at the end, where one is allowed.
    fn read(reader: &mut dyn Read, may_end: bool) -> Result<Option<Self>, PublishedError> {
        let mut tag = [0; 8];
        match fill(reader, &mut tag).map_err(PublishedError::of_reading)? {
            8 => {}
            0 if may_end => return Ok(None),
            _ => return Err(PublishedError::damaged("it ends too early")),
        }
        let [first, second] = [word(&tag, 0), word(&tag, 4)];
        if first >> 16 == 0 {
            return Ok(Some(Self { kind: first, bytes: second, inline: None }));
        }
        let (kind, bytes) = (first & 0xffff, first >> 16);
        if bytes > 4 {
            return Err(PublishedError::damaged(format!("a small element states {bytes} bytes")));
        }
        Ok(Some(Self { kind, bytes, inline: Some([tag[4], tag[5], tag[6], tag[7]]) }))
    }

    fn expect_some(reader: &mut dyn Read) -> Result<Self, PublishedError> {
        Self::read(reader, false)?.ok_or_else(|| PublishedError::damaged("it ends too early"))
    }

    fn expect_any(reader: &mut dyn Read, kinds: &[u32]) -> Result<Self, PublishedError> {
        let tag = Self::expect_some(reader)?;
        if kinds.contains(&tag.kind) {
            return Ok(tag);
        }
        Err(PublishedError::damaged(format!(
            "an element of an array is of type {}, and {} is expected",
            tag.kind, kinds[0]
        )))
    }

    fn expect(reader: &mut dyn Read, kind: u32) -> Result<Self, PublishedError> {
        Self::expect_any(reader, &[kind])
    }

    /// Reads the element's data, of a bounded size, and what fills it up to eight bytes.
    fn small_data(self, reader: &mut dyn Read, least: u32, most: u32) -> Result<Vec<u8>, PublishedError> {
        if !(least..=most).contains(&self.bytes) {
            let problem = format!("an element of {} bytes stands where {least} to {most} are expected", self.bytes);
            return Err(PublishedError::damaged(problem));
        }
        let bytes = self.bytes as usize;
        if let Some(data) = self.inline {
            return Ok(data[..bytes].to_vec());
        }
        let mut data = vec![0; bytes.next_multiple_of(8)];
        reader.read_exact(&mut data).map_err(PublishedError::of_reading)?;
        data.truncate(bytes);
        Ok(data)
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn skip(reader: &mut dyn Read) -> Result<(), PublishedError> {
    std::io::copy(reader, &mut std::io::sink()).map_err(PublishedError::of_reading)?;
    Ok(())
}
