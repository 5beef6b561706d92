//! One server for all tests of a process, a fresh database for each.

use std::{
    env, process,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{Error, PrivateCluster, ServerBinaries, address, statement};

/// The variable that names a server for the tests to share; `cargo xtask test` sets it.
pub const TEST_DATABASE_URL: &str = "SPILLWAY_TEST_DATABASE_URL";

/// A server that tests create their databases on.
#[derive(Debug)]
pub struct TestServer {
    url: String,
    binaries: ServerBinaries,
    /// Holds the server up when it is our own.
    _cluster: Option<PrivateCluster>,
}

impl TestServer {
    /// Creates an empty database with a name of its own and returns its URL. Nobody removes it; the server is temporary.
    ///
    /// # Errors
    ///
    /// [`Error::Statement`] when the server refuses.
    pub fn fresh_database(&self) -> Result<String, Error> {
        static CREATED: AtomicU32 = AtomicU32::new(0);
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        // The process id alone could come back on a server that outlives this process.
        let started = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_micros());
        let name = format!("test_{}_{number}_{started}", process::id());
        statement::query(&self.binaries, &self.url, &format!("create database {name}"))?;
        address::with_database(&self.url, &name)
    }
}

/// The server in `SPILLWAY_TEST_DATABASE_URL`, or a temporary one that this process starts on the first call and that
/// goes with the process.
///
/// # Errors
///
/// As [`PrivateCluster::temporary`]; a failed start is tried again by the next call.
pub fn shared_for_tests() -> Result<&'static TestServer, Error> {
    static SERVER: OnceLock<TestServer> = OnceLock::new();
    static STARTING: std::sync::Mutex<()> = std::sync::Mutex::new(());

    // Tests begin on many threads at once; only one may start the server.
    let _starting = STARTING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(server) = SERVER.get() {
        return Ok(server);
    }
    let server = connect_or_start()?;
    Ok(SERVER.get_or_init(|| server))
}

fn connect_or_start() -> Result<TestServer, Error> {
    if let Ok(url) = env::var(TEST_DATABASE_URL) {
        return Ok(TestServer { url, binaries: ServerBinaries::find()?, _cluster: None });
    }
    let cluster = PrivateCluster::temporary()?;
    Ok(TestServer { url: cluster.url(), binaries: ServerBinaries::find()?, _cluster: Some(cluster) })
}
