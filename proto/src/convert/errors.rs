//! Violations as gRPC errors: `INVALID_ARGUMENT` with `google.rpc.BadRequest`, one field violation each.

use std::time::Duration;

use domain::spec::{Violation, Violations};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// Most violations that one answer carries.
const MAX_VIOLATIONS: usize = 30;
/// Most bytes of all their paths and messages: details travel in a header, and clients refuse headers over 16 KiB after
/// base64 and percent encoding.
const MAX_DETAIL_BYTES: usize = 6 * 1024;
/// Longest path or message of one violation, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// The answer to a request that breaks rules. What does not fit into an answer is counted in its last violation.
#[must_use]
pub fn invalid_argument(violations: &Violations) -> Status {
    let mut details = ErrorDetails::new();
    let mut sent = 0;
    let mut bytes = 0;
    for Violation { field, message } in violations.iter() {
        let (field, message) = (shorten(field), shorten(message));
        bytes += field.len() + message.len();
        if sent == MAX_VIOLATIONS || bytes > MAX_DETAIL_BYTES {
            break;
        }
        details.add_bad_request_violation(field, message);
        sent += 1;
    }
    if sent < violations.len() {
        details.add_bad_request_violation("…", format!("and {} more violations", violations.len() - sent));
    }
    Status::with_error_details(Code::InvalidArgument, headline(violations), details)
}

/// The answer to a request that would be taken at another time: `RESOURCE_EXHAUSTED` with `google.rpc.RetryInfo`.
#[must_use]
pub fn resource_exhausted(message: &str, retry_after: Duration) -> Status {
    Status::with_error_details(Code::ResourceExhausted, message, ErrorDetails::with_retry_info(Some(retry_after)))
}

/// When an answer says to ask again; `None` when it does not say so.
#[must_use]
pub fn retry_after_of(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

/// The violations that an answer carries, for clients; `None` when it is another kind of error.
#[must_use]
pub fn violations_of(status: &Status) -> Option<Violations> {
    let bad_request = status.get_details_bad_request()?;
    let mut found = Violations::default();
    for violation in bad_request.field_violations {
        found.add(violation.field, violation.description);
    }
    Some(found)
}

fn headline(violations: &Violations) -> String {
    match (violations.iter().next(), violations.len()) {
        (None, _) => "the request is refused".to_owned(),
        (Some(only), 1) => shorten(&only.to_string()),
        (Some(first), count) => shorten(&format!("{count} violations, the first at {first}")),
    }
}

fn shorten(text: &str) -> String {
    if text.len() <= MAX_TEXT_BYTES {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(MAX_TEXT_BYTES)])
}
