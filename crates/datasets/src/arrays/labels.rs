//! Labels: one integer for each example.

use std::io::Read;
use std::path::Path;

use super::container::with_array;
use super::element::Element;
use super::error::ArrayError;
use super::header::ArrayHeader;

/// The array that holds them.
const LABELS: &str = "labels";

/// Reads an array of integers `[n]` or `[n, 1]`, at most `most`.
///
/// # Errors
/// [`ArrayError`]: a type that holds no integers, more than one column, or more than `most` rows.
pub fn integers(header: &ArrayHeader, reader: &mut dyn Read, most: usize) -> Result<Vec<i64>, ArrayError> {
    let (bytes, is_signed, is_big_endian) = integer_of(&header.element).ok_or_else(|| ArrayError::WrongType {
        expected: "labels are integers",
        found: header.element.to_string(),
        remedy: "save labels.astype(np.int64)",
    })?;
    let count = match header.dimensions[..] {
        [count] | [count, 1] => count,
        _ => return Err(ArrayError::WrongShape { expected: "[n]".to_owned(), found: header.dimensions.clone() }),
    };
    if count > most {
        return Err(ArrayError::TooMany { known: most, found: count });
    }
    let mut numbers = Vec::with_capacity(count);
    let mut element = [0; 8];
    for _ in 0..count {
        let element = &mut element[..bytes];
        reader.read_exact(element).map_err(ArrayError::of_reading)?;
        if is_big_endian {
            element.reverse();
        }
        let filling = if is_signed && element[bytes - 1] & 0x80 != 0 { 0xff } else { 0 };
        let mut whole = [filling; 8];
        whole[..bytes].copy_from_slice(element);
        numbers.push(i64::from_le_bytes(whole));
    }
    Ok(numbers)
}

/// Reads the labels that stand beside the examples of an `.npz` or `.safetensors` file, if it has any; those of the first
/// `count` examples.
///
/// # Errors
/// [`ArrayError`]: an array that holds no labels.
pub fn read_labels(path: &Path, count: usize, most: usize) -> Result<Option<Vec<u32>>, ArrayError> {
    if path.extension().is_none_or(|extension| extension == "npy") {
        return Ok(None);
    }
    let read = with_array(path, &[LABELS], |array| integers(&array.header, array.elements, most));
    let mut numbers = match read {
        Ok(numbers) => numbers,
        Err(ArrayError::NoArray { .. }) => return Ok(None),
        Err(problem) => return Err(problem),
    };
    numbers.truncate(count);
    let label = |(row, &number): (usize, &i64)| {
        let refuse = |_| ArrayError::Damaged {
            problem: format!("its label {row} (from 0) is {number}, and labels are 0 or more"),
        };
        u32::try_from(number).map_err(refuse)
    };
    numbers.iter().enumerate().map(label).collect::<Result<_, _>>().map(Some)
}

/// Bytes, whether signed, and whether the most significant byte comes first; none for what is no integer.
fn integer_of(element: &Element) -> Option<(usize, bool, bool)> {
    match *element {
        Element::Byte => Some((1, false, false)),
        Element::Integer { bytes, signed, big_endian } => Some((bytes, signed, big_endian)),
        Element::Float { .. } | Element::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(description: &str, bytes: &[u8]) -> Result<Vec<i64>, ArrayError> {
        let header = ArrayHeader { element: Element::of_npy(description), dimensions: vec![2] };
        integers(&header, &mut &bytes[..], 2)
    }

    #[test]
    fn integers_of_every_width_are_read() {
        assert_eq!(read("|u1", &[1, 255]).unwrap(), [1, 255]);
        assert_eq!(read("|i1", &[1, 255]).unwrap(), [1, -1]);
        assert_eq!(read("<i2", &[1, 0, 0xfe, 0xff]).unwrap(), [1, -2]);
        assert_eq!(read(">i4", &[0, 0, 0, 1, 0, 0, 1, 0]).unwrap(), [1, 256]);
        assert_eq!(read("<i8", &[3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]).unwrap(), [3, 4]);
    }

    #[test]
    fn what_is_no_list_of_labels_is_refused() {
        assert!(read("<f4", &[0; 8]).unwrap_err().to_string().contains("labels are integers"));
        assert!(read("<i4", &[0; 7]).unwrap_err().to_string().contains("ends too early"));
        let header = ArrayHeader { element: Element::Byte, dimensions: vec![3] };
        assert!(matches!(integers(&header, &mut &[0; 3][..], 2), Err(ArrayError::TooMany { .. })));
    }
}
