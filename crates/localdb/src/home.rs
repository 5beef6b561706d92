//! The directory that the server owns, at a place where the server's user can get.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{Error, account::Account, address::PORT};

/// A socket's path may have 107 bytes on Linux and 103 on macOS, whatever the file system allows.
const SOCKET_PATH_LIMIT: usize = 103;

/// Where root keeps clusters whose requested directory the server's user cannot reach.
const PLACES_FOR_ROOT: [&str; 2] = ["/var/lib/spillway", "/var/tmp/spillway"];

/// What a server owns: `data/` and, when its path is short enough, `socket/`.
#[derive(Debug)]
pub(crate) struct Home {
    directory: PathBuf,
    socket_directory: PathBuf,
    /// Removes the socket's directory with the cluster when it had to lie elsewhere.
    _short_socket_directory: Option<TempDir>,
}

impl Home {
    /// Opens or creates the home of the cluster in `directory`.
    ///
    /// It is `directory/home`. When the server's user cannot enter `directory`, that name is a link to where the home really is.
    pub(crate) fn open(directory: &Path, account: &Account) -> Result<Self, Error> {
        let requested = directory.join("home");
        let home = match fs::canonicalize(&requested) {
            Ok(existing) => existing,
            Err(_) if account.can_enter(directory) => requested,
            Err(_) => hosted_elsewhere(&requested, account)?,
        };
        account.own_directory(&home)?;
        let (socket_directory, short) = place_for_socket(&home, account)?;
        Ok(Self { directory: home, socket_directory, _short_socket_directory: short })
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(crate) fn socket_directory(&self) -> &Path {
        &self.socket_directory
    }
}

/// A fresh directory in the temporary folder that the account owns; in `/tmp` when it cannot reach the caller's own.
pub(crate) fn temporary(account: &Account) -> Result<TempDir, Error> {
    let places = [std::env::temp_dir(), PathBuf::from("/tmp")];
    for place in &places {
        let Ok(directory) = tempfile::Builder::new().prefix("spillway-db-").tempdir_in(place) else { continue };
        account.own_directory(directory.path())?;
        if account.can_enter(directory.path()) {
            return Ok(directory);
        }
    }
    Err(unreachable(account, &places))
}

/// Makes a home under one of root's places and leaves a link to it at `requested`.
///
/// The name is random and the link the only record of it: whoever deletes the requested directory starts afresh.
fn hosted_elsewhere(requested: &Path, account: &Account) -> Result<PathBuf, Error> {
    // A link without its target is left from a cluster that somebody removed.
    if requested.is_symlink() {
        fs::remove_file(requested).map_err(Error::io("remove the dangling link", requested))?;
    }
    let places = PLACES_FOR_ROOT.map(PathBuf::from);
    for place in &places {
        if !is_roots_own(place) || !account.can_enter(place) {
            continue;
        }
        let created = tempfile::Builder::new().prefix("cluster-").tempdir_in(place);
        let home = created.map_err(Error::io("create a directory in", place))?.keep();
        symlink(&home, requested).map_err(Error::io("create the link", requested))?;
        return Ok(home);
    }
    Err(unreachable(account, &places))
}

/// Creates the place, open to all and writable for root alone. One that somebody else made first, where everybody may
/// write, is not used: they could exchange what lies in it.
fn is_roots_own(place: &Path) -> bool {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};

    let created = fs::DirBuilder::new().mode(0o755).create(place).is_ok();
    // The mode above is cut by the caller's umask.
    let opened = !created || fs::set_permissions(place, fs::Permissions::from_mode(0o755)).is_ok();
    opened && fs::symlink_metadata(place).is_ok_and(|found| found.is_dir() && found.uid() == 0)
}

fn place_for_socket(home: &Path, account: &Account) -> Result<(PathBuf, Option<TempDir>), Error> {
    let beside = home.join("socket");
    let socket = beside.join(format!(".s.PGSQL.{PORT}"));
    if socket.as_os_str().len() <= SOCKET_PATH_LIMIT {
        account.own_directory(&beside)?;
        return Ok((beside, None));
    }
    let short = temporary(account)?;
    Ok((short.path().to_path_buf(), Some(short)))
}

fn unreachable(account: &Account, places: &[PathBuf]) -> Error {
    let tried: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    Error::Unreachable { user: account.name().to_owned(), tried: tried.join(", ") }
}
