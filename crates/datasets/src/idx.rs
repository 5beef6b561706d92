//! The IDX format: a big-endian magic number, big-endian dimensions, then bytes.
//!
//! It never allocates by what a header states: headers come from files that may be damaged or hostile.

use std::io::{self, Read};

use thiserror::Error;

const UNSIGNED_BYTES: u8 = 0x08;

/// Bytes read at once.
const CHUNK: usize = 1 << 16;

/// What is wrong with the bytes of an IDX file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdxError {
    /// The first four bytes are not those of an IDX file with that many dimensions.
    #[error("wrong magic number: expected {expected:#010x}, found {found:#010x}")]
    WrongMagic {
        /// The magic number that the number of dimensions asks for.
        expected: u32,
        /// The first four bytes.
        found: u32,
    },
    /// The header states other dimensions than the catalogue.
    #[error("wrong dimensions: expected {expected:?}, found {found:?}")]
    WrongDimensions {
        /// The catalogue's dimensions.
        expected: Vec<usize>,
        /// The header's.
        found: Vec<usize>,
    },
    /// There are fewer bytes than the dimensions ask for.
    #[error("truncated: expected {expected} bytes, found {found}")]
    Truncated {
        /// Size of a whole file in bytes.
        expected: usize,
        /// Size of this one.
        found: usize,
    },
    /// There are bytes after the last value.
    #[error("bytes after the end: expected {expected} bytes, found {found} or more")]
    TrailingBytes {
        /// Size of a whole file in bytes.
        expected: usize,
        /// Number of bytes read: reading stops soon after the expected size.
        found: usize,
    },
}

/// Why an IDX file could not be read to its end.
#[derive(Debug, Error)]
pub(crate) enum IdxProblem {
    /// The reader refused, or could not decompress.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The bytes are not those of the file.
    #[error(transparent)]
    Format(#[from] IdxError),
}

/// The header of an IDX file of unsigned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxHeader {
    /// Outermost first.
    pub dimensions: Vec<usize>,
}

impl IdxHeader {
    /// The magic number of unsigned bytes in that many dimensions: 0x00000803 for images, 0x00000801 for labels.
    #[must_use]
    pub fn magic(rank: u8) -> u32 {
        u32::from_be_bytes([0, 0, UNSIGNED_BYTES, rank])
    }

    /// Size of the header in bytes.
    #[must_use]
    pub fn bytes(rank: usize) -> usize {
        4 + 4 * rank
    }
}

/// Reads an IDX file whose dimensions are known to its end, and appends its first `keep` values.
///
/// # Errors
/// What the reader says, or [`IdxError`]: the first thing wrong, in the order magic number, dimensions, size.
pub(crate) fn read(
    reader: &mut dyn Read,
    dimensions: &[usize],
    keep: usize,
    values: &mut Vec<u8>,
) -> Result<(), IdxProblem> {
    let header_bytes = IdxHeader::bytes(dimensions.len());
    let count = dimensions.iter().try_fold(1_usize, |product, &size| product.checked_mul(size)).unwrap_or(usize::MAX);
    let expected = count.saturating_add(header_bytes);

    let mut header = vec![0; header_bytes];
    let found = fill(reader, &mut header)?;
    check_header(&header[..found], dimensions, expected)?;

    let mut buffer = vec![0; CHUNK];
    let mut done = 0;
    while done < count {
        let asked = CHUNK.min(count - done);
        let found = fill(reader, &mut buffer[..asked])?;
        let kept = keep.saturating_sub(done).min(found);
        values.extend_from_slice(&buffer[..kept]);
        done += found;
        if found < asked {
            return Err(IdxError::Truncated { expected, found: header_bytes + done }.into());
        }
    }
    match fill(reader, &mut buffer[..1])? {
        0 => Ok(()),
        more => Err(IdxError::TrailingBytes { expected, found: expected + more }.into()),
    }
}

fn check_header(header: &[u8], dimensions: &[usize], expected: usize) -> Result<(), IdxError> {
    let truncated = || IdxError::Truncated { expected, found: header.len() };
    let found_magic = big_endian(header, 0).ok_or_else(truncated)?;
    let rank = u8::try_from(dimensions.len()).unwrap_or(u8::MAX);
    if found_magic != IdxHeader::magic(rank) {
        return Err(IdxError::WrongMagic { expected: IdxHeader::magic(rank), found: found_magic });
    }
    let header = read_dimensions(header, dimensions.len()).ok_or_else(truncated)?;
    if header.dimensions != dimensions {
        return Err(IdxError::WrongDimensions { expected: dimensions.to_vec(), found: header.dimensions });
    }
    Ok(())
}

/// Fills a buffer, or as much of it as there is to read.
pub(crate) fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn read_dimensions(bytes: &[u8], rank: usize) -> Option<IdxHeader> {
    let read = |axis| big_endian(bytes, 4 + 4 * axis).and_then(|size| usize::try_from(size).ok());
    let dimensions = (0..rank).map(read).collect::<Option<Vec<_>>>()?;
    Some(IdxHeader { dimensions })
}

fn big_endian(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(word.try_into().expect("a slice of four bytes is four bytes")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(magic: u32, dimensions: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = magic.to_be_bytes().to_vec();
        bytes.extend(dimensions.iter().flat_map(|size| size.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    fn decode(mut bytes: &[u8], dimensions: &[usize]) -> Result<Vec<u8>, IdxError> {
        let mut values = Vec::new();
        match read(&mut bytes, dimensions, usize::MAX, &mut values) {
            Ok(()) => Ok(values),
            Err(IdxProblem::Format(problem)) => Err(problem),
            Err(IdxProblem::Io(problem)) => panic!("memory is always readable: {problem}"),
        }
    }

    #[test]
    fn images_and_labels_are_read() {
        assert_eq!(decode(&file(0x803, &[1, 2, 2], &[1, 2, 3, 4]), &[1, 2, 2]), Ok(vec![1, 2, 3, 4]));
        assert_eq!(decode(&file(0x801, &[2], &[7, 9]), &[2]), Ok(vec![7, 9]));
    }

    #[test]
    fn the_first_values_are_kept_and_all_are_read() {
        let mut values = vec![5];

        read(&mut &file(0x801, &[4], &[1, 2, 3, 4])[..], &[4], 2, &mut values).unwrap();
        let refusal = read(&mut &file(0x801, &[4], &[1, 2, 3])[..], &[4], 2, &mut Vec::new()).unwrap_err();

        assert_eq!(values, [5, 1, 2]);
        assert!(matches!(refusal, IdxProblem::Format(IdxError::Truncated { expected: 12, found: 11 })), "{refusal}");
    }

    #[test]
    fn labels_in_the_place_of_images_are_refused() {
        let refusal = decode(&file(0x801, &[2], &[7, 9]), &[1, 1, 2]).unwrap_err();

        assert_eq!(refusal, IdxError::WrongMagic { expected: 0x803, found: 0x801 });
        assert_eq!(refusal.to_string(), "wrong magic number: expected 0x00000803, found 0x00000801");
    }

    #[test]
    fn other_dimensions_are_refused() {
        let refusal = decode(&file(0x803, &[1, 2, 2], &[1, 2, 3, 4]), &[1, 4, 1]).unwrap_err();

        assert_eq!(refusal, IdxError::WrongDimensions { expected: vec![1, 4, 1], found: vec![1, 2, 2] });
    }

    #[test]
    fn missing_and_trailing_bytes_are_refused() {
        let whole = file(0x801, &[3], &[1, 2, 3]);

        for length in 0..whole.len() {
            let refusal = decode(&whole[..length], &[3]).unwrap_err();
            assert_eq!(refusal, IdxError::Truncated { expected: 11, found: length });
        }
        let longer = [whole, vec![0]].concat();
        assert_eq!(decode(&longer, &[3]), Err(IdxError::TrailingBytes { expected: 11, found: 12 }));
    }

    #[test]
    fn header_that_states_huge_dimensions_costs_no_memory() {
        let dimensions = [u32::MAX; 3];
        let stated = dimensions.map(|size| size as usize);

        assert!(matches!(
            decode(&file(0x803, &dimensions, &[]), &[usize::MAX; 3]),
            Err(IdxError::WrongDimensions { .. })
        ));
        assert!(matches!(decode(&file(0x803, &dimensions, &[]), &stated), Err(IdxError::Truncated { .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..64),
            dimensions in proptest::collection::vec(0_usize..5, 0..4),
            starts_well in any::<bool>(),
        ) {
            let mut bytes = bytes;
            if starts_well && bytes.len() >= 4 {
                bytes[..4].copy_from_slice(&IdxHeader::magic(dimensions.len() as u8).to_be_bytes());
            }
            if let Ok(values) = decode(&bytes, &dimensions) {
                prop_assert_eq!(values.len(), dimensions.iter().product::<usize>());
            }
        }
    }
}
