//! The database of a cluster, and what may befall it.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use localdb::{DEFAULT_DATABASE, Options, PrivateCluster};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a server may take to come up again; what is left of the one before must end first.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Pause between two tries to start it.
const START_PAUSE: Duration = Duration::from_millis(100);

/// What a cluster asks of its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// It lives once and need not survive: quick.
    Disposable,
    /// It can be stopped, killed and started again, and keeps what was committed.
    Restartable,
}

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Open transactions are rolled back, connections closed.
    Fast,
    /// Every process of it ends at once; the next start recovers.
    Immediate,
    /// The main process is killed; the others notice.
    Killed,
}

/// A private Postgres.
#[derive(Debug)]
pub struct Database {
    running: Option<PrivateCluster>,
    /// Where a restartable one lives.
    folder: Option<TempDir>,
}

impl Database {
    /// Starts an empty database.
    ///
    /// # Errors
    /// When there is no server on this machine, or it does not come up.
    pub fn start(persistence: Persistence) -> anyhow::Result<Self> {
        if persistence == Persistence::Disposable {
            return Ok(Self { running: Some(PrivateCluster::temporary()?), folder: None });
        }
        let folder = tempfile::Builder::new().prefix("spillway-chaos-db-").tempdir()?;
        // The server of a test that runs as root runs as another user, who must get to its data.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711))?;
        let running = Some(PrivateCluster::start(folder.path(), &Options::find()?)?);
        Ok(Self { running, folder: Some(folder) })
    }

    /// The server, while it runs.
    #[must_use]
    pub fn server(&self) -> Option<&PrivateCluster> {
        self.running.as_ref()
    }

    /// Where the server listens, while it runs.
    #[must_use]
    pub fn socket(&self) -> Option<PathBuf> {
        self.running.as_ref().map(|server| server.address().socket_directory().join(".s.PGSQL.5432"))
    }

    /// Runs SQL as a user would.
    ///
    /// # Errors
    /// When the server is down or refuses.
    pub fn query(&self, statement: &str) -> anyhow::Result<String> {
        let server = self.running.as_ref().context("the database is down")?;
        Ok(server.query(DEFAULT_DATABASE, statement)?)
    }

    /// Ends the server, if it runs, and waits until its main process is gone. Only a restartable one comes back.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn end(&mut self, ending: Ending) -> anyhow::Result<()> {
        let Some(server) = self.running.take() else { return Ok(()) };
        let signal = match ending {
            Ending::Fast => None,
            Ending::Immediate => Some(Signal::QUIT),
            Ending::Killed => Some(Signal::KILL),
        };
        if let Some(signal) = signal {
            let pid = server.server_pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
            kill_process(pid.context("the server has no main process")?, signal)?;
        }
        // A fast shutdown, or the end of a watchdog that has lost its server.
        Ok(server.stop()?)
    }

    /// Starts the server again, unless it runs.
    ///
    /// # Errors
    /// When it does not come up within a minute.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        let folder = self.folder.as_ref().context("this database lives only once")?;
        let options = Options::find()?;
        let deadline = std::time::Instant::now() + START_LIMIT;
        while self.running.is_none() {
            match PrivateCluster::start(folder.path(), &options) {
                Ok(server) => self.running = Some(server),
                // Processes of a killed server still hold its memory, and Postgres refuses to start beside them.
                Err(error) => {
                    ensure!(std::time::Instant::now() < deadline, "the database does not start again: {error}");
                    std::thread::sleep(START_PAUSE);
                }
            }
        }
        Ok(())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.running = None;
        if let Some(folder) = &self.folder {
            // Its data may lie elsewhere; what cannot be removed is left to the system's temporary folder.
            let _ = localdb::remove(folder.path());
        }
    }
}
