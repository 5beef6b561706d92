//! Violations reach clients inside gRPC errors.

use domain::spec::Violations;
use tonic::{Code, Status};

use crate::convert::{invalid_argument, violations_of};

/// Clients refuse headers over this size.
const HEADER_LIMIT: usize = 16 * 1024;

fn violations(count: usize, message: &str) -> Violations {
    let mut found = Violations::default();
    for index in 0..count {
        found.add(format!("seeds[{index}]"), message);
    }
    found
}

fn header_bytes(status: &Status) -> usize {
    let headers = status.clone().into_http::<()>().into_parts().0.headers;
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

#[test]
fn a_client_reads_the_violations_that_a_server_found() {
    let sent = violations(3, "7 stands twice: größer");

    let status = invalid_argument(&sent);

    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.message(), "3 violations, the first at seeds[0]: 7 stands twice: größer");
    assert_eq!(violations_of(&status), Some(sent));
}

#[test]
fn a_single_violation_is_the_message() {
    let status = invalid_argument(&Violations::one("name", "missing"));

    assert_eq!(status.message(), "name: missing");
}

#[test]
fn other_errors_carry_no_violations() {
    assert_eq!(violations_of(&Status::unavailable("the database is down")), None);
}

#[test]
fn answers_stay_small_enough_for_a_header_whatever_was_found() {
    for (count, message) in [(10_000, "short".to_owned()), (50, "é ".repeat(10_000)), (1, "\"".repeat(100_000))] {
        let status = invalid_argument(&violations(count, &message));

        let received = violations_of(&status).unwrap();

        let size = header_bytes(&status);
        assert!(size < HEADER_LIMIT, "{count} violations make {size} bytes");
        assert_eq!(received.iter().next().unwrap().field, "seeds[0]");
        let last = received.iter().last().unwrap();
        let left_out = count - (received.len() - 1);
        assert!(count == 1 || last.message == format!("and {left_out} more violations"), "{last}");
    }
}
