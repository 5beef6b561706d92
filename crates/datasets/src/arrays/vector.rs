//! One array of plain numbers, such as the scores of a set of examples.

use std::path::Path;

use super::container::with_array;
use super::element::Element;
use super::error::ArrayError;
use super::header::OpenArray;

/// The names under which a container may hold the numbers when nobody says which array is meant; `arr_0` is what NumPy
/// calls an array without a name.
const NAMES: [&str; 3] = ["scores", "score", "arr_0"];

/// Reads the numbers of an array of shape `[n]` or `[n, 1]` from an `.npy`, `.npz` or `.safetensors` file, at most `most` of
/// them. `name` picks the array of a file that holds several; NaN and infinities are numbers here.
///
/// # Errors
/// [`ArrayError`].
pub fn read_numbers(path: &Path, name: Option<&str>, most: usize) -> Result<Vec<f64>, ArrayError> {
    let names = name.map_or_else(|| NAMES.to_vec(), |name| vec![name]);
    with_array(path, &names, |array| numbers(array, most))
}

fn numbers(array: OpenArray<'_>, most: usize) -> Result<Vec<f64>, ArrayError> {
    let OpenArray { header, elements, .. } = array;
    let &([count] | [count, 1]) = &header.dimensions[..] else {
        return Err(ArrayError::WrongShape { expected: "[n] or [n, 1]".to_owned(), found: header.dimensions });
    };
    let (Element::Float { .. } | Element::Byte, Some(element_bytes)) = (&header.element, header.element.bytes()) else {
        return Err(ArrayError::WrongType {
            expected: "numbers are of float16, float32, float64 or uint8",
            found: header.element.to_string(),
            remedy: "save array.astype(np.float64)",
        });
    };
    let too_large = ArrayError::TooLarge { bytes: count.saturating_mul(size_of::<f64>()) };
    let mut numbers: Vec<f64> = Vec::new();
    if count > most || numbers.try_reserve_exact(count).is_err() {
        return Err(too_large);
    }
    let mut bytes = vec![0; element_bytes];
    for _ in 0..count {
        elements.read_exact(&mut bytes).map_err(ArrayError::of_reading)?;
        numbers.push(header.element.number(&bytes));
    }
    match elements.read(&mut [0]).map_err(ArrayError::of_reading)? {
        0 => Ok(numbers),
        _ => Err(ArrayError::Damaged { problem: "bytes follow after the last element".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::header::ArrayHeader;
    use super::*;

    fn read(mut bytes: &[u8], dimensions: &[usize], element: &str, most: usize) -> Result<Vec<f64>, ArrayError> {
        let header = ArrayHeader { element: Element::of_npy(element), dimensions: dimensions.to_vec() };
        numbers(OpenArray { header, elements: &mut bytes, labels: None }, most)
    }

    #[test]
    fn numbers_of_every_float_are_read_with_their_extremes() {
        let values = [1.5_f32, f32::INFINITY, -0.25];
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();

        assert_eq!(read(&bytes, &[3], "<f4", 3).unwrap(), [1.5, f64::INFINITY, -0.25]);
        assert_eq!(read(&bytes, &[3, 1], "<f4", 3).unwrap().len(), 3);
        assert_eq!(read(&[7, 255], &[2], "|u1", 3).unwrap(), [7.0, 255.0]);
        assert_eq!(read(&[], &[0], "<f8", 3).unwrap(), [0.0; 0]);
    }

    #[test]
    fn tables_other_types_and_too_many_are_refused_with_the_remedy() {
        let refusals = [
            (read(&[0; 12], &[3, 2], "<f2", 9), "[n] or [n, 1] is expected"),
            (read(&[0; 16], &[2], "<i8", 9), "array.astype(np.float64)"),
            (read(&[0; 16], &[2], "<f8", 1), "do not fit the memory"),
            (read(&[0; 8], &[2], "<f8", 9), "it ends too early"),
            (read(&[0; 17], &[2], "<f8", 9), "bytes follow"),
            (read(&[0; 8], &[], "<f8", 9), "[n] or [n, 1] is expected"),
        ];
        for (refusal, text) in refusals {
            let refusal = refusal.unwrap_err().to_string();
            assert!(refusal.contains(text), "{refusal}");
        }
    }

    proptest! {
        #[test]
        fn damaged_files_are_read_or_refused(cut in 0_usize..120, position in 0_usize..80, byte: u8) {
            let mut bytes = b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }".to_vec();
            bytes.resize(79, b' ');
            bytes.push(b'\n');
            bytes.extend([0; 32]);
            bytes[position] = byte;
            bytes.truncate(cut);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("scores.npy");
            std::fs::write(&path, &bytes).unwrap();

            // Either way is right: the test is that it returns, and with no more than there is.
            if let Ok(numbers) = read_numbers(&path, None, 1000) {
                prop_assert!(numbers.len() <= 32);
            }
        }
    }
}
