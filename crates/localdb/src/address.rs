//! Where a cluster listens, as URLs that libpq and sqlx both read.

use std::path::{Path, PathBuf};

use crate::Error;

/// The database that every private cluster holds from its first start.
pub const DEFAULT_DATABASE: &str = "spillway";

/// The superuser of a private cluster; access is kept by the socket directory's permissions, so there is no password.
pub(crate) const SUPERUSER: &str = "spillway";

/// The number in the socket's file name; nothing listens on a TCP port.
pub(crate) const PORT: u16 = 5432;

/// A server's Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    socket_directory: PathBuf,
}

impl Address {
    pub(crate) fn new(socket_directory: PathBuf) -> Self {
        Self { socket_directory }
    }

    /// The directory that holds the socket.
    #[must_use]
    pub fn socket_directory(&self) -> &Path {
        &self.socket_directory
    }

    /// The URL of one database: `postgres:///name?host=/socket/directory&user=spillway`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let host = percent_encoded(&self.socket_directory);
        format!("postgres:///{database}?host={host}&port={PORT}&user={SUPERUSER}")
    }
}

/// The same server's URL with another database.
pub(crate) fn with_database(url: &str, database: &str) -> Result<String, Error> {
    let invalid = || Error::InvalidUrl { url: url.to_owned() };
    let (scheme, rest) = url.split_once("://").ok_or_else(invalid)?;
    let (authority, path) = rest.split_once('/').ok_or_else(invalid)?;
    let query = path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    Ok(format!("{scheme}://{authority}/{database}{query}"))
}

/// Keeps what may stand in a URL's query, and `/` for the reader's sake.
fn percent_encoded(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_characters_of_a_path_are_encoded() {
        let address = Address::new(PathBuf::from("/tmp/a b&c"));

        assert_eq!(address.url("jobs"), "postgres:///jobs?host=/tmp/a%20b%26c&port=5432&user=spillway");
    }

    #[test]
    fn database_of_a_url_is_replaced_and_the_rest_kept() {
        let url = with_database("postgres://me:secret@db:5433/old?sslmode=require", "new").unwrap();

        assert_eq!(url, "postgres://me:secret@db:5433/new?sslmode=require");
        assert!(with_database("db.example", "new").is_err());
    }
}
