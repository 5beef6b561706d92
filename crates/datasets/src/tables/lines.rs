//! Lines of a text file, plain or gzip, and the numbers on them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::TableError;

/// Longest line read, in bytes. A row of 50 numbers takes about a thousand.
const MAX_LINE: usize = 1 << 16;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Opens a plain or gzip text file, told apart by its first bytes.
///
/// # Errors
/// What the operating system says.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut reader = BufReader::with_capacity(1 << 18, File::open(path)?);
    if reader.fill_buf()?.starts_with(&GZIP_MAGIC) {
        return Ok(Box::new(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(reader))));
    }
    Ok(Box::new(reader))
}

/// The lines of a text, one at a time.
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    number: u64,
    longest: u64,
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self::with_longest(reader, MAX_LINE)
    }

    /// Reads lines of at most so many bytes.
    pub fn with_longest(reader: R, bytes: usize) -> Self {
        Self { reader, buffer: Vec::new(), number: 0, longest: bytes as u64 }
    }

    /// The next line that is not blank, without the white space around it; none at the end.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, TableError> {
        loop {
            self.buffer.clear();
            self.number += 1;
            let read = self.reader.by_ref().take(self.longest + 1).read_until(b'\n', &mut self.buffer)?;
            if read == 0 {
                return Ok(None);
            }
            if read as u64 > self.longest {
                return Err(self.problem(&format!("is longer than {} bytes", self.longest)));
            }
            if !self.buffer.trim_ascii().is_empty() {
                break;
            }
        }
        match std::str::from_utf8(&self.buffer) {
            Ok(text) => Ok(Some(Line { number: self.number, text: text.trim() })),
            Err(_) => Err(self.problem("is not text")),
        }
    }

    fn problem(&self, problem: &str) -> TableError {
        TableError::Line { line: self.number, problem: problem.to_owned() }
    }
}

/// One line of a text.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// From 1.
    pub number: u64,
    /// Without the white space around it.
    pub text: &'a str,
}

impl Line<'_> {
    /// Reads the fields of the line as finite numbers.
    pub fn numbers<'f>(&self, fields: impl Iterator<Item = &'f str>, numbers: &mut Vec<f64>) -> Result<(), TableError> {
        numbers.clear();
        for (index, field) in fields.enumerate() {
            match field.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => numbers.push(number),
                _ => return Err(self.no_number(index, field)),
            }
        }
        Ok(())
    }

    fn no_number(&self, index: usize, field: &str) -> TableError {
        let text = field.trim().chars().take(40).flat_map(char::escape_default).collect();
        TableError::Number { line: self.number, column: index + 1, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_are_counted_and_passed_over() {
        let mut lines = Lines::new(&b" a \n\n  \r\nb"[..]);

        let mut read = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            read.push((line.number, line.text.to_owned()));
        }

        assert_eq!(read, [(1, "a".to_owned()), (4, "b".to_owned())]);
    }

    #[test]
    fn endless_line_is_refused_without_reading_it_whole() {
        let mut lines = Lines::new(BufReader::new(io::repeat(b'1')));

        let refusal = lines.next_line().unwrap_err();

        assert_eq!(refusal.to_string(), "line 1 is longer than 65536 bytes");
    }

    #[test]
    fn what_is_no_finite_number_is_named_with_its_place() {
        let line = Line { number: 7, text: "1, x, inf" };

        let refusal =
            |fields: &[&'static str]| line.numbers(fields.iter().copied(), &mut Vec::new()).unwrap_err().to_string();

        assert_eq!(refusal(&["1", " x"]), "line 7, column 2 (from 1) is `x`, which is no finite number");
        assert!(refusal(&["inf"]).contains("`inf`") && refusal(&["1", "NaN"]).contains("`NaN`"));
        assert!(refusal(&["1", ""]).contains("column 2"));
    }
}
