//! Free text that Postgres will hold: no NUL bytes, bounded sizes.

use std::ops::RangeInclusive;

use domain::{report::LogLine, spec::Violations};

/// Sizes of a worker's name, in bytes.
const WORKER_NAME_BYTES: RangeInclusive<usize> = 1..=200;
/// Sizes of an idempotency key that is given, in bytes.
const IDEMPOTENCY_KEY_BYTES: RangeInclusive<usize> = 0..=200;
/// Sizes of the reason that a user gives, in bytes.
const REASON_BYTES: RangeInclusive<usize> = 0..=4096;
/// Sizes of a user's name, in bytes.
const USER_BYTES: RangeInclusive<usize> = 0..=100;
/// Largest failure message that is kept, in bytes.
const MAX_FAILURE_MESSAGE_BYTES: usize = 16 * 1024;

/// Checks text whose size in bytes must lie within `bytes`.
///
/// # Errors
/// The text is too long or too short, or holds a NUL byte; `at` is the field's path.
pub fn text_from_wire(text: String, at: &str, bytes: &RangeInclusive<usize>) -> Result<String, Violations> {
    if text.is_empty() && !bytes.contains(&0) {
        return Err(Violations::one(at, "missing"));
    }
    let mut found = Violations::default();
    if !bytes.contains(&text.len()) {
        found.add(at, format!("{} bytes: {} to {} allowed", text.len(), bytes.start(), bytes.end()));
    }
    if text.contains('\0') {
        found.add(at, "holds a NUL byte, which the database cannot store");
    }
    found.into_result().map(|()| text)
}

/// Checks a worker's name.
///
/// # Errors
/// As [`text_from_wire`], for 1 to 200 bytes.
pub fn worker_name_from_wire(name: String, at: &str) -> Result<String, Violations> {
    text_from_wire(name, at, &WORKER_NAME_BYTES)
}

/// Checks a client's idempotency key; an empty one is none.
///
/// # Errors
/// As [`text_from_wire`], for up to 200 bytes.
pub fn idempotency_key_from_wire(key: String, at: &str) -> Result<Option<String>, Violations> {
    text_from_wire(key, at, &IDEMPOTENCY_KEY_BYTES).map(|checked| Some(checked).filter(|key| !key.is_empty()))
}

/// Checks who submits, which may be empty.
///
/// # Errors
/// As [`text_from_wire`], for up to 100 bytes.
pub fn user_from_wire(user: String, at: &str) -> Result<String, Violations> {
    text_from_wire(user, at, &USER_BYTES)
}

/// Checks the reason that a user gives, which may be empty.
///
/// # Errors
/// As [`text_from_wire`], for up to 4,096 bytes.
pub fn reason_from_wire(reason: String, at: &str) -> Result<String, Violations> {
    text_from_wire(reason, at, &REASON_BYTES)
}

/// A failure's message made fit to keep: NUL bytes become U+FFFD, and 16 KiB of it stay.
///
/// A message is never refused: it may be all that is left of a process that died.
#[must_use]
pub fn failure_message(message: &str) -> String {
    let mut kept = message.replace('\0', "\u{fffd}");
    kept.truncate(kept.floor_char_boundary(MAX_FAILURE_MESSAGE_BYTES));
    kept
}

/// A line of an attempt's log made fit to keep: NUL bytes become U+FFFD, and 2 KiB of it stay.
///
/// A line is never refused: it may be the last word of a process that died.
#[must_use]
pub fn log_text(text: &str) -> String {
    let mut kept = text.replace('\0', "\u{fffd}");
    kept.truncate(kept.floor_char_boundary(LogLine::MAX_BYTES));
    kept
}
