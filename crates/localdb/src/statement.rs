//! Statements through `psql`, for set-up and tests; programs use their own connections.

use std::{path::Path, process::Stdio};

use crate::{Error, ServerBinaries, account::Account};

/// Runs one statement and returns what it selects: rows as lines, columns parted by `|`.
pub(crate) fn query(binaries: &ServerBinaries, url: &str, statement: &str) -> Result<String, Error> {
    psql(binaries, url, statement, &["--command", statement])
}

/// Runs a file of statements in one transaction.
pub(crate) fn file(binaries: &ServerBinaries, url: &str, path: &Path) -> Result<String, Error> {
    let shown = path.display().to_string();
    psql(binaries, url, &shown, &["--single-transaction", "--file", &shown])
}

/// The name itself when it needs no quoting.
pub(crate) fn valid_name(name: &str) -> Result<&str, Error> {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    let plain = name.chars().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '_');
    if starts_well && plain && name.len() <= 63 {
        return Ok(name);
    }
    Err(Error::InvalidName { name: name.to_owned() })
}

fn psql(binaries: &ServerBinaries, url: &str, what: &str, arguments: &[&str]) -> Result<String, Error> {
    let program = binaries.program("psql");
    // As the caller: the socket is reachable for root, and the files named may be reachable for nobody else.
    let output = Account::Caller
        .command(&program)
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--dbname", url])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(Error::io("run", &program))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Statement { statement: what.to_owned(), message });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_need_quoting_are_refused() {
        for name in ["", "1st", "Jobs", "a-b", "a\"b", &"x".repeat(64)] {
            assert!(valid_name(name).is_err(), "{name:?}");
        }
        assert_eq!(valid_name("sweep_2").unwrap(), "sweep_2");
    }
}
