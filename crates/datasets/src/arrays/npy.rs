//! The header of NumPy's `.npy` format: a magic number, a version, and a Python dictionary of three keys.
//!
//! It reads the one form of that dictionary that NumPy writes, and nothing of Python's grammar beyond it.

use std::io::Read;

use super::element::Element;
use super::error::ArrayError;
use super::header::ArrayHeader;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Longest dictionary read. NumPy itself refuses more than 10,000 characters.
const MAX_DICTIONARY: usize = 1 << 16;

/// Reads a header and leaves the reader at the first value.
///
/// # Errors
/// [`ArrayError::Damaged`] if it is no header, [`ArrayError::FortranOrder`], or what the reader says.
pub fn read_header(reader: &mut dyn Read) -> Result<ArrayHeader, ArrayError> {
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(ArrayError::of_reading)?;
    if !start.starts_with(MAGIC) {
        return Err(damaged("it does not begin with the magic number of the npy format"));
    }
    let length_bytes = match start[6] {
        1 => 2,
        2 | 3 => 4,
        version => return Err(damaged(&format!("version {version} of the npy format is unknown"))),
    };
    let mut length = [0; 4];
    reader.read_exact(&mut length[..length_bytes]).map_err(ArrayError::of_reading)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_DICTIONARY {
        return Err(damaged(&format!("its header states {length} characters; {MAX_DICTIONARY} are allowed")));
    }
    let mut dictionary = vec![0; length];
    reader.read_exact(&mut dictionary).map_err(ArrayError::of_reading)?;
    let dictionary = std::str::from_utf8(&dictionary).map_err(|_| damaged("its header is not text"))?;
    let fields = Fields::parse(dictionary)
        .ok_or_else(|| damaged(&format!("its header `{}` is not understood", shown(dictionary))))?;
    if fields.fortran_order {
        return Err(ArrayError::FortranOrder);
    }
    Ok(ArrayHeader { element: Element::of_npy(&fields.description), dimensions: fields.shape })
}

fn damaged(problem: &str) -> ArrayError {
    ArrayError::Damaged { problem: problem.to_owned() }
}

/// The beginning of a header, as much of it as a message bears.
fn shown(dictionary: &str) -> String {
    dictionary.trim_end().chars().take(120).flat_map(char::escape_default).collect()
}

/// The dictionary's three values.
struct Fields {
    description: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Fields {
    fn parse(dictionary: &str) -> Option<Self> {
        let mut rest = dictionary.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
        let (mut description, mut fortran_order, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, after) = quoted(rest)?;
            let value = after.trim_start().strip_prefix(':')?.trim_start();
            let after = match key {
                "descr" => {
                    let (text, after) = description_of(value)?;
                    description = Some(text.to_owned());
                    after
                }
                "fortran_order" => {
                    let (truth, after) = truth(value)?;
                    fortran_order = Some(truth);
                    after
                }
                "shape" => {
                    let (sizes, after) = tuple(value)?;
                    shape = Some(sizes);
                    after
                }
                _ => return None,
            };
            let after = after.trim_start();
            rest = if after.is_empty() { after } else { after.strip_prefix(',')?.trim_start() };
        }
        Some(Self { description: description?, fortran_order: fortran_order?, shape: shape? })
    }
}

/// A quoted word and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// The description of an element: a word, or the list of a structured type, which is kept as it is for the message.
fn description_of(text: &str) -> Option<(&str, &str)> {
    if text.starts_with('[') {
        let end = text.find(']')? + 1;
        return Some(text.split_at(end));
    }
    quoted(text)
}

fn truth(text: &str) -> Option<(bool, &str)> {
    let told = |word, truth| text.strip_prefix(word).map(|after| (truth, after));
    told("True", true).or_else(|| told("False", false))
}

/// A tuple of sizes, such as `(3, 4)`, `(5,)` or `()`.
fn tuple(text: &str) -> Option<(Vec<usize>, &str)> {
    let (inside, after) = text.strip_prefix('(')?.split_once(')')?;
    let inside = inside.trim();
    let inside = inside.strip_suffix(',').unwrap_or(inside);
    if inside.is_empty() {
        return Some((Vec::new(), after));
    }
    let sizes = inside.split(',').map(|size| size.trim().trim_end_matches('L').parse().ok());
    Some((sizes.collect::<Option<Vec<usize>>>()?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(dictionary: &str) -> Result<ArrayHeader, ArrayError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((dictionary.len() as u16).to_le_bytes());
        bytes.extend(dictionary.as_bytes());
        read_header(&mut bytes.as_slice())
    }

    #[test]
    fn headers_as_numpy_writes_them_are_read() {
        let read = header("{'descr': '<f4', 'fortran_order': False, 'shape': (12, 1792), }           \n").unwrap();

        assert_eq!(read, ArrayHeader { element: Element::of_npy("<f4"), dimensions: vec![12, 1792] });
        for (shape, dimensions) in [("()", vec![]), ("(7,)", vec![7]), ("(3L, 4L)", vec![3, 4])] {
            let read = header(&format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}")).unwrap();
            assert_eq!(read.dimensions, dimensions);
        }
    }

    #[test]
    fn columns_first_are_refused_with_the_remedy() {
        let refusal = header("{'descr': '<f4', 'fortran_order': True, 'shape': (12, 3), }").unwrap_err();

        assert!(refusal.to_string().contains("np.ascontiguousarray"), "{refusal}");
    }

    #[test]
    fn headers_that_are_none_are_refused() {
        for dictionary in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3)}",
            "{'descr': '<f4', 'fortran_order': maybe, 'shape': (1, 3)}",
            "{'descr': '<f4' 'fortran_order': False, 'shape': (1, 3)}",
            "{'é': '<f4'}",
            "{é",
        ] {
            let refusal = header(dictionary).unwrap_err();
            assert!(matches!(refusal, ArrayError::Damaged { .. }), "{dictionary}: {refusal}");
        }
    }
}
