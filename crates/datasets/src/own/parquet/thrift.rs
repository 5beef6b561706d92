//! Walks a message in Thrift's compact protocol without keeping any of it: finds where it ends, and shows its integers.
//!
//! Nothing is allocated, and no length is believed: every one is compared with what is left.

/// Deepest message that is followed. Parquet's are less than ten deep.
const MAX_DEPTH: usize = 16;

/// What was found in a message, by the identifiers of the fields around it; elements of lists have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// An integer.
    Integer(i64),
    /// The number of elements of a list.
    List(usize),
}

/// A message that does not fit its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsound;

/// Follows a message from its beginning, and gives its length.
pub fn walk(bytes: &[u8], visit: &mut dyn FnMut(&[i16], Found)) -> Result<usize, Unsound> {
    let mut walker = Walker { rest: bytes, path: Vec::with_capacity(MAX_DEPTH), depth: 0, visit };
    walker.message()?;
    Ok(bytes.len() - walker.rest.len())
}

struct Walker<'a> {
    rest: &'a [u8],
    path: Vec<i16>,
    depth: usize,
    visit: &'a mut dyn FnMut(&[i16], Found),
}

// The types of the compact protocol.
const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

impl Walker<'_> {
    fn message(&mut self) -> Result<(), Unsound> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Unsound);
        }
        let mut field = 0_i16;
        loop {
            let byte = self.byte()?;
            let (step, kind) = (byte >> 4, byte & 0x0f);
            if kind == STOP {
                break;
            }
            field = if step == 0 {
                i16::try_from(self.integer()?).map_err(|_| Unsound)?
            } else {
                field.checked_add(i16::from(step)).ok_or(Unsound)?
            };
            self.path.push(field);
            match kind {
                TRUE | FALSE => {}
                other => self.value(other)?,
            }
            self.path.pop();
        }
        self.depth -= 1;
        Ok(())
    }

    fn value(&mut self, kind: u8) -> Result<(), Unsound> {
        match kind {
            TRUE | FALSE | BYTE => self.byte().map(drop),
            I16..=I64 => {
                let integer = self.integer()?;
                (self.visit)(&self.path, Found::Integer(integer));
                Ok(())
            }
            DOUBLE => self.skip(8),
            BINARY => {
                let length = self.length()?;
                self.skip(length)
            }
            LIST | SET => self.list(),
            STRUCT => self.message(),
            UUID => self.skip(16),
            // Parquet has no maps.
            _ => Err(Unsound),
        }
    }

    fn list(&mut self) -> Result<(), Unsound> {
        let byte = self.byte()?;
        let elements = match byte >> 4 {
            15 => self.length()?,
            few => usize::from(few),
        };
        // An element takes a byte at least.
        if elements > self.rest.len() {
            return Err(Unsound);
        }
        (self.visit)(&self.path, Found::List(elements));
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Unsound);
        }
        (0..elements).try_for_each(|_| self.value(byte & 0x0f))?;
        self.depth -= 1;
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, Unsound> {
        let (&byte, rest) = self.rest.split_first().ok_or(Unsound)?;
        self.rest = rest;
        Ok(byte)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), Unsound> {
        self.rest = self.rest.get(bytes..).ok_or(Unsound)?;
        Ok(())
    }

    fn length(&mut self) -> Result<usize, Unsound> {
        usize::try_from(self.unsigned()?).ok().filter(|&length| length <= self.rest.len()).ok_or(Unsound)
    }

    /// A zigzag integer.
    fn integer(&mut self) -> Result<i64, Unsound> {
        let number = self.unsigned()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn unsigned(&mut self) -> Result<u64, Unsound> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Unsound)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Shown = Vec<(Vec<i16>, Found)>;

    fn walked(bytes: &[u8]) -> (Result<usize, Unsound>, Shown) {
        let mut found = Vec::new();
        let length = walk(bytes, &mut |path, what| found.push((path.to_vec(), what)));
        (length, found)
    }

    #[test]
    fn integers_are_shown_by_the_fields_around_them() {
        // {1: 3, 2: [{5: -2}, {5: 150}], 9: "ab"} and a byte behind it.
        let bytes = [0x15, 6, 0x19, 0x2c, 0x55, 3, 0, 0x55, 0xac, 2, 0, 0x78, 2, b'a', b'b', 0, 99];

        let (length, found) = walked(&bytes);

        assert_eq!(length, Ok(16));
        let expected = [
            (vec![1], Found::Integer(3)),
            (vec![2], Found::List(2)),
            (vec![2, 5], Found::Integer(-2)),
            (vec![2, 5], Found::Integer(150)),
        ];
        assert_eq!(found, expected);
        for cut in 0..16 {
            assert_eq!(walked(&bytes[..cut]).0, Err(Unsound), "{cut}");
        }
    }

    #[test]
    fn lengths_that_are_not_there_and_endless_nesting_are_refused() {
        assert_eq!(walked(&[0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]).0, Err(Unsound));
        assert_eq!(walked(&[0x19, 0xf5, 0xff, 0xff, 0x7f, 0]).0, Err(Unsound));
        assert_eq!(walked(&[0x1c; 1000]).0, Err(Unsound));
        assert_eq!(walked(&[0x19, 0x19].repeat(500)).0, Err(Unsound));
        assert_eq!(walked(&[0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]).0, Err(Unsound));
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(length) = walk(&bytes, &mut |_, _| {}) {
                prop_assert!(length <= bytes.len());
            }
        }
    }
}
