//! Everything that can keep a private cluster from running, with what to do about it.

use std::{io, path::PathBuf};

/// Why a private cluster could not be found, started, asked or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No directory holds the server programs.
    #[error(
        "no PostgreSQL server found (looked in {searched}); install it with `apt-get install postgresql` (Debian, Ubuntu), \
         `dnf install postgresql-server` (Fedora) or `brew install postgresql@17` (macOS)"
    )]
    ServerMissing {
        /// The directories that were looked at.
        searched: String,
    },
    /// The server is older than Spillway's SQL.
    #[error("PostgreSQL {found} in {} is too old; install version {minimum} or later", directory.display())]
    ServerTooOld {
        /// Where the server programs lie.
        directory: PathBuf,
        /// Its major version.
        found: u32,
        /// The oldest major version that will do.
        minimum: u32,
    },
    /// `postgres --version` printed something that holds no version.
    #[error("cannot read a version from what `{} --version` printed: {printed:?}", program.display())]
    VersionUnreadable {
        /// The program asked.
        program: PathBuf,
        /// What it printed.
        printed: String,
    },
    /// Another process owns the cluster in this directory.
    #[error("a cluster in {} is already running ({owner}); stop it or use another directory", directory.display())]
    AlreadyRunning {
        /// The cluster's directory.
        directory: PathBuf,
        /// The server's process, when it is known.
        owner: String,
    },
    /// There is no server to attach to.
    #[error("no cluster is running in {}; start one with `spillway up`", directory.display())]
    NotRunning {
        /// The cluster's directory.
        directory: PathBuf,
    },
    /// Running as root, and no unprivileged user was found.
    #[error(
        "PostgreSQL refuses to run as root and there is neither a user `postgres` nor `nobody`; create one with `useradd --system postgres`"
    )]
    NoUnprivilegedUser,
    /// No directory can be used by the unprivileged user.
    #[error("the user `{user}` cannot reach any of {tried}; give a directory that it can enter")]
    Unreachable {
        /// The user that the server runs as.
        user: String,
        /// The directories that were tried.
        tried: String,
    },
    /// `initdb` failed.
    #[error("could not create a cluster in {}: {output}", directory.display())]
    InitFailed {
        /// The data directory.
        directory: PathBuf,
        /// What `initdb` printed.
        output: String,
    },
    /// The data directory was written by another major version.
    #[error(
        "the cluster in {} was made by PostgreSQL {found}, but the server here is {installed}; install PostgreSQL {found} or move the directory away",
        directory.display()
    )]
    OtherVersion {
        /// The data directory.
        directory: PathBuf,
        /// The version that made it.
        found: String,
        /// The version installed.
        installed: u32,
    },
    /// The server ended while it started.
    #[error("PostgreSQL ended while starting; the end of {} says: {tail}", log.display())]
    StartFailed {
        /// The server's log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The server did not accept connections in time.
    #[error("PostgreSQL did not accept connections within {seconds} s; the end of {} says: {tail}", log.display())]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// The server's log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The server did not stop in time and was killed.
    #[error("PostgreSQL did not stop within {seconds} s and was killed; it recovers at its next start")]
    StopTimedOut {
        /// How long was waited.
        seconds: u64,
    },
    /// A statement was refused.
    #[error("PostgreSQL refused `{statement}`: {message}")]
    Statement {
        /// The statement, or its file.
        statement: String,
        /// What `psql` printed.
        message: String,
    },
    /// A database name that would need quoting.
    #[error("{name:?} is no database name; use up to 63 lower-case letters, digits and `_`, with a letter first")]
    InvalidName {
        /// The name.
        name: String,
    },
    /// A database URL without a database path.
    #[error("{url:?} is no PostgreSQL URL; write postgres://…/database")]
    InvalidUrl {
        /// The URL.
        url: String,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// Names the action and the path beside an error of the operating system.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
