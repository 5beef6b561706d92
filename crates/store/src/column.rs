//! Columns and the rules' types.

use domain::{
    Digest, SessionId, Timestamp,
    job::{State, StateName},
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::StoreError;

pub(crate) fn timestamp(at: OffsetDateTime) -> Timestamp {
    let micros = at.unix_timestamp_nanos() / 1000;
    Timestamp::from_micros(i64::try_from(micros).expect("Postgres's times span fewer microseconds than 2⁶³"))
}

pub(crate) fn time_of(at: Timestamp) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.as_micros()) * 1000)
        .map_err(|error| StoreError::corrupt("a time", error))
}

pub(crate) fn digest(bytes: &[u8]) -> Result<Digest, StoreError> {
    Digest::try_from(bytes).map_err(|error| StoreError::corrupt("a digest", error))
}

/// A count that a CHECK keeps at zero or above.
pub(crate) fn count(column: i64) -> u64 {
    u64::try_from(column).unwrap_or_default()
}

/// A count for a column; the wire and the rules keep counts below 2⁶³.
pub(crate) fn bigint(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn smallint(count: u16) -> i16 {
    i16::try_from(count).unwrap_or(i16::MAX)
}

pub(crate) fn integer(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A name that a CHECK limits to the known ones.
pub(crate) fn named<T: std::str::FromStr<Err: std::fmt::Display>>(
    what: &'static str,
    name: &str,
) -> Result<T, StoreError> {
    name.parse().map_err(|error: T::Err| StoreError::corrupt(what, error))
}

/// A job's state from its columns.
pub(crate) fn state(
    name: &str,
    not_before: Option<OffsetDateTime>,
    session: Option<Uuid>,
    reason: Option<String>,
) -> Result<State, StoreError> {
    let reason = reason.unwrap_or_default();
    Ok(match named("a job's state", name)? {
        StateName::Blocked => State::Blocked,
        StateName::Ready => State::Ready { not_before: not_before.map(timestamp) },
        StateName::Running => State::Running {
            session: SessionId(session.ok_or_else(|| StoreError::corrupt("a running job", "it has no session"))?),
        },
        StateName::Succeeded => State::Succeeded,
        StateName::Failed => State::Failed { reason },
        StateName::Cancelled => State::Cancelled { reason },
        StateName::Quarantined => State::Quarantined { reason },
        StateName::Stopped => State::Stopped { reason },
    })
}
