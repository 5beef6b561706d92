//! The cluster's database: the user's own, or a private PostgreSQL in the state folder.

use std::path::Path;

use anyhow::Context;
use localdb::{Options, PrivateCluster};
use tokio::task::spawn_blocking;

use crate::failure::Failure;

/// A database that programs can be given.
#[derive(Debug)]
pub enum Database {
    /// The user's, by its address.
    Given(String),
    /// Ours: it stops with this process.
    Private(Box<PrivateCluster>),
}

impl Database {
    /// Takes the database `given`, or starts a private one.
    pub async fn open(given: Option<String>, state_dir: &Path) -> Result<Self, Failure> {
        if let Some(url) = given {
            return Ok(Self::Given(url));
        }
        let directory = state_dir.join("postgres");
        eprintln!("starting PostgreSQL in {}", directory.display());
        let start = move || PrivateCluster::start(&directory, &Options::find()?);
        let cluster = spawn_blocking(start).await.context("the start of PostgreSQL was interrupted")?;
        Ok(Self::Private(Box::new(cluster.context("cannot start the private PostgreSQL")?)))
    }

    /// Its address, which may hold a password.
    pub fn url(&self) -> String {
        match self {
            Self::Given(url) => url.clone(),
            Self::Private(cluster) => cluster.url(),
        }
    }

    /// How to reach it with psql; an address that the user gave is not repeated, since it may hold a password.
    pub fn for_psql(&self) -> String {
        match self {
            Self::Given(_) => "the database that you gave".to_owned(),
            Self::Private(cluster) => format!("DATABASE_URL='{}'", cluster.url()),
        }
    }

    /// Stops a private database; leaves the user's alone.
    pub async fn close(self) -> Result<(), Failure> {
        let Self::Private(cluster) = self else { return Ok(()) };
        let stopped = spawn_blocking(move || cluster.stop()).await.context("the stop of PostgreSQL was interrupted")?;
        Ok(stopped.context("cannot stop the private PostgreSQL")?)
    }
}
