//! From an open array to labels.

use super::error::ArrayError;
use super::header::OpenArray;

/// Largest label.
const MAX_LABEL: f64 = 65_535.0;

/// Reads an array `[n]` or `[n, 1]` of whole numbers, whatever their type.
///
/// # Errors
/// [`ArrayError`].
pub fn read_labels(array: OpenArray<'_>) -> Result<Vec<u32>, ArrayError> {
    let OpenArray { header, elements, .. } = array;
    let count = match header.dimensions[..] {
        [count] | [count, 1] => count,
        _ => {
            return Err(ArrayError::WrongShape { expected: "[n] for labels".to_owned(), found: header.dimensions });
        }
    };
    let element = &header.element;
    let Some(bytes) = element.bytes() else {
        return Err(ArrayError::WrongType {
            expected: "labels are whole numbers",
            found: element.to_string(),
            remedy: "save labels.astype(np.int64)",
        });
    };
    let too_large = |_| ArrayError::TooLarge { bytes: count.saturating_mul(size_of::<u32>()) };
    let mut labels = Vec::new();
    labels.try_reserve_exact(count).map_err(too_large)?;
    let mut buffer = [0; 8];
    let buffer = &mut buffer[..bytes];
    for row in 0..count {
        elements.read_exact(buffer).map_err(ArrayError::of_reading)?;
        let value = element.number(buffer);
        if value.fract() != 0.0 || !(0.0..=MAX_LABEL).contains(&value) {
            return Err(ArrayError::NoLabel { row, value });
        }
        labels.push(value as u32);
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::super::element::Element;
    use super::super::header::ArrayHeader;
    use super::*;

    fn read(element: &str, dimensions: &[usize], bytes: &[u8]) -> Result<Vec<u32>, ArrayError> {
        let header = ArrayHeader { element: Element::of_npy(element), dimensions: dimensions.to_vec() };
        let mut elements = bytes;
        read_labels(OpenArray { header, elements: &mut elements, labels: None })
    }

    #[test]
    fn whole_numbers_of_every_type_are_labels() {
        assert_eq!(read("|u1", &[2], &[0, 9]).unwrap(), [0, 9]);
        assert_eq!(read("<i8", &[1], &300_i64.to_le_bytes()).unwrap(), [300]);
        assert_eq!(read(">i4", &[1, 1], &7_i32.to_be_bytes()).unwrap(), [7]);
        assert_eq!(read("<u2", &[1], &65_535_u16.to_le_bytes()).unwrap(), [65_535]);
        assert_eq!(read("<f4", &[1], &3_f32.to_le_bytes()).unwrap(), [3]);
    }

    #[test]
    fn what_is_no_label_is_refused_by_its_row() {
        assert!(matches!(read("<i4", &[1], &(-1_i32).to_le_bytes()), Err(ArrayError::NoLabel { row: 0, .. })));
        assert!(matches!(read("<f4", &[1], &0.5_f32.to_le_bytes()), Err(ArrayError::NoLabel { row: 0, .. })));
        assert!(matches!(read("<U3", &[1], &[0; 12]), Err(ArrayError::WrongType { .. })));
        assert!(matches!(read("|u1", &[1, 2], &[0, 1]), Err(ArrayError::WrongShape { .. })));
        assert!(matches!(read("|u1", &[3], &[0, 1]), Err(ArrayError::Damaged { .. })));
    }
}
