//! Checked conversions between the wire and the rules' types, one file for each group of messages.
//!
//! Every message is taken apart field by field, so that a new field does not compile until somebody decides what it means.
//! What a conversion lets through, the rules and the database can hold; what it refuses comes back as violations with field
//! paths, all of them at once.

mod errors;
mod expansion;
mod experiment;
mod fields;
mod ids;
mod inspection;
mod model;
mod results;
mod score;
mod statistics;
mod stopping;
mod sweep;
#[cfg(test)]
mod tests;
mod text;
mod training;
mod value;
mod worker;

use domain::spec::Violations;

pub use errors::{invalid_argument, resource_exhausted, retry_after_of, violations_of};
pub use fields::Fields;
pub use ids::{seed_from_wire, uuid_from_wire};
pub use score::MAX_SCORES;
pub use text::{
    failure_message, idempotency_key_from_wire, log_text, reason_from_wire, text_from_wire, user_from_wire,
    worker_name_from_wire,
};

/// A type that can be sent.
pub trait ToWire {
    /// Its message.
    type Wire;

    /// Writes the message.
    fn to_wire(&self) -> Self::Wire;
}

/// A type that can be received.
pub trait FromWire: Sized {
    /// Its message.
    type Wire;

    /// Parses the message; `at` is its field path, put before the paths in violations (empty at the top).
    ///
    /// # Errors
    /// Every violation found, with its field path and what is allowed.
    fn from_wire(wire: Self::Wire, at: &str) -> Result<Self, Violations>;
}

impl<T: ToWire> ToWire for [T] {
    type Wire = Vec<T::Wire>;

    fn to_wire(&self) -> Self::Wire {
        self.iter().map(ToWire::to_wire).collect()
    }
}
