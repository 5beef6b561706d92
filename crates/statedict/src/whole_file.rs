//! Writes a file such that a crash leaves either the whole of it or none under its name.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Lets `fill` write a neighbour of `path`, makes it durable and renames it. Returns its size in bytes.
pub(crate) fn write<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<u64, E> {
    let mut partial = OsString::from(path);
    partial.push(".partial");
    let partial = Path::new(&partial);
    let written = write_through(partial, path, fill);
    if written.is_err() {
        // The first error is the one to tell; a neighbour that stays does no harm.
        _ = fs::remove_file(partial);
    }
    written
}

fn write_through<E: From<io::Error>>(
    partial: &Path,
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<u64, E> {
    let mut writer = BufWriter::new(File::create(partial)?);
    fill(&mut writer)?;
    writer.flush()?;
    let file = writer.get_ref();
    file.sync_all()?;
    let bytes = file.metadata()?.len();
    fs::rename(partial, path)?;
    // The name is in the folder's own data: without this a power cut can lose it.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(bytes)
}
