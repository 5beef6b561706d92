//! Files that are there whole or not at all.

use std::{fs, io::Write, os::unix::fs::PermissionsExt, path::Path};

use anyhow::Context;
use tempfile::NamedTempFile;

/// Writes a file under a name that it gets only when it is whole; one of that name is replaced.
pub fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let unwritable = || format!("cannot write {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).with_context(unwritable)?;
    file.write_all(bytes).with_context(unwritable)?;
    // A temporary file is its owner's alone; what it becomes is to be shown.
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644)).with_context(unwritable)?;
    file.persist(path).with_context(unwritable)?;
    Ok(())
}
