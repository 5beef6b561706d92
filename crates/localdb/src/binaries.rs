//! Finds the server programs on this machine. It runs none but `postgres --version`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Error;

/// The oldest major version of PostgreSQL that Spillway's SQL runs on.
pub const MINIMUM_VERSION: u32 = 15;

/// The programs of a server package that are needed; a directory counts only when it holds them all.
const PROGRAMS: [&str; 3] = ["postgres", "initdb", "psql"];

/// The server programs of one PostgreSQL installation, version 15 or later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerBinaries {
    directory: PathBuf,
    version: u32,
}

impl ServerBinaries {
    /// Finds an installation: first on `PATH` (links resolved), then where packages put servers, highest version first.
    ///
    /// # Errors
    ///
    /// [`Error::ServerMissing`] names the package to install, [`Error::ServerTooOld`] the version to have.
    pub fn find() -> Result<Self, Error> {
        Self::find_in(&candidates())
    }

    /// Takes the first of `directories` that holds all programs in a version that will do.
    ///
    /// # Errors
    ///
    /// As [`ServerBinaries::find`]; a version too old is reported only when no other directory will do.
    pub fn find_in(directories: &[PathBuf]) -> Result<Self, Error> {
        let mut refusal = None;
        for directory in directories.iter().filter_map(|directory| complete(directory)) {
            match Self::in_directory(directory) {
                Ok(found) => return Ok(found),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or_else(|| Error::ServerMissing { searched: searched(directories) }))
    }

    fn in_directory(directory: PathBuf) -> Result<Self, Error> {
        let program = directory.join("postgres");
        let output = Command::new(&program).arg("--version").output().map_err(Error::io("run", &program))?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = major_version(&printed).ok_or(Error::VersionUnreadable { program, printed })?;
        if version < MINIMUM_VERSION {
            return Err(Error::ServerTooOld { directory, found: version, minimum: MINIMUM_VERSION });
        }
        Ok(Self { directory, version })
    }

    /// The directory that holds `postgres`, `initdb` and `psql`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The server's major version.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// The directory behind `directory/postgres`, links resolved, when every program lies there.
fn complete(directory: &Path) -> Option<PathBuf> {
    let resolved = fs::canonicalize(directory.join("postgres")).ok()?;
    let home = resolved.parent()?;
    PROGRAMS.iter().all(|program| home.join(program).is_file()).then(|| home.to_path_buf())
}

fn candidates() -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    // Debian and Ubuntu; the PostgreSQL project's own packages for Fedora and its kin; Homebrew on both kinds of Mac.
    for (parent, prefix, suffix) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
    ] {
        directories.extend(by_version(Path::new(parent), prefix).into_iter().map(|found| found.join(suffix)));
    }
    directories.push(PathBuf::from("/usr/local/pgsql/bin"));
    directories
}

/// The entries of `parent` named `prefix` and a number, highest number first.
fn by_version(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    versions.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    versions.into_iter().map(|(_, path)| path).collect()
}

/// Reads 17 from `postgres (PostgreSQL) 17.2 (Debian …)` and from `17rc1`.
fn major_version(printed: &str) -> Option<u32> {
    let (_, version) = printed.split_once("(PostgreSQL) ")?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn searched(directories: &[PathBuf]) -> String {
    if directories.is_empty() {
        return "no directory at all".to_owned();
    }
    let shown: Vec<String> = directories.iter().map(|directory| directory.display().to_string()).collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fake_installation(version: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for program in PROGRAMS {
            let path = directory.path().join(program);
            let script = format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n");
            // Written by another process: a child that another test forks meanwhile would hold our file open, and a
            // program that is open for writing cannot be run.
            let mut shell = Command::new("sh");
            shell.args(["-c", "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", &script]).arg(&path);
            assert!(shell.status().unwrap().success());
        }
        directory
    }

    #[test]
    fn missing_server_names_the_package() {
        let error = ServerBinaries::find_in(&[]).unwrap_err();

        assert!(matches!(error, Error::ServerMissing { .. }));
        assert!(error.to_string().contains("apt-get install postgresql"), "{error}");
    }

    #[test]
    fn old_server_is_refused_and_a_newer_one_behind_it_taken() {
        let old = fake_installation("13.4");
        let new = fake_installation("17rc1");

        let refusal = ServerBinaries::find_in(&[old.path().to_path_buf()]).unwrap_err();
        let found = ServerBinaries::find_in(&[old.path().to_path_buf(), new.path().to_path_buf()]).unwrap();

        assert!(matches!(refusal, Error::ServerTooOld { found: 13, minimum: 15, .. }), "{refusal}");
        assert_eq!(found.version(), 17);
    }

    #[test]
    fn directory_without_initdb_is_passed_over() {
        let incomplete = fake_installation("17.1");
        fs::remove_file(incomplete.path().join("initdb")).unwrap();

        let refusal = ServerBinaries::find_in(&[incomplete.path().to_path_buf()]).unwrap_err();

        assert!(matches!(refusal, Error::ServerMissing { .. }), "{refusal}");
    }

    #[test]
    fn versions_are_sorted_as_numbers() {
        let parent = tempfile::tempdir().unwrap();
        for version in ["9", "15", "17", "other"] {
            fs::create_dir(parent.path().join(version)).unwrap();
        }

        let found = by_version(parent.path(), "");

        let names: Vec<_> = found.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        assert_eq!(names, ["17", "15", "9"]);
    }
}
