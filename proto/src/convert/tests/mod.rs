//! What is sent arrives, and what breaks a rule is refused by its field's path.

mod documents;
mod errors;
mod refusals;
mod round_trips;
mod training_refusals;
mod worker_refusals;

use std::fmt::Debug;

use super::FromWire;

/// The refusals of a message at path `at`, each as `path: message`.
fn refusals_of<T: FromWire + Debug>(wire: T::Wire, at: &str) -> Vec<String> {
    let violations = T::from_wire(wire, at).expect_err("the message should be refused");
    violations.iter().map(ToString::to_string).collect()
}
