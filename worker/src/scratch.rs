//! The worker's folder for files on their way. It goes with the worker; what a killed worker left behind goes with the next
//! one that starts in the same place.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use tracing::{info, warn};

/// How the name of a worker's folder begins.
const PREFIX: &str = "spillway-worker-";
/// How the name begins while the folder is not locked yet, so that nobody takes it for a dead worker's.
const UNFINISHED: &str = "spillway-new-worker-";
/// The file in it that its owner keeps locked. The kernel unlocks it when the owner ends, however it ends.
const LOCK: &str = "lock";

/// A folder of this process's own. Dropped, it is removed.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Removes what dead workers left in `parent`, the system's temporary folder when absent, and makes a new folder there.
    ///
    /// # Errors
    /// The folder cannot be made. What cannot be removed is no error: the next start tries again.
    pub fn claim(parent: Option<&Path>) -> io::Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        sweep(&parent);
        let unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&parent)?;
        let lock = File::create(unfinished.path().join(LOCK))?;
        lock.try_lock().map_err(io::Error::from)?;
        let name = unfinished.path().file_name().unwrap_or_default().to_string_lossy().replace(UNFINISHED, PREFIX);
        let finished = parent.join(name);
        fs::rename(unfinished.path(), &finished)?;
        // It has moved: there is nothing left for its guard to remove.
        let _moved = unfinished.keep();
        Ok(Self { folder: finished, _lock: lock })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            warn!(folder = %self.folder.display(), %error, "the worker's folder was not removed");
        }
    }
}

/// Removes the folders of workers that ended without removing theirs.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let folder = entry.path();
        // Held until the folder is gone: two workers that start together do not remove the same one.
        let Ok(lock) = File::open(folder.join(LOCK)) else { continue };
        if lock.try_lock().is_err() {
            continue;
        }
        match fs::remove_dir_all(&folder) {
            Ok(()) => info!(folder = %folder.display(), "folder of a dead worker removed"),
            Err(error) => warn!(folder = %folder.display(), %error, "folder of a dead worker was not removed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(parent: &Path) -> Vec<String> {
        fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn folder_goes_with_its_owner() {
        let parent = tempfile::tempdir().unwrap();

        let scratch = Scratch::claim(Some(parent.path())).unwrap();
        assert!(scratch.path().is_dir() && names(parent.path()).iter().all(|name| name.starts_with(PREFIX)));
        drop(scratch);

        assert_eq!(names(parent.path()), Vec::<String>::new());
    }

    #[test]
    fn dead_workers_folder_is_removed_and_a_living_ones_stays() {
        let parent = tempfile::tempdir().unwrap();
        let living = Scratch::claim(Some(parent.path())).unwrap();
        // What SIGKILL leaves: files, and a lock that nobody holds.
        let dead = parent.path().join(format!("{PREFIX}dead"));
        fs::create_dir_all(dead.join("attempt-1")).unwrap();
        fs::write(dead.join("attempt-1/checkpoint"), "bytes").unwrap();
        File::create(dead.join(LOCK)).unwrap();

        let own = Scratch::claim(Some(parent.path())).unwrap();

        assert!(!dead.exists() && living.path().is_dir() && own.path().is_dir());
    }

    #[test]
    fn folders_of_others_are_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["spillway-worker-without-a-lock", "spillway-new-worker-x", "something-else"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }

        let _own = Scratch::claim(Some(parent.path())).unwrap();

        assert_eq!(names(parent.path()).len(), 4);
    }
}
