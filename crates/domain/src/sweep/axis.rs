//! One field that a sweep varies: the values it takes, or the range that they are drawn from.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::MAX_AXES;
use crate::spec::Violations;

/// Significant digits of a number drawn from a range: fewer than the last bits in which the exponential functions of two
/// machines may differ, and as many as a person reads.
const SIGNIFICANT_DIGITS: usize = 6;
/// Largest bound of a range of integers, 2⁵³: a JSON number keeps those below it exactly.
const LARGEST_INTEGER: f64 = 9_007_199_254_740_992.0;

/// One field of the base experiment, and either the values it takes or, where points are drawn, the range they lie in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Path of the field inside the base experiment, such as `model.realnvp.mask`.
    pub field: String,
    /// The values, in table order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// The range, instead of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
}

/// An interval that values are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The smallest value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
    /// Where draws are dense (default linear).
    #[serde(default)]
    pub scale: Scale,
    /// Draw whole numbers only (default no).
    #[serde(default)]
    pub integer: bool,
}

/// Where the draws of a range are dense.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Equally everywhere.
    #[default]
    Linear,
    /// Equally in each power of ten.
    Log,
}

/// The name given is not a scale.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scale `{0}`: one of linear, log expected")]
pub struct UnknownScale(String);

impl Scale {
    /// Every scale.
    pub const ALL: [Self; 2] = [Self::Linear, Self::Log];

    /// The name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Log => "log",
        }
    }
}

impl std::str::FromStr for Scale {
    type Err = UnknownScale;

    fn from_str(text: &str) -> Result<Self, UnknownScale> {
        Self::ALL.into_iter().find(|scale| scale.as_str() == text).ok_or_else(|| UnknownScale(text.to_owned()))
    }
}

impl Range {
    /// The value at `unit`, a number in `[0, 1)`.
    pub(super) fn at(&self, unit: f64) -> Value {
        let Self { low, high, scale, integer } = *self;
        if integer {
            let whole = match scale {
                // Each whole number has an equal share of the interval.
                Scale::Linear => low + (unit * (high - low + 1.0)).floor(),
                Scale::Log => {
                    let (from, to) = ((low - 0.5).ln(), (high + 0.5).ln());
                    (from + unit * (to - from)).exp().round()
                }
            };
            #[expect(clippy::cast_possible_truncation, reason = "whole numbers of at most 2⁵³")]
            return Value::from(whole.clamp(low, high) as i64);
        }
        let drawn = match scale {
            Scale::Linear => low + unit * (high - low),
            Scale::Log => (low.ln() + unit * (high.ln() - low.ln())).exp(),
        };
        Value::from(rounded(drawn).clamp(low, high))
    }

    /// How many values there are; none when they cannot be counted.
    pub(super) fn choices(&self) -> Option<u64> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked whole numbers, low ≤ high"
        )]
        self.integer.then(|| (self.high - self.low) as u64 + 1)
    }

    fn check(&self, at: &str, found: &mut Violations) {
        let Self { low, high, scale, integer } = *self;
        for (name, bound) in [("low", low), ("high", high)] {
            if !bound.is_finite() {
                found.add(format!("{at}.{name}"), format!("{bound} is no bound: finite numbers allowed"));
            } else if integer && (bound.fract() != 0.0 || bound.abs() > LARGEST_INTEGER) {
                found.add(format!("{at}.{name}"), format!("{bound} is no bound of integers: whole numbers allowed"));
            }
        }
        if low >= high {
            found.add(format!("{at}.high"), format!("{high} is not above low, {low}"));
        }
        if scale == Scale::Log && low <= 0.0 {
            found.add(format!("{at}.low"), format!("{low} has no place on a log scale: give a number above 0"));
        }
    }
}

/// The nearest number of [`SIGNIFICANT_DIGITS`] digits.
fn rounded(number: f64) -> f64 {
    format!("{number:.*e}", SIGNIFICANT_DIGITS - 1).parse().expect("a finite number is written as one")
}

impl Axis {
    /// How many values the axis has; none when they cannot be counted.
    pub(super) fn choices(&self) -> Option<u64> {
        match &self.range {
            Some(range) => range.choices(),
            None => Some(self.values.len() as u64),
        }
    }
}

/// Whether an expansion draws its points, or takes all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Points {
    All,
    Drawn,
}

pub(super) fn check_axes(axes: &[Axis], points: Points, at: &str, found: &mut Violations) {
    if axes.len() > MAX_AXES {
        found.add(at, format!("{} axes: at most {MAX_AXES} allowed", axes.len()));
        return;
    }
    for (index, axis) in axes.iter().enumerate() {
        let at = format!("{at}[{index}]");
        match &axis.range {
            None if axis.values.is_empty() => {
                found.add(format!("{at}.values"), format!("empty: give at least one value for `{}`", axis.field));
            }
            None => {}
            Some(_) if points == Points::All => {
                found.add(
                    format!("{at}.range"),
                    "a grid takes every value: give `values`, or draw with random or sobol",
                );
            }
            Some(_) if !axis.values.is_empty() => {
                found.add(format!("{at}.range"), "stands beside `values`: give one of them");
            }
            Some(range) => range.check(&format!("{at}.range"), found),
        }
        if axes[..index].iter().any(|earlier| earlier.field == axis.field) {
            found.add(format!("{at}.field"), format!("`{}` is already an axis", axis.field));
        }
        let mut seen = HashSet::new();
        for (position, value) in axis.values.iter().enumerate() {
            if !seen.insert(value) {
                found.add(format!("{at}.values[{position}]"), format!("{value} stands twice"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(low: f64, high: f64, scale: Scale, integer: bool) -> Range {
        Range { low, high, scale, integer }
    }

    #[test]
    fn a_log_range_is_even_in_powers_of_ten_and_written_in_six_digits() {
        let range = range(1e-5, 1e-1, Scale::Log, false);

        let drawn = [0.0, 0.25, 0.5, 0.75, 0.1].map(|unit| range.at(unit));

        assert_eq!(drawn, [1e-5, 1e-4, 1e-3, 1e-2, 2.51189e-5].map(Value::from));
    }

    #[test]
    fn a_linear_range_is_even() {
        let range = range(-1.0, 3.0, Scale::Linear, false);

        assert_eq!([0.0, 0.25, 0.999_999_9].map(|unit| range.at(unit)), [-1.0, 0.0, 3.0].map(Value::from));
    }

    #[test]
    fn whole_numbers_have_equal_shares_both_ends_included() {
        let linear = range(1.0, 4.0, Scale::Linear, true);
        let log = range(1.0, 1024.0, Scale::Log, true);

        assert_eq!([0.0, 0.24, 0.25, 0.5, 0.999].map(|unit| linear.at(unit)), [1, 1, 2, 3, 4].map(Value::from));
        assert_eq!([0.0, 0.999_999].map(|unit| log.at(unit)), [1, 1024].map(Value::from));
        assert_eq!((linear.choices(), log.choices()), (Some(4), Some(1024)));
    }
}
