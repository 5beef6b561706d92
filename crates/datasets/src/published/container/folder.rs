//! A folder as its archive extracts to it.

use std::fs::{self, File};
use std::path::Path;

use super::{Listing, Member, Visit};
use crate::published::error::PublishedError;

/// Deepest nesting that is followed, so that a link to a folder above ends somewhere.
const MAX_DEPTH: usize = 8;

pub fn list(path: &Path, listing: &mut Listing) -> Result<(), PublishedError> {
    walk(path, &root_name(path), 0, listing)
}

fn walk(folder: &Path, name: &str, depth: usize, listing: &mut Listing) -> Result<(), PublishedError> {
    if depth == MAX_DEPTH {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(PublishedError::Io)? {
        let entry = entry.map_err(PublishedError::Io)?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        // Links are followed: large datasets lie on other disks.
        match fs::metadata(entry.path()) {
            Ok(metadata) if metadata.is_dir() => walk(&entry.path(), &name, depth + 1, listing)?,
            Ok(_) => listing.add(&name, 0)?,
            Err(error) => return Err(PublishedError::Io(error)),
        }
    }
    Ok(())
}

pub fn read_each(path: &Path, wanted: &[&Member], visit: &mut Visit<'_>) -> Result<(), PublishedError> {
    let prefix = root_name(path).len() + 1;
    for (position, member) in wanted.iter().enumerate() {
        let mut file = File::open(path.join(&member.name[prefix..])).map_err(PublishedError::Io)?;
        visit(position, &member.name, &mut file)?;
    }
    Ok(())
}

/// The folder's own name, which begins the names in the archive too.
fn root_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
