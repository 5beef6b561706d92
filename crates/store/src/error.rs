//! What can go wrong between this crate and Postgres.

use domain::spec::Violations;

/// Constraints that a caller can break; every other broken one is a bug.
const ARTIFACT_REFERENCES: [&str; 4] =
    ["checkpoint_digest_fkey", "figure_digest_fkey", "result_checkpoint_fkey", "result_statistics_fkey"];

/// A statement failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database does not answer, or is shutting down: an outage, worth another try.
    #[error("the database cannot be used: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Another transaction was in the way; nothing changed, and the same call may work now.
    #[error("another transaction was in the way: {0}")]
    Conflict(#[source] sqlx::Error),
    /// The row names an artifact that nobody has stored.
    #[error("an artifact that was never stored is named: put it into the artifact store first")]
    UnknownArtifact,
    /// A stored row breaks the rules: another version wrote it, or a hand did.
    #[error("{what} in the database breaks the rules: {why}")]
    Corrupt {
        /// The row or column.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The address of the database is not understood.
    #[error(
        "`{address}` is not the address of a PostgreSQL database ({reason}): such as postgres://user@host/spillway"
    )]
    Address {
        /// What was given, without its password.
        address: String,
        /// Why not.
        reason: String,
    },
    /// The schema could not be brought up to date.
    #[error("the database schema cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A statement does not fit the schema: a bug.
    #[error("a statement was refused by the database: {0}")]
    Refused(#[source] sqlx::Error),
}

impl StoreError {
    pub(crate) fn corrupt(what: &'static str, why: impl ToString) -> Self {
        Self::Corrupt { what, why: why.to_string() }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let Some(refusal) = error.as_database_error() else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
                _ => Self::Refused(error),
            };
        };
        if refusal.constraint().is_some_and(|name| ARTIFACT_REFERENCES.contains(&name)) {
            return Self::UnknownArtifact;
        }
        match refusal.code().as_deref() {
            // Serialization failure, deadlock, a lock that was not to be had in time.
            Some("40001" | "40P01" | "55P03") => Self::Conflict(error),
            // Connection exceptions, insufficient resources, operator intervention, system errors.
            Some(code) if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => {
                Self::Unavailable(error)
            }
            Some(_) | None => Self::Refused(error),
        }
    }
}

impl From<Violations> for StoreError {
    fn from(violations: Violations) -> Self {
        Self::corrupt("a stored document", violations)
    }
}
