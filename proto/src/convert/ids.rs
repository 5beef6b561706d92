//! Identifiers, digests, seeds and times.

use domain::{Digest, Epoch, ExperimentId, JobId, SessionId, SweepId, Timestamp, spec::Violations};
use uuid::Uuid;

use super::{Fields, FromWire, ToWire};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Parses a uuid.
///
/// # Errors
/// The text is none; `at` is the field's path.
pub fn uuid_from_wire(text: &str, at: &str) -> Result<Uuid, Violations> {
    let parsed = text.parse().ok().filter(|uuid: &Uuid| !uuid.is_nil());
    parsed.ok_or_else(|| match text {
        "" => Violations::one(at, "missing: a uuid expected"),
        _ => Violations::one(at, format!("`{}` is not a uuid that names anything", text.escape_default())),
    })
}

/// Parses a seed: users query seeds as a column, and Postgres has no unsigned 64-bit integer.
///
/// # Errors
/// The seed is over 2⁶³ − 1; `at` is the field's path.
pub fn seed_from_wire(seed: u64, at: &str) -> Result<u64, Violations> {
    let mut found = Violations::default();
    found.check_range(at, seed, 0..=i64::MAX.unsigned_abs());
    found.into_result().map(|()| seed)
}

macro_rules! uuid_on_wire {
    ($($name:ident),*) => {$(
        impl ToWire for $name {
            type Wire = String;

            fn to_wire(&self) -> String {
                self.0.to_string()
            }
        }

        impl FromWire for $name {
            type Wire = String;

            fn from_wire(wire: String, at: &str) -> Result<Self, Violations> {
                uuid_from_wire(&wire, at).map(Self)
            }
        }
    )*};
}

macro_rules! integer_on_wire {
    ($($name:ident($inner:ty) from $least:literal),*) => {$(
        impl ToWire for $name {
            type Wire = $inner;

            fn to_wire(&self) -> $inner {
                self.0
            }
        }

        impl FromWire for $name {
            type Wire = $inner;

            fn from_wire(wire: $inner, at: &str) -> Result<Self, Violations> {
                let mut found = Violations::default();
                found.check_range(at, wire, $least..=<$inner>::MAX);
                found.into_result().map(|()| Self(wire))
            }
        }
    )*};
}

uuid_on_wire!(SweepId, SessionId);
// An absent integer reads as 0, which is why no row has that id; a job that never ran is at epoch 0.
integer_on_wire!(ExperimentId(i64) from 1, JobId(i64) from 1, Epoch(i32) from 0);

impl ToWire for Digest {
    type Wire = Vec<u8>;

    fn to_wire(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl FromWire for Digest {
    type Wire = Vec<u8>;

    fn from_wire(wire: Vec<u8>, at: &str) -> Result<Self, Violations> {
        // The bytes themselves are not repeated: there may be megabytes of them.
        Self::try_from(wire.as_slice()).map_err(|_| {
            Violations::one(at, format!("{} bytes: the 32 bytes of a SHA-256 digest expected", wire.len()))
        })
    }
}

impl ToWire for Timestamp {
    type Wire = prost_types::Timestamp;

    fn to_wire(&self) -> prost_types::Timestamp {
        let (seconds, micros) =
            (self.as_micros().div_euclid(MICROS_PER_SECOND), self.as_micros().rem_euclid(MICROS_PER_SECOND));
        let nanos = i32::try_from(micros * 1000).expect("a second has fewer than 2³¹ nanoseconds");
        prost_types::Timestamp { seconds, nanos }
    }
}

impl FromWire for Timestamp {
    type Wire = prost_types::Timestamp;

    fn from_wire(wire: prost_types::Timestamp, at: &str) -> Result<Self, Violations> {
        let prost_types::Timestamp { seconds, nanos } = wire;
        let mut fields = Fields::at(at);
        let nanos = fields.within("nanos", nanos, &(0_i64..=999_999_999));
        let furthest = i64::MAX / MICROS_PER_SECOND - 1;
        let seconds = fields.within("seconds", seconds, &(-furthest..=furthest));
        fields.finish(|| Some(Self::from_micros(seconds? * MICROS_PER_SECOND + nanos? / 1000)))
    }
}
