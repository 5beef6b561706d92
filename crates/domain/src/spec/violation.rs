//! What is wrong with a document: one violation per field, all of them at once.

use std::{fmt, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

/// One field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The field's path, such as `base.model.realnvp.scales`.
    pub field: String,
    /// What was found, and what is allowed.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.message)
    }
}

/// Most violations that are kept: a document of four megabytes can break a rule two million times.
const MAX_KEPT: usize = 1000;

/// Every violation found in a document; past the first thousand they are only counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations {
    kept: Vec<Violation>,
    left_out: usize,
}

impl Violations {
    /// A single violation.
    #[must_use]
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut found = Self::default();
        found.add(field, message);
        found
    }

    /// Records one more.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        if self.kept.len() == MAX_KEPT {
            self.left_out += 1;
            return;
        }
        self.kept.push(Violation { field: field.into(), message: message.into() });
    }

    /// Records all of `others`.
    pub fn extend(&mut self, others: Self) {
        let room = MAX_KEPT - self.kept.len();
        self.left_out += others.left_out + others.kept.len().saturating_sub(room);
        self.kept.extend(others.kept.into_iter().take(room));
    }

    /// Records `value` if it lies outside `allowed`.
    pub fn check_range<T: PartialOrd + fmt::Display>(&mut self, field: &str, value: T, allowed: RangeInclusive<T>) {
        if !allowed.contains(&value) {
            self.add(field, format!("{value} is out of range: {} to {} allowed", allowed.start(), allowed.end()));
        }
    }

    /// The violations that were kept, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.kept.iter()
    }

    /// How many were found, kept or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len() + self.left_out
    }

    /// Whether the document is sound.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// `Ok` when nothing was found.
    ///
    /// # Errors
    /// The violations themselves.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, violation) in self.kept.iter().enumerate() {
            if position > 0 {
                formatter.write_str("\n")?;
            }
            violation.fmt(formatter)?;
        }
        if self.left_out > 0 {
            write!(formatter, "\nand {} more violations", self.left_out)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize) -> Violations {
        let mut found = Violations::default();
        (0..count).for_each(|index| found.add(format!("seeds[{index}]"), "wrong"));
        found
    }

    #[test]
    fn violations_past_the_first_thousand_are_counted() {
        let mut found = many(700);

        found.extend(many(1500));

        assert_eq!((found.iter().count(), found.len()), (1000, 2200));
        assert_eq!(found.iter().nth(700).unwrap().field, "seeds[0]");
        assert!(found.to_string().ends_with("\nand 1200 more violations"));
    }

    #[test]
    fn nan_lies_outside_every_range() {
        let mut found = Violations::default();

        found.check_range("weight_decay", f64::NAN, 0.0..=1.0);

        assert_eq!(found.to_string(), "weight_decay: NaN is out of range: 0 to 1 allowed");
    }
}
