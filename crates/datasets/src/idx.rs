//! The IDX format: a big-endian magic number, big-endian dimensions, then bytes.
//!
//! It never allocates by what a header states: headers come from files that may be damaged or hostile.

use thiserror::Error;

const UNSIGNED_BYTES: u8 = 0x08;

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

/// Reads the values of an IDX file whose dimensions are known, and returns the slice of the input that holds them.
///
/// # Errors
/// [`IdxError`]: the first thing wrong, in the order magic number, dimensions, size.
pub fn decode<'a>(bytes: &'a [u8], dimensions: &[usize]) -> Result<&'a [u8], IdxError> {
    let header_bytes = IdxHeader::bytes(dimensions.len());
    let values = dimensions.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    let expected = values.and_then(|values| values.checked_add(header_bytes)).unwrap_or(usize::MAX);
    let truncated = || IdxError::Truncated { expected, found: bytes.len() };

    let found_magic = big_endian(bytes, 0).ok_or_else(truncated)?;
    let rank = u8::try_from(dimensions.len()).unwrap_or(u8::MAX);
    if found_magic != IdxHeader::magic(rank) {
        return Err(IdxError::WrongMagic { expected: IdxHeader::magic(rank), found: found_magic });
    }
    let header = read_dimensions(bytes, dimensions.len()).ok_or_else(truncated)?;
    if header.dimensions != dimensions {
        return Err(IdxError::WrongDimensions { expected: dimensions.to_vec(), found: header.dimensions });
    }
    match bytes.len() {
        found if found < expected => Err(truncated()),
        found if found > expected => Err(IdxError::TrailingBytes { expected, found }),
        _ => Ok(&bytes[header_bytes..]),
    }
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

    #[test]
    fn images_and_labels_are_read() {
        assert_eq!(decode(&file(0x803, &[1, 2, 2], &[1, 2, 3, 4]), &[1, 2, 2]), Ok(&[1, 2, 3, 4][..]));
        assert_eq!(decode(&file(0x801, &[2], &[7, 9]), &[2]), Ok(&[7, 9][..]));
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
        let refusal = decode(&file(0x803, &[u32::MAX; 3], &[]), &[usize::MAX; 3]).unwrap_err();

        assert!(matches!(refusal, IdxError::WrongDimensions { .. }), "{refusal}");
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
