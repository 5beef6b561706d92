//! The footer of a Parquet file: read and checked before the library builds anything of it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};

use super::thrift::{Found, walk};

const MAGIC: &[u8] = b"PAR1";
/// Bytes after the footer: its length and the magic number.
const TAIL: u64 = 8;
/// Largest footer read. One of ten thousand columns and some row groups takes some megabytes.
const MAX_FOOTER: u64 = 1 << 26;
/// Most groups of columns in a schema; a list of numbers takes three.
const MAX_GROUPS: usize = 16;
/// What is compressed more than this is hostile rather than data.
const MOST_EXPANDED: u64 = 1032;
/// Bytes of values that any file may have.
const ALWAYS_ALLOWED: u64 = 1 << 24;

/// Fields of the footer, by Parquet's definition: the schema, and in it the children of a group.
const SCHEMA: &[i16] = &[2];
const CHILDREN: &[i16] = &[2, 5];

/// Reads the footer of a file of so many bytes. An error is what is wrong, to stand after the file's name.
pub fn read(file: &mut File, bytes: u64) -> Result<ParquetMetaData, String> {
    let unreadable = |error: std::io::Error| format!("its footer cannot be read: {error}");
    let mut tail = [0; TAIL as usize];
    if bytes < TAIL + MAGIC.len() as u64 {
        return Err("it is too short for a Parquet file".to_owned());
    }
    file.seek(SeekFrom::End(-(TAIL as i64))).map_err(unreadable)?;
    file.read_exact(&mut tail).map_err(unreadable)?;
    let [a, b, c, d, magic @ ..] = tail;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    if magic != MAGIC {
        return Err("it is no Parquet file, or cut off: it does not end in PAR1".to_owned());
    }
    if length > MAX_FOOTER.min(bytes - TAIL) {
        return Err(format!("its footer is said to have {length} bytes"));
    }
    file.seek(SeekFrom::Start(bytes - TAIL - length)).map_err(unreadable)?;
    let mut footer = vec![0; length as usize];
    file.read_exact(&mut footer).map_err(unreadable)?;
    check_schema(&footer)?;
    let metadata = ParquetMetaDataReader::decode_metadata(&footer)
        .map_err(|problem| format!("its footer is not sound: {problem}"))?;
    check_chunks(&metadata, bytes)?;
    Ok(metadata)
}

/// The library makes room for the children that a group says it has, and follows groups in groups by recursion.
fn check_schema(footer: &[u8]) -> Result<(), String> {
    let (mut elements, mut groups, mut children) = (0_usize, 0_usize, 0_i64);
    let walked = walk(footer, &mut |path, found| match (path, found) {
        (SCHEMA, Found::List(length)) => elements = length,
        (CHILDREN, Found::Integer(number)) if number != 0 => {
            groups += 1;
            children = children.saturating_add(if number < 0 { i64::MAX } else { number });
        }
        _ => {}
    });
    if walked.is_err() {
        return Err("its footer is not sound".to_owned());
    }
    if groups > MAX_GROUPS {
        return Err(format!("its columns are nested in {groups} groups; a table of numbers is flat"));
    }
    if usize::try_from(children).map_or(true, |children| children > elements) {
        return Err("its footer is not sound: groups have more columns than there are".to_owned());
    }
    Ok(())
}

/// Compares what the footer says about rows and places with the file.
fn check_chunks(metadata: &ParquetMetaData, bytes: u64) -> Result<(), String> {
    let mut values = 0_u64;
    for group in metadata.row_groups() {
        let rows =
            u64::try_from(group.num_rows()).map_err(|_| "a row group has a negative number of rows".to_owned())?;
        for chunk in group.columns() {
            check_place(chunk, bytes)?;
            match chunk.compression() {
                Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_) => {}
                other => return Err(format!("it is compressed with {other}; write it with snappy or zstd")),
            }
            let of_chunk = u64::try_from(chunk.num_values()).unwrap_or(u64::MAX);
            values = values.saturating_add(of_chunk.max(rows));
        }
    }
    let most = bytes.saturating_mul(MOST_EXPANDED).saturating_add(ALWAYS_ALLOWED);
    if values.saturating_mul(size_of::<f32>() as u64) > most {
        return Err(format!("{values} values cannot be in {bytes} bytes"));
    }
    Ok(())
}

fn check_place(chunk: &ColumnChunkMetaData, bytes: u64) -> Result<(), String> {
    let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
    let place = u64::try_from(start).ok().zip(u64::try_from(chunk.compressed_size()).ok());
    let end = place.and_then(|(start, length)| start.checked_add(length));
    let data = u64::try_from(chunk.data_page_offset()).is_ok_and(|data| data <= bytes);
    if data && end.is_some_and(|end| end <= bytes) {
        return Ok(());
    }
    Err(format!("column {} lies outside of the file", chunk.column_path().string()))
}
