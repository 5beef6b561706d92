//! A zip archive.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::{Listing, Member, Visit};
use crate::published::error::PublishedError;

pub fn list(path: &Path, listing: &mut Listing) -> Result<(), PublishedError> {
    for (place, name) in open(path)?.file_names().enumerate() {
        let name = name.map_err(|error| of_zip(error, "its list of files"))?;
        if !name.ends_with('/') {
            listing.add(&name, place)?;
        }
    }
    Ok(())
}

pub fn read_each(path: &Path, wanted: &[&Member], visit: &mut Visit<'_>) -> Result<(), PublishedError> {
    let mut archive = open(path)?;
    for (position, member) in wanted.iter().enumerate() {
        let mut file = archive.by_index(member.place).map_err(|error| of_zip(error, &member.name))?;
        visit(position, &member.name, &mut file)?;
    }
    Ok(())
}

fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>, PublishedError> {
    let file = File::open(path).map_err(PublishedError::Io)?;
    ZipArchive::new(BufReader::with_capacity(1 << 16, file)).map_err(|error| of_zip(error, "its list of files"))
}

fn of_zip(error: ZipError, what: &str) -> PublishedError {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::Other => PublishedError::of_reading(error),
        other => PublishedError::damaged(format!("{what}: {other}")),
    }
}
