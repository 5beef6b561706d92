//! Reading the fields of one message while collecting everything that is wrong with them.

use std::{
    fmt::{self, Display},
    ops::RangeInclusive,
    str::FromStr,
};

use domain::spec::Violations;

use super::FromWire;

/// The fields of one message. Each reading yields `None` for a field that is refused, and keeps the violation.
///
/// ```
/// use domain::report::{Attempt, Completion};
/// use proto::{convert::Fields, v1};
///
/// fn parse(request: v1::CompleteRequest) -> Result<(Attempt, Completion), domain::spec::Violations> {
///     let v1::CompleteRequest { attempt, result } = request;
///     let mut fields = Fields::at("");
///     let attempt = fields.required("attempt", attempt);
///     let completion = fields.keep(proto::convert::FromWire::from_wire(result, ""));
///     fields.finish(|| Some((attempt?, completion?)))
/// }
///
/// let refusal = parse(v1::CompleteRequest { attempt: None, result: None }).unwrap_err();
/// assert_eq!(refusal.len(), 2);
/// ```
#[derive(Debug)]
pub struct Fields {
    at: String,
    found: Violations,
}

impl Fields {
    /// Starts on the message at path `at`, empty at the top.
    #[must_use]
    pub fn at(at: &str) -> Self {
        Self { at: at.to_owned(), found: Violations::default() }
    }

    /// The path of `field`.
    #[must_use]
    pub fn path(&self, field: &str) -> String {
        if self.at.is_empty() { field.to_owned() } else { format!("{}.{field}", self.at) }
    }

    /// Refuses `field`.
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.found.add(self.path(field), message);
    }

    /// Keeps the violations of something that was parsed apart.
    pub fn keep<T>(&mut self, parsed: Result<T, Violations>) -> Option<T> {
        parsed.map_err(|violations| self.found.extend(violations)).ok()
    }

    /// A field that holds something whatever the sender did.
    pub fn plain<T: FromWire>(&mut self, field: &str, wire: T::Wire) -> Option<T> {
        let parsed = T::from_wire(wire, &self.path(field));
        self.keep(parsed)
    }

    /// A field that must be there.
    pub fn required<T: FromWire>(&mut self, field: &str, wire: Option<T::Wire>) -> Option<T> {
        let Some(wire) = wire else {
            self.refuse(field, "missing");
            return None;
        };
        self.plain(field, wire)
    }

    /// A field that may be absent; `Some(None)` when it is.
    pub fn optional<T: FromWire>(&mut self, field: &str, wire: Option<T::Wire>) -> Option<Option<T>> {
        match wire {
            None => Some(None),
            Some(wire) => self.plain(field, wire).map(Some),
        }
    }

    /// A repeated field.
    pub fn repeated<T: FromWire>(&mut self, field: &str, wires: Vec<T::Wire>) -> Option<Vec<T>> {
        let parsed: Vec<Option<T>> =
            wires.into_iter().enumerate().map(|(index, wire)| self.plain(&format!("{field}[{index}]"), wire)).collect();
        parsed.into_iter().collect()
    }

    /// A repeated field with a bound; refused before its items are read.
    pub fn at_most<T>(&mut self, field: &str, items: Vec<T>, most: usize) -> Option<Vec<T>> {
        if items.len() <= most {
            return Some(items);
        }
        self.refuse(field, format!("{} items: at most {most} allowed", items.len()));
        None
    }

    /// A choice that is written as its name.
    pub fn named<T: FromStr<Err: Display>>(&mut self, field: &str, name: &str) -> Option<T> {
        name.parse().map_err(|refusal: T::Err| self.refuse(field, refusal.to_string())).ok()
    }

    /// A repeated choice.
    pub fn repeated_named<T: FromStr<Err: Display>>(&mut self, field: &str, names: &[String]) -> Option<Vec<T>> {
        let parsed: Vec<Option<T>> =
            names.iter().enumerate().map(|(index, name)| self.named(&format!("{field}[{index}]"), name)).collect();
        parsed.into_iter().collect()
    }

    /// A number that is neither NaN nor infinite.
    pub fn finite(&mut self, field: &str, number: f64) -> Option<f64> {
        if number.is_finite() {
            return Some(number);
        }
        self.refuse(field, not_finite(number));
        None
    }

    /// As [`Fields::finite`], for a field that may be absent.
    pub fn finite_or_absent(&mut self, field: &str, number: Option<f64>) -> Option<Option<f64>> {
        match number {
            None => Some(None),
            Some(number) => self.finite(field, number).map(Some),
        }
    }

    /// An integer within `allowed`.
    pub fn within<W, T>(&mut self, field: &str, number: W, allowed: &RangeInclusive<T>) -> Option<T>
    where
        W: Copy + fmt::Display,
        T: TryFrom<W> + PartialOrd + fmt::Display,
    {
        let parsed = T::try_from(number).ok().filter(|parsed| allowed.contains(parsed));
        if parsed.is_none() {
            self.refuse(field, format!("{number} is out of range: {} to {} allowed", allowed.start(), allowed.end()));
        }
        parsed
    }

    /// A count or step. Postgres has no unsigned 64-bit integer, so that half of the range is refused.
    pub fn count(&mut self, field: &str, number: u64) -> Option<u64> {
        self.within(field, number, &(0..=i64::MAX.unsigned_abs()))
    }

    /// The parsed message, if no field was refused. `build` yields `None` exactly when a field was.
    ///
    /// # Errors
    /// The violations of every field.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Violations> {
        self.found.into_result()?;
        Ok(build().expect("a field that yields nothing leaves a violation"))
    }
}

/// Why NaN and infinity are refused.
pub(super) fn not_finite(number: f64) -> String {
    format!("{number} is not a number that can be kept: finite ones allowed")
}
