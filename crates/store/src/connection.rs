//! The connection pool, and waiting for a database that is not there yet.

use std::{str::FromStr, time::Duration};

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::Instant;
use tracing::{info, warn};
use url::Url;

use crate::{StoreError, assignment::Documents};

/// First pause between two tries to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause between two tries to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Longest wait for a connection of the pool.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A statement that takes longer than this is ended by the server, and so is a transaction that idles as long: no lock outlives a
/// coordinator that hangs.
const SERVER_TIMEOUT: &str = "30s";
/// How an address begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Connection {
    /// `postgres://…`.
    pub address: String,
    /// Most connections at once.
    pub max_connections: u32,
    /// How long to keep trying when it does not answer at the start.
    pub patience: Duration,
}

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
    pub(crate) documents: Documents,
}

impl Store {
    /// Connects, waiting for a database that does not answer yet.
    ///
    /// # Errors
    /// [`StoreError::Address`] at once; [`StoreError::Unavailable`] after [`Connection::patience`]; a refusal by the server (unknown
    /// user, unknown database) at once.
    pub async fn connect(connection: &Connection) -> Result<Self, StoreError> {
        let address = without_password(&connection.address);
        let refuse = |reason: String| StoreError::Address { address: address.clone(), reason };
        if !SCHEMES.iter().any(|scheme| connection.address.starts_with(scheme)) {
            return Err(refuse("it does not begin with postgres://".to_owned()));
        }
        let options = PgConnectOptions::from_str(&connection.address)
            .map_err(|error| refuse(error.to_string()))?
            .application_name("spillway")
            .options([("statement_timeout", SERVER_TIMEOUT), ("idle_in_transaction_session_timeout", SERVER_TIMEOUT)]);
        let pool = PgPoolOptions::new()
            .max_connections(connection.max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options);
        wait_for(&pool, &address, connection.patience).await?;
        Ok(Self { pool, documents: Documents::default() })
    }

    /// Brings the schema up to date, and lets the role `spillway_reader` read its views; coordinators that start together wait for
    /// each other.
    ///
    /// # Errors
    /// [`StoreError::Migration`].
    pub async fn migrate(&self) -> Result<(), StoreError> {
        sqlx::migrate!("../../migrations").run(&self.pool).await?;
        let granted = self.grant_views().await?;
        if granted > 0 {
            info!(views = granted, "views shown to readers");
        }
        Ok(())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.pool.acquire().await?;
        Ok(())
    }
}

async fn wait_for(pool: &PgPool, address: &str, patience: Duration) -> Result<(), StoreError> {
    let deadline = Instant::now() + patience;
    let mut pause = FIRST_PAUSE;
    let mut said = false;
    loop {
        // The pool would retry a refused connection until its own timeout, and then tell only of the timeout.
        let refusal = match try_once(pool).await {
            Ok(()) => {
                info!(address, "database answered");
                return Ok(());
            }
            Err(refusal) => refusal,
        };
        if !refusal.is_outage() || Instant::now() + pause > deadline {
            return Err(refusal);
        }
        if !said {
            warn!(
                "the database at {address} does not answer ({refusal}): start PostgreSQL there, or set SPILLWAY_DATABASE_URL; \
                 trying for {} s",
                patience.as_secs()
            );
            said = true;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn try_once(pool: &PgPool) -> Result<(), StoreError> {
    use sqlx::{ConnectOptions, Connection as _};

    let connecting = pool.connect_options().as_ref().clone();
    let connection = tokio::time::timeout(ACQUIRE_TIMEOUT, connecting.connect())
        .await
        .map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))??;
    Ok(connection.close().await?)
}

/// The address as it may be shown: its password replaced by stars.
#[must_use]
pub fn without_password(address: &str) -> String {
    // `user:password@host` without a scheme parses too, as a URL of scheme `user`.
    let Some(mut url) = Url::parse(address).ok().filter(|url| !url.cannot_be_a_base()) else {
        return match address.split_once('@') {
            Some((_, host)) => format!("…@{host}"),
            None => address.to_owned(),
        };
    };
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return format!("{}://…", url.scheme());
    }
    let shown: Vec<(String, String)> = url
        .query_pairs()
        .map(|(key, value)| {
            let value = if key == "password" { "***".to_owned() } else { value.into_owned() };
            (key.into_owned(), value)
        })
        .collect();
    if shown.iter().any(|(key, _)| key == "password") {
        url.query_pairs_mut().clear().extend_pairs(shown);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(without_password("postgres://ada:secret@db/spillway"), "postgres://ada:***@db/spillway");
        assert!(!without_password("postgres:///spillway?host=/run&password=secret").contains("secret"));
        assert!(!without_password("ada:secret@db").contains("secret"));
    }

    #[test]
    fn an_address_without_a_password_is_shown_as_it_is() {
        assert_eq!(
            without_password("postgres:///spillway?host=/run&user=ada"),
            "postgres:///spillway?host=/run&user=ada"
        );
    }
}
