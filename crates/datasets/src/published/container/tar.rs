//! A tar archive, plain or gzip, read from its beginning to its end.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, EntryType, PaxExtensions};

use super::{Listing, MAX_NAME_BYTES, Member, Visit};
use crate::published::error::PublishedError;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Longest extended header read.
const MAX_EXTENSION_BYTES: u64 = 1 << 16;

/// What is read of each file: its index, its name and its bytes; it says whether to go on.
type VisitFile<'a> = dyn FnMut(usize, &str, &mut dyn Read) -> Result<bool, PublishedError> + 'a;

pub fn list(path: &Path, listing: &mut Listing) -> Result<(), PublishedError> {
    let mut archive = Archive::new(open(path)?);
    each_file(&mut archive, &mut |place, name, _| {
        listing.add(name, place)?;
        Ok(true)
    })?;
    // A compressed archive is compared with its checksum only by whoever reads on to the end.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(PublishedError::of_reading)?;
    Ok(())
}

pub fn read_each(path: &Path, wanted: &[&Member], visit: &mut Visit<'_>) -> Result<(), PublishedError> {
    let mut positions: HashMap<usize, usize> =
        wanted.iter().enumerate().map(|(position, member)| (member.place, position)).collect();
    each_file(&mut Archive::new(open(path)?), &mut |place, _, reader| {
        if let Some(position) = positions.remove(&place) {
            visit(position, &wanted[position].name, reader)?;
        }
        Ok(!positions.is_empty())
    })?;
    match positions.into_values().next() {
        Some(position) => Err(PublishedError::Lacks { member: wanted[position].name.clone() }),
        None => Ok(()),
    }
}

/// Passes on index, name and bytes of each regular file until it is told to stop.
///
/// Long names are put together here: the library would take as much memory as an entry states.
fn each_file(archive: &mut Archive<Box<dyn Read>>, visit: &mut VisitFile<'_>) -> Result<(), PublishedError> {
    let mut place = 0;
    let mut long_name: Option<String> = None;
    for entry in archive.entries().map_err(PublishedError::of_reading)?.raw(true) {
        let mut entry = entry.map_err(PublishedError::of_reading)?;
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let name = extension(&mut entry, MAX_NAME_BYTES as u64)?;
                long_name = Some(String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned());
            }
            EntryType::XHeader => {
                let records = extension(&mut entry, MAX_EXTENSION_BYTES)?;
                let path = PaxExtensions::new(&records)
                    .filter_map(Result::ok)
                    .find(|record| record.key_bytes() == b"path")
                    .map(|record| String::from_utf8_lossy(record.value_bytes()).into_owned());
                long_name = path.or(long_name);
            }
            EntryType::Regular | EntryType::Continuous => {
                let short = String::from_utf8_lossy(&entry.header().path_bytes()).into_owned();
                let name = long_name.take().unwrap_or(short);
                if !visit(place, &name, &mut entry)? {
                    return Ok(());
                }
                place += 1;
            }
            _ => long_name = None,
        }
    }
    Ok(())
}

fn extension(reader: &mut dyn Read, most_bytes: u64) -> Result<Vec<u8>, PublishedError> {
    let mut bytes = Vec::new();
    reader.take(most_bytes + 1).read_to_end(&mut bytes).map_err(PublishedError::of_reading)?;
    if bytes.len() as u64 > most_bytes {
        return Err(PublishedError::damaged(format!("a name in it is longer than {most_bytes} bytes")));
    }
    Ok(bytes)
}

fn open(path: &Path) -> Result<Box<dyn Read>, PublishedError> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(PublishedError::Io)?);
    if reader.fill_buf().map_err(PublishedError::Io)?.starts_with(&GZIP_MAGIC) {
        return Ok(Box::new(MultiGzDecoder::new(reader)));
    }
    Ok(Box::new(reader))
}
