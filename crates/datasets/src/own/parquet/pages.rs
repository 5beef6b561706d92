//! The pages of a Parquet file, whose headers are checked before the library makes room for what they promise.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::thrift::{Found, walk};

/// Largest page, compressed or not. Writers make pages of about a megabyte.
const MAX_PAGE: i64 = 1 << 26;
/// Largest header of a page: some numbers and the extremes of its values.
const MAX_HEADER: u64 = 1 << 16;

/// Fields of a page's header, by Parquet's definition.
const UNCOMPRESSED: &[i16] = &[2];
const COMPRESSED: &[i16] = &[3];
const VALUES: [&[i16]; 3] = [&[5, 1], &[7, 1], &[8, 1]];
const ENCODINGS: [&[i16]; 3] = [&[5, 2], &[7, 2], &[8, 4]];
/// The values of a dictionary.
const DICTIONARY_VALUES: &[i16] = &[7, 1];

/// Plain, plain dictionary, run lengths, dictionary, bytes of floats apart: what writers of tables of numbers use.
const KNOWN_ENCODINGS: [i64; 5] = [0, 2, 3, 8, 9];

/// A file whose pages are checked when they are reached.
pub struct CheckedFile(pub File);

impl Length for CheckedFile {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for CheckedFile {
    type T = BufReader<File>;

    /// The library asks for this at the header of a page.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut file = self.0.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        let mut header = Vec::new();
        file.take(MAX_HEADER).read_to_end(&mut header)?;
        check(&header)?;
        self.0.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if length as u64 > self.len() {
            return Err(ParquetError::EOF(format!("{length} bytes are not in the file")));
        }
        self.0.get_bytes(start, length)
    }
}

fn check(header: &[u8]) -> Result<()> {
    let (mut uncompressed, mut problem) = (0, None);
    let mut dictionary = 0;
    let walked = walk(header, &mut |path, found| {
        let Found::Integer(number) = found else { return };
        match path {
            UNCOMPRESSED | COMPRESSED => {
                if !(0..=MAX_PAGE).contains(&number) {
                    problem =
                        Some(format!("a page of {number} bytes, and at most {MAX_PAGE} are read; write smaller pages"));
                }
                if path == UNCOMPRESSED {
                    uncompressed = number;
                }
            }
            path if ENCODINGS.contains(&path) && !KNOWN_ENCODINGS.contains(&number) => {
                problem = Some(format!("encoding {number} of a page is not read; write plain or dictionary pages"));
            }
            path if VALUES.contains(&path) && number < 0 => {
                problem = Some(format!("a page of {number} values"));
            }
            _ => {}
        }
        if path == DICTIONARY_VALUES {
            dictionary = number;
        }
    });
    if walked.is_err() {
        return Err(ParquetError::General("the header of a page is not sound".to_owned()));
    }
    // A value of a dictionary takes four bytes or more.
    if dictionary.saturating_mul(4) > uncompressed {
        problem = Some(format!("a dictionary of {dictionary} values in {uncompressed} bytes"));
    }
    problem.map_or(Ok(()), |problem| Err(ParquetError::General(problem)))
}
