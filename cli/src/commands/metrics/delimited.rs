//! Scores as text: one number a line, or one column of a table.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use anyhow::{Result, anyhow, bail};
use csv::{ReaderBuilder, StringRecord, Trim};

use super::source::{Column, MOST_SCORES};

/// Longest line. A file without line breaks would otherwise be read into memory as one.
const LONGEST_LINE: usize = 1 << 20;

/// Most column names in a message, and most characters of each.
const MOST_NAMED: usize = 12;
const LONGEST_NAME: usize = 40;

/// Reads a column of numbers; `inf` and `nan` are numbers here.
pub fn read(reader: impl Read, delimiter: u8, column: Column<'_>) -> Result<Vec<f64>> {
    let since_line = Rc::new(Cell::new(0));
    let bounded = Bounded { reader, since_line: Rc::clone(&since_line) };
    let mut lines = ReaderBuilder::new().has_headers(false).delimiter(delimiter).trim(Trim::All).from_reader(bounded);
    let mut record = StringRecord::new();
    let (mut scores, mut position, mut is_first) = (Vec::new(), 0, true);
    while lines.read_record(&mut record).map_err(explained)? {
        since_line.set(0);
        if std::mem::take(&mut is_first) {
            let fields: Vec<&str> = record.iter().map(|field| field.trim_start_matches('\u{feff}')).collect();
            let (index, header) = locate(&fields, column)?;
            position = index;
            if header {
                continue;
            }
        }
        let line = record.position().map_or(0, csv::Position::line);
        let field = record.get(position).unwrap_or_default().trim_start_matches('\u{feff}');
        let score = field.parse().map_err(|_| {
            anyhow!(
                "line {line}: `{}` is no number; every line holds a score, such as 12.5, -3e-4 or inf",
                shown(field)
            )
        });
        scores.push(score?);
        if scores.len() > MOST_SCORES {
            bail!("more than {MOST_SCORES} scores; take a part of them");
        }
    }
    if let (true, Some(name)) = (is_first, column.0) {
        bail!("it is empty, and has no column `{name}`");
    }
    Ok(scores)
}

/// Where the scores are in the first line, and whether it is a header.
fn locate(fields: &[&str], column: Column<'_>) -> Result<(usize, bool)> {
    let names = || {
        let mut names: Vec<String> = fields.iter().take(MOST_NAMED).map(|name| shown(name)).collect();
        if fields.len() > MOST_NAMED {
            names.push(format!("{} more", fields.len() - MOST_NAMED));
        }
        names.join(", ")
    };
    match (column.0, fields) {
        (Some(name), _) => match fields.iter().position(|field| *field == name) {
            Some(position) => Ok((position, true)),
            None => bail!("it has no column `{name}`; its first line is: {}", names()),
        },
        // A damaged number must not pass for a name.
        (None, [field]) => Ok((0, field.parse::<f64>().is_err() && field.starts_with(char::is_alphabetic))),
        (None, _) => {
            bail!("it has {} columns; say with --column which one holds the scores: {}", fields.len(), names())
        }
    }
}

fn explained(error: csv::Error) -> anyhow::Error {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            anyhow!("line {line} has {len} columns, and the lines before have {expected_len}")
        }
        csv::ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            anyhow!("line {line} is not text; name other formats by their endings: .npy, .npz, .safetensors, .parquet")
        }
        _ => error.into(),
    }
}

/// The beginning of a field, as much as a message bears, without control characters.
fn shown(field: &str) -> String {
    field.chars().take(LONGEST_NAME).flat_map(char::escape_debug).collect()
}

/// Refuses to go on in a line that does not end.
struct Bounded<R> {
    reader: R,
    since_line: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_line.get() > LONGEST_LINE {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a line is longer than {LONGEST_LINE} bytes; write one score a line"),
            ));
        }
        let count = self.reader.read(buffer)?;
        self.since_line.set(self.since_line.get() + count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(text: &str, column: Option<&str>) -> Result<Vec<f64>> {
        read(text.as_bytes(), b',', Column(column))
    }

    #[test]
    fn one_column_is_read_with_and_without_a_header() {
        for text in
            ["1\n2.5\n-inf\n", "score\n1\n2.5\n-inf", "\u{feff}1\r\n 2.5 \r\n\r\n-inf\r\n", "\"1\"\n\"2.5\"\n-inf\n"]
        {
            assert_eq!(scores(text, None).unwrap(), [1.0, 2.5, f64::NEG_INFINITY], "{text:?}");
        }
        assert_eq!(scores("", None).unwrap(), [0.0; 0]);
        assert_eq!(scores("dose\n", None).unwrap(), [0.0; 0]);
    }

    #[test]
    fn the_named_column_is_read() {
        let text = "\u{feff}id,dose,\"typicality, 2\"\na,1,4\nb,2,5\n";

        assert_eq!(scores(text, Some("dose")).unwrap(), [1.0, 2.0]);
        assert_eq!(scores(text, Some("typicality, 2")).unwrap(), [4.0, 5.0]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_the_remedy() {
        let cases = [
            ("1\n2\nx\n", None, "line 3: `x` is no number"),
            ("1.2.3\n2\n", None, "line 1: `1.2.3` is no number"),
            ("a,b\n1,2\n", None, "it has 2 columns; say with --column which one holds the scores: a, b"),
            ("a,b\n1,2\n", Some("c"), "it has no column `c`; its first line is: a, b"),
            ("a,b\n1,2\n3\n", Some("a"), "line 3 has 1 columns, and the lines before have 2"),
            ("a,b\n1,2\n,4\n", Some("a"), "line 3: `` is no number"),
            ("", Some("a"), "it is empty, and has no column `a`"),
        ];
        for (text, column, expected) in cases {
            let refusal = format!("{:#}", scores(text, column).unwrap_err());
            assert!(refusal.contains(expected), "{text:?}: {refusal}");
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let mut state = 1_u64;
        let mut random = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        const BYTES: &[u8] = b"01.-e,\"\r\n\t ainf\xc3\xa9\xff\x00";
        for _ in 0..5000 {
            let text: Vec<u8> = (0..random(30)).map(|_| BYTES[random(BYTES.len() as u64) as usize]).collect();
            for column in [None, Some("a")] {
                // Either way is right: the test is that it returns.
                let _ = read(&text[..], b',', Column(column)).map(|scores| assert!(scores.len() <= 15));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_and_lines_without_end_are_refused() {
        let binary = read(&b"\x93NUMPY\x01\xff\xfe\n"[..], b',', Column(None)).unwrap_err();
        let endless = read(io::repeat(b'1'), b',', Column(None)).unwrap_err();
        let quoted = read((&b"\"1\n"[..]).chain(io::repeat(b'\n')), b',', Column(None)).unwrap_err();

        assert!(binary.to_string().contains("line 1 is not text"), "{binary}");
        for refusal in [endless, quoted] {
            assert!(refusal.to_string().contains("a line is longer than"), "{refusal}");
        }
    }
}
