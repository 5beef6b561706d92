//! The private cluster itself: created on first use, owned by one process, stopped with it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    process::Stdio,
};

use tempfile::TempDir;

use crate::{
    Error, ServerBinaries,
    account::Account,
    address::{Address, DEFAULT_DATABASE, PORT, SUPERUSER},
    home::{self, Home},
    server::{self, Afterwards, PidFile, Server},
    statement,
};

/// Whether a commit must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It must: PostgreSQL's own defaults.
    Durable,
    /// It need not: no fsync, for tests.
    Disposable,
}

/// How to run a private cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The server programs.
    pub binaries: ServerBinaries,
    /// How many connections may be open at once.
    pub max_connections: u16,
    /// Whether commits are flushed to disk.
    pub durability: Durability,
    /// Further settings of the server, each `name=value`.
    pub settings: Vec<String>,
}

impl Options {
    /// Durable, 100 connections, with the server found on this machine.
    ///
    /// # Errors
    ///
    /// As [`ServerBinaries::find`].
    pub fn find() -> Result<Self, Error> {
        Ok(Self {
            binaries: ServerBinaries::find()?,
            max_connections: 100,
            durability: Durability::Durable,
            settings: Vec::new(),
        })
    }

    fn server_arguments(&self, socket_directory: &Path) -> Vec<String> {
        let mut settings = vec![
            "listen_addresses=".to_owned(),
            format!("port={PORT}"),
            format!("unix_socket_directories={}", socket_directory.display()),
            "unix_socket_permissions=0700".to_owned(),
            format!("max_connections={}", self.max_connections),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
            "logging_collector=off".to_owned(),
            "log_destination=stderr".to_owned(),
        ];
        if self.durability == Durability::Disposable {
            settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
        }
        settings.extend(self.settings.iter().cloned());
        settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]).collect()
    }
}

/// A PostgreSQL cluster that this process owns.
///
/// It listens on a Unix socket in a directory of mode 0700 and on no TCP port. It stops when the value is dropped, and
/// through a watchdog process also when this process is killed. As root, the server runs as `postgres` or `nobody`.
#[derive(Debug)]
pub struct PrivateCluster {
    // Fields are dropped in this order: first the server stops, then the directories and the lock go.
    server: Server,
    address: Address,
    binaries: ServerBinaries,
    data: PathBuf,
    _home: Home,
    _temporary: Option<TempDir>,
    _lock: File,
}

impl PrivateCluster {
    /// Starts the cluster in `directory`, creating it on first use, and waits until it accepts connections.
    ///
    /// `directory` takes `server.log`, `lock` and `home/`. A server left over from an owner that was killed is stopped first.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyRunning`] when another process owns it (see [`attach`]); otherwise whatever kept it from starting.
    pub fn start(directory: &Path, options: &Options) -> Result<Self, Error> {
        Self::start_in(directory, options, None)
    }

    /// Starts an empty cluster in a temporary directory, without fsync, for tests.
    ///
    /// Server and directory go when the value is dropped and also when the process is killed.
    ///
    /// # Errors
    ///
    /// As [`PrivateCluster::start`].
    pub fn temporary() -> Result<Self, Error> {
        Self::temporary_with(&Options { max_connections: 200, durability: Durability::Disposable, ..Options::find()? })
    }

    /// Starts an empty cluster in a temporary directory: for a measurement, say, which needs fsync and goes as it came.
    ///
    /// # Errors
    ///
    /// As [`PrivateCluster::start`].
    pub fn temporary_with(options: &Options) -> Result<Self, Error> {
        let directory = home::temporary(&Account::choose()?)?;
        let path = directory.path().to_path_buf();
        Self::start_in(&path, options, Some(directory))
    }

    fn start_in(directory: &Path, options: &Options, temporary: Option<TempDir>) -> Result<Self, Error> {
        let account = Account::choose()?;
        fs::create_dir_all(directory).map_err(Error::io("create the directory", directory))?;
        let directory = fs::canonicalize(directory).map_err(Error::io("resolve", directory))?;
        let lock = acquire(&directory)?;
        let home = Home::open(&directory, &account)?;
        let data = home.data();
        server::stop_orphan(&data)?;
        initialise(&data, &options.binaries, &account)?;

        let arguments = options.server_arguments(home.socket_directory());
        let afterwards = if temporary.is_some() { Afterwards::Remove(&directory) } else { Afterwards::Keep };
        let shell = account.command(Path::new("/bin/sh"));
        let log = directory.join("server.log");
        let server = Server::start(shell, &options.binaries.program("postgres"), &arguments, &data, &log, afterwards)?;
        let cluster = Self {
            server,
            address: Address::new(home.socket_directory().to_path_buf()),
            binaries: options.binaries.clone(),
            data,
            _home: home,
            _temporary: temporary,
            _lock: lock,
        };
        cluster.ensure_database(DEFAULT_DATABASE)?;
        Ok(cluster)
    }

    /// The URL of the database `spillway`, over the socket; libpq and sqlx both read it.
    #[must_use]
    pub fn url(&self) -> String {
        self.address.url(DEFAULT_DATABASE)
    }

    /// Where the server listens, for the URLs of other databases.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The server's process, while it runs.
    #[must_use]
    pub fn server_pid(&self) -> Option<u32> {
        PidFile::read(&self.data).map(|file| file.pid)
    }

    /// The process that stops the server when this one is gone.
    #[must_use]
    pub fn watchdog_pid(&self) -> Option<u32> {
        self.server.watchdog_pid()
    }

    /// Creates an empty database and returns its URL.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`], or [`Error::Statement`] when it exists already.
    pub fn create_database(&self, name: &str) -> Result<String, Error> {
        let statement = format!("create database {}", statement::valid_name(name)?);
        statement::query(&self.binaries, &self.address.url("postgres"), &statement)?;
        Ok(self.address.url(name))
    }

    /// Runs one statement in `database` through `psql` and returns its rows as lines, columns parted by `|`.
    ///
    /// # Errors
    ///
    /// [`Error::Statement`] with the server's words.
    pub fn query(&self, database: &str, statement: &str) -> Result<String, Error> {
        statement::query(&self.binaries, &self.address.url(database), statement)
    }

    /// Runs a file of SQL in `database` through `psql`, in one transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Statement`] with the server's words.
    pub fn run_file(&self, database: &str, path: &Path) -> Result<(), Error> {
        statement::file(&self.binaries, &self.address.url(database), path).map(drop)
    }

    /// Stops the server (open transactions are rolled back) and waits for its end.
    ///
    /// # Errors
    ///
    /// [`Error::StopTimedOut`] when it had to be killed.
    pub fn stop(mut self) -> Result<(), Error> {
        self.server.stop()
    }

    fn ensure_database(&self, name: &str) -> Result<(), Error> {
        let statement = format!("select 1 from pg_database where datname = '{name}'");
        let found = statement::query(&self.binaries, &self.address.url("postgres"), &statement)?;
        if found.is_empty() {
            self.create_database(name)?;
        }
        Ok(())
    }
}

/// Finds the running cluster in `directory`, which another process owns.
///
/// # Errors
///
/// [`Error::NotRunning`] when there is none.
pub fn attach(directory: &Path) -> Result<Address, Error> {
    let data = directory.join("home").join("data");
    PidFile::read(&data)
        .filter(|file| file.is_ready() && file.is_alive(&data))
        .map(|file| Address::new(file.socket_directory))
        .ok_or_else(|| Error::NotRunning { directory: directory.to_path_buf() })
}

/// Deletes the cluster in `directory` with all its data, also where the data lies elsewhere. No cluster is no error.
///
/// # Errors
///
/// [`Error::AlreadyRunning`] while a process owns it.
pub fn remove(directory: &Path) -> Result<(), Error> {
    if !directory.is_dir() {
        return Ok(());
    }
    let _lock = acquire(directory)?;
    let home = directory.join("home");
    if let Ok(real) = fs::canonicalize(&home) {
        server::stop_orphan(&real.join("data"))?;
        fs::remove_dir_all(&real).map_err(Error::io("remove", real))?;
    }
    fs::remove_dir_all(directory).map_err(Error::io("remove", directory))
}

/// Takes the cluster's lock, which the kernel releases when this process ends, however it ends.
fn acquire(directory: &Path) -> Result<File, Error> {
    let path = directory.join("lock");
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(Error::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let owner = PidFile::read(&directory.join("home").join("data"))
                .map_or_else(|| "it is starting or stopping".to_owned(), |file| format!("server process {}", file.pid));
            Err(Error::AlreadyRunning { directory: directory.to_path_buf(), owner })
        }
        Err(TryLockError::Error(source)) => Err(Error::io("lock", path)(source)),
    }
}

/// Runs `initdb` where there is no cluster yet; one that was cut short is begun again.
fn initialise(data: &Path, binaries: &ServerBinaries, account: &Account) -> Result<(), Error> {
    if let Ok(version) = fs::read_to_string(data.join("PG_VERSION")) {
        return match version.trim() {
            found if found == binaries.version().to_string() => Ok(()),
            found => Err(Error::OtherVersion {
                directory: data.to_path_buf(),
                found: found.to_owned(),
                installed: binaries.version(),
            }),
        };
    }
    let unfinished = data.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(Error::io("remove the unfinished cluster", &unfinished))?;
    }
    let program = binaries.program("initdb");
    let output = account
        .command(&program)
        .arg("--pgdata")
        .arg(&unfinished)
        .args(["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"])
        .stdin(Stdio::null())
        .output()
        .map_err(Error::io("run", &program))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::InitFailed { directory: data.to_path_buf(), output });
    }
    // Under its name only when complete: a cluster cut short must not be taken for one.
    fs::rename(&unfinished, data).map_err(Error::io("put in place", data))
}
