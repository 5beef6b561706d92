//! Where the coordinator is: as told, else where `spillway up` says it runs, else the default.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use tonic::transport::Endpoint;

/// Where a coordinator on this machine listens when nobody says otherwise.
pub const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:7450";
/// The file in the state folder that holds the address while `spillway up` runs.
const FILE: &str = "endpoint";

/// How every command finds the cluster.
#[derive(Debug, Args)]
pub struct Cluster {
    /// The coordinator's address [default: what `spillway up` wrote into the state folder, else http://127.0.0.1:7450]
    #[arg(long, global = true, env = "SPILLWAY_ENDPOINT", value_name = "URL", value_parser = parse)]
    endpoint: Option<Endpoint>,
    /// The folder in which `spillway up` keeps its database, artifacts and logs
    #[arg(long, global = true, env = "SPILLWAY_STATE_DIR", value_name = "DIR", default_value = ".spillway")]
    pub state_dir: PathBuf,
}

impl Cluster {
    /// The coordinator to talk to.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint.clone().unwrap_or_else(|| {
            let written = fs::read_to_string(self.state_dir.join(FILE)).unwrap_or_default();
            parse(written.trim()).unwrap_or_else(|_| Endpoint::from_static(DEFAULT_ENDPOINT))
        })
    }
}

/// The note for other commands that a cluster runs here; gone when dropped.
#[derive(Debug)]
pub struct Announcement {
    path: PathBuf,
}

impl Announcement {
    /// Writes `endpoint` into the state folder, whole or not at all: others may read at any moment.
    pub fn write(state_dir: &Path, endpoint: &str) -> io::Result<Self> {
        let path = state_dir.join(FILE);
        let draft = state_dir.join("endpoint.new");
        fs::write(&draft, format!("{endpoint}\n"))?;
        fs::rename(&draft, &path)?;
        Ok(Self { path })
    }

    /// Removes what a cluster left that was killed.
    pub fn clear(state_dir: &Path) -> io::Result<()> {
        match fs::remove_file(state_dir.join(FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // Left behind it costs a reader one refused connection.
        let _ = fs::remove_file(&self.path);
    }
}

fn parse(text: &str) -> Result<Endpoint, String> {
    let endpoint = Endpoint::from_shared(text.to_owned()).map_err(|error| format!("not an address: {error}"))?;
    match endpoint.uri().scheme_str() {
        Some("http") if endpoint.uri().host().is_some() => Ok(endpoint),
        Some(_) | None => Err("an address like http://host:7450 expected".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(state_dir: &Path) -> String {
        let cluster = Cluster { endpoint: None, state_dir: state_dir.to_owned() };
        cluster.endpoint().uri().to_string()
    }

    #[test]
    fn an_announced_cluster_is_found_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();

        assert_eq!(found(folder.path()), "http://127.0.0.1:7450/");
        let announcement = Announcement::write(folder.path(), "http://127.0.0.1:9999").unwrap();
        assert_eq!(found(folder.path()), "http://127.0.0.1:9999/");
        drop(announcement);
        assert_eq!(found(folder.path()), "http://127.0.0.1:7450/");
    }

    #[test]
    fn what_a_killed_cluster_left_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        std::mem::forget(Announcement::write(folder.path(), "http://127.0.0.1:9999").unwrap());

        Announcement::clear(folder.path()).unwrap();
        Announcement::clear(folder.path()).unwrap();

        assert_eq!(found(folder.path()), "http://127.0.0.1:7450/");
    }

    #[test]
    fn an_endpoint_that_is_given_wins() {
        let folder = tempfile::tempdir().unwrap();
        let _announcement = Announcement::write(folder.path(), "http://127.0.0.1:9999").unwrap();

        let cluster = Cluster { endpoint: Some(parse("http://far:1").unwrap()), state_dir: folder.path().to_owned() };

        assert_eq!(cluster.endpoint().uri().to_string(), "http://far:1/");
    }
}
