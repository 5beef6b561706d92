//! From an open array to examples: layouts of images, rows of features.

use super::element::Element;
use super::error::ArrayError;
use super::header::OpenArray;

/// In which order the file keeps the values of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ImageLayout {
    /// `[n, c, h, w]`, as examples are kept in memory.
    ChannelsFirst,
    /// `[n, h, w, c]`.
    ChannelsLast,
}

impl ImageLayout {
    /// Tells the layout of an array from the shape that its images must have; grey images may lack the channel.
    ///
    /// # Errors
    /// [`ArrayError::WrongShape`] with both shapes that are read.
    fn of(dimensions: &[usize], [c, h, w]: [usize; 3]) -> Result<Self, ArrayError> {
        match dimensions.get(1..) {
            Some(sizes) if sizes == [c, h, w] || (c == 1 && sizes == [h, w]) => Ok(Self::ChannelsFirst),
            Some(sizes) if sizes == [h, w, c] => Ok(Self::ChannelsLast),
            _ => Err(ArrayError::WrongShape {
                expected: format!("[n, {c}, {h}, {w}] or [n, {h}, {w}, {c}]"),
                found: dimensions.to_vec(),
            }),
        }
    }
}

/// Reads the first `limit` images of an array of bytes, or all, in the order `[c, h, w]` within an image.
///
/// # Errors
/// [`ArrayError`].
pub fn read_bytes(
    array: OpenArray<'_>,
    shape: [usize; 3],
    known: Option<usize>,
    limit: Option<usize>,
) -> Result<Vec<u8>, ArrayError> {
    let mut bytes: Vec<u8> = Vec::new();
    let most = limit.unwrap_or(usize::MAX).min(array.header.dimensions.first().copied().unwrap_or(0));
    let dimensions: usize = shape.iter().product();
    check_images(&array, shape)?;
    reserve(&mut bytes, most.saturating_mul(dimensions))?;
    read_images(array, shape, known, limit, &mut |image| bytes.extend_from_slice(image))?;
    Ok(bytes)
}

/// Passes on the first `limit` images of an array of bytes, or all, each in the order `[c, h, w]`.
///
/// # Errors
/// [`ArrayError`].
pub fn read_images(
    array: OpenArray<'_>,
    shape: [usize; 3],
    known: Option<usize>,
    limit: Option<usize>,
    image: &mut dyn FnMut(&[u8]),
) -> Result<(), ArrayError> {
    let layout = check_images(&array, shape)?;
    let count = count(&array, known, limit)?;
    let [channels, height, width] = shape;
    let mut values = vec![0; channels * height * width];
    let mut planes = Vec::with_capacity(values.len());
    for _ in 0..count {
        array.elements.read_exact(&mut values).map_err(ArrayError::of_reading)?;
        match layout {
            ImageLayout::ChannelsFirst => image(&values),
            ImageLayout::ChannelsLast => {
                planes.clear();
                for channel in 0..channels {
                    planes.extend(values.iter().skip(channel).step_by(channels));
                }
                image(&planes);
            }
        }
    }
    check_end(array, count)
}

/// Tells the layout of an array of images, and refuses elements other than bytes.
fn check_images(array: &OpenArray<'_>, shape: [usize; 3]) -> Result<ImageLayout, ArrayError> {
    let layout = ImageLayout::of(&array.header.dimensions, shape)?;
    match array.header.element {
        Element::Byte => Ok(layout),
        Element::Float { .. } => Err(not_bytes(&array.header.element, TO_BYTES)),
        Element::Integer { .. } | Element::Other(_) => {
            Err(not_bytes(&array.header.element, "save array.astype(np.uint8) of values 0 to 255"))
        }
    }
}

const TO_BYTES: &str = "if they are in [0, 1], save (255 * array).round().astype(np.uint8)";

fn not_bytes(element: &Element, remedy: &'static str) -> ArrayError {
    ArrayError::WrongType { expected: "images are of uint8, 0 to 255", found: element.to_string(), remedy }
}

/// Reads the first `limit` rows of an array of floats `[n, features]`, or all, each into `row`, which says by the index of
/// a column what is wrong with it.
///
/// # Errors
/// [`ArrayError`].
pub fn read_rows(
    array: OpenArray<'_>,
    features: usize,
    known: Option<usize>,
    limit: Option<usize>,
    row: &mut dyn FnMut(&[f64]) -> Result<(), usize>,
) -> Result<(), ArrayError> {
    if array.header.dimensions.get(1..) != Some(&[features]) {
        let expected = format!("[n, {features}]");
        return Err(ArrayError::WrongShape { expected, found: array.header.dimensions });
    }
    let element = array.header.element.clone();
    let Element::Float { bytes: element_bytes, .. } = element else {
        return Err(ArrayError::WrongType {
            expected: "vectors are of float16, float32 or float64",
            found: element.to_string(),
            remedy: "save array.astype(np.float32)",
        });
    };
    let count = count(&array, known, limit)?;
    let mut bytes = vec![0; features * element_bytes];
    let mut numbers = Vec::with_capacity(features);
    for index in 0..count {
        array.elements.read_exact(&mut bytes).map_err(ArrayError::of_reading)?;
        numbers.clear();
        numbers.extend(bytes.chunks_exact(element_bytes).map(|bytes| element.number(bytes)));
        let not_finite = |column: usize| ArrayError::NotFinite { row: index, column, value: numbers[column] };
        row(&numbers).map_err(not_finite)?;
    }
    check_end(array, count)
}

/// Number of examples to read, once labels and catalogue agree with the array.
fn count(array: &OpenArray<'_>, known: Option<usize>, limit: Option<usize>) -> Result<usize, ArrayError> {
    let found = array.header.dimensions[0];
    if let Some(known) = known.filter(|&known| found > known) {
        return Err(ArrayError::TooMany { known, found });
    }
    match array.labels {
        Some(labels) if labels != found => Err(ArrayError::Labels { labels, examples: found }),
        _ => Ok(limit.map_or(found, |limit| limit.min(found))),
    }
}

fn reserve(values: &mut Vec<u8>, bytes: usize) -> Result<(), ArrayError> {
    values.try_reserve_exact(bytes).map_err(|_| ArrayError::TooLarge { bytes })
}

/// An archive compares its checksum only when somebody reads on to the end.
fn check_end(array: OpenArray<'_>, count: usize) -> Result<(), ArrayError> {
    if count < array.header.dimensions[0] {
        return Ok(());
    }
    match array.elements.read(&mut [0]).map_err(ArrayError::of_reading)? {
        0 => Ok(()),
        _ => Err(ArrayError::Damaged { problem: "bytes follow after the last element".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::ArrayHeader;
    use super::*;

    fn open<'a>(elements: &'a mut &[u8], dimensions: &[usize], element: &str) -> OpenArray<'a> {
        let header = ArrayHeader { element: Element::of_npy(element), dimensions: dimensions.to_vec() };
        OpenArray { header, elements, labels: None }
    }

    #[test]
    fn both_layouts_give_the_same_images() {
        let first =
            read_bytes(open(&mut &[1, 2, 3, 4, 5, 6][..], &[1, 3, 1, 2], "|u1"), [3, 1, 2], None, None).unwrap();
        let last = read_bytes(open(&mut &[1, 3, 5, 2, 4, 6][..], &[1, 1, 2, 3], "|u1"), [3, 1, 2], None, None).unwrap();

        assert_eq!(first, [1, 2, 3, 4, 5, 6]);
        assert_eq!(first, last);
    }

    #[test]
    fn a_transposed_array_is_refused_with_both_shapes() {
        let refusal = read_bytes(open(&mut &[][..], &[3, 32, 32, 50], "|u1"), [3, 32, 32], None, None).unwrap_err();

        let text = refusal.to_string();
        assert!(text.contains("[3, 32, 32, 50]") && text.contains("[n, 3, 32, 32] or [n, 32, 32, 3]"), "{text}");
    }

    #[test]
    fn infinite_rows_of_nothing_are_refused_by_their_columns() {
        let values: Vec<u8> = [1.0_f32, 2.0, 3.0, f32::NAN].iter().flat_map(|value| value.to_le_bytes()).collect();
        let mut finite = |row: &[f64]| match row.iter().position(|value| !value.is_finite()) {
            Some(column) => Err(column),
            None => Ok(()),
        };

        let refusal = read_rows(open(&mut &values[..], &[2, 2], "<f4"), 2, None, None, &mut finite).unwrap_err();

        assert!(matches!(refusal, ArrayError::NotFinite { row: 1, column: 1, .. }), "{refusal}");
    }
}
