//! Early stopping: whether an experiment goes on after what it reported, given what others had reported before it.
//!
//! Pure functions of the rule and of the reports in their order: the same order gives the same verdicts, on any
//! coordinator and after any restart. A verdict is about the report that was just made; earlier verdicts stay.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::{report::ValidationPoint, spec::Violations};

/// The rule by which experiments of a sweep are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EarlyStopping {
    /// Asynchronous successive halving, in the variant that stops (Li et al. 2020).
    Asha(Asha),
    /// The median rule (Golovin et al. 2017, section 3.2.2).
    Median(MedianRule),
}

/// Asynchronous successive halving: at each rung an experiment goes on only if its value is in the best
/// 1 / `reduction_factor` of those reported there so far, its own included.
///
/// Rungs are at `min_steps` · `reduction_factor`ᵏ steps, below the experiment's own steps. Nobody is stopped at a rung
/// that has fewer than `reduction_factor` reports: a fraction of them would be none. A value as good as the worst of the
/// best goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asha {
    /// What is compared.
    #[serde(default)]
    pub metric: StoppingMetric,
    /// Steps of the first rung: nobody is stopped before.
    pub min_steps: u32,
    /// η: the share that goes on is 1 / η, and a rung lies η times as far as the one before.
    #[serde(default = "default_reduction_factor")]
    pub reduction_factor: u32,
}

/// The median rule: an experiment is stopped when its best value so far is worse than the median, over the experiments
/// that have come as far, of the means of their values up to the same step.
///
/// Values are those at the multiples of `every_steps`. Golovin et al. compare with finished experiments; here everything
/// counts that has come as far, so that the rule works while a sweep is young.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MedianRule {
    /// What is compared.
    #[serde(default)]
    pub metric: StoppingMetric,
    /// Nobody is stopped before so many steps.
    pub after_steps: u32,
    /// Values are taken, and experiments judged, at the multiples of so many steps.
    pub every_steps: u32,
    /// Nobody is stopped until so many other experiments have come as far.
    #[serde(default = "default_min_experiments")]
    pub min_experiments: u32,
}

/// A number that validation measures during training.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoppingMetric {
    /// Mean bits per dimension of the held-out examples; lower is better.
    #[default]
    BitsPerDim,
    /// AUROC of the held-out examples against those of `validation.out`; higher is better.
    Auroc,
}

/// The name given is not a metric of validation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown metric `{0}`: one of bits-per-dim, auroc expected")]
pub struct UnknownStoppingMetric(String);

/// What one experiment has shown up to a step; a value that is no number is absent, and worse than any.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The value at the step.
    pub value: Option<f64>,
    /// The best value up to the step.
    pub best: Option<f64>,
    /// The mean of the values up to the step.
    pub mean: Option<f64>,
}

/// What becomes of an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    GoOn,
    /// It is stopped, for a reason that names the numbers.
    Stop {
        /// What the rule saw.
        reason: String,
    },
}

const fn default_reduction_factor() -> u32 {
    Asha::REDUCTION_FACTOR
}

const fn default_min_experiments() -> u32 {
    MedianRule::USUAL_EXPERIMENTS
}

impl Asha {
    /// The usual reduction factor.
    pub const REDUCTION_FACTOR: u32 = 3;
    /// Reduction factors allowed.
    pub const REDUCTION_FACTORS: std::ops::RangeInclusive<u32> = 2..=100;

    /// The rungs of an experiment of so many steps, in order.
    pub fn rungs(&self, steps: u32) -> impl Iterator<Item = u32> + use<> {
        let factor = self.reduction_factor.max(2);
        let first = Some(self.min_steps).filter(|&rung| rung > 0);
        std::iter::successors(first, move |rung| rung.checked_mul(factor)).take_while(move |&rung| rung < steps)
    }

    fn judge(&self, step: u64, own: &Standing, others: &[Standing]) -> Verdict {
        let reports = others.len() + 1;
        let factor = self.reduction_factor.max(1) as usize;
        let best = reports / factor;
        if best == 0 {
            return Verdict::GoOn;
        }
        let mut values: Vec<Option<f64>> = others.iter().chain([own]).map(|standing| standing.value).collect();
        values.sort_by(|one, other| self.metric.compare(*one, *other));
        let needed = values[best - 1];
        if own.value.is_some() && self.metric.compare(own.value, needed) != Ordering::Greater {
            return Verdict::GoOn;
        }
        let needed = needed.map_or_else(|| "a number needed".to_owned(), |needed| format!("{needed:.4} needed"));
        Verdict::Stop {
            reason: format!(
                "{} at step {step} is not among the best 1/{} of {reports} ({needed})",
                self.metric.shown(own.value),
                self.reduction_factor,
            ),
        }
    }
}

impl MedianRule {
    /// The usual number of other experiments.
    pub const USUAL_EXPERIMENTS: u32 = 5;
    /// Numbers of other experiments allowed.
    pub const MIN_EXPERIMENTS: std::ops::RangeInclusive<u32> = 1..=10_000;

    fn judge(&self, step: u64, own: &Standing, others: &[Standing]) -> Verdict {
        if step < u64::from(self.after_steps) || others.len() < self.min_experiments as usize {
            return Verdict::GoOn;
        }
        let mut means: Vec<Option<f64>> = others.iter().map(|standing| standing.mean).collect();
        means.sort_by(|one, other| self.metric.compare(*one, *other));
        // Where half of the others have no number, nobody who has one is worse than they.
        let median = median(&means);
        if own.best.is_some() && self.metric.compare(own.best, median) != Ordering::Greater {
            return Verdict::GoOn;
        }
        let median = median.map_or_else(|| "no number".to_owned(), |median| format!("{median:.4}"));
        Verdict::Stop {
            reason: format!(
                "{} is the best up to step {step}, and the median of the means of {} others is {median}",
                self.metric.shown(own.best),
                others.len(),
            ),
        }
    }
}

impl EarlyStopping {
    /// What is compared.
    #[must_use]
    pub fn metric(&self) -> StoppingMetric {
        match self {
            Self::Asha(asha) => asha.metric,
            Self::Median(median) => median.metric,
        }
    }

    /// Whether an experiment of `steps` steps makes a report after `step` of them.
    #[must_use]
    pub fn reports_at(&self, step: u64, steps: u32) -> bool {
        if step == 0 || step >= u64::from(steps) {
            return false;
        }
        match self {
            Self::Asha(asha) => asha.rungs(steps).any(|rung| u64::from(rung) == step),
            Self::Median(median) => step.is_multiple_of(u64::from(median.every_steps.max(1))),
        }
    }

    /// Judges the experiment that stands as `own` after `step` steps, given how those that reported this step before it
    /// stand.
    #[must_use]
    pub fn judge(&self, step: u64, own: &Standing, others: &[Standing]) -> Verdict {
        match self {
            Self::Asha(asha) => asha.judge(step, own, others),
            Self::Median(median) => median.judge(step, own, others),
        }
    }

    /// Checks the rule's own numbers; `at` is its path.
    pub(crate) fn check(&self, at: &str, found: &mut Violations) {
        match self {
            Self::Asha(Asha { metric: _, min_steps, reduction_factor }) => {
                found.check_range(&format!("{at}.asha.min_steps"), *min_steps, STEPS);
                let field = format!("{at}.asha.reduction_factor");
                found.check_range(&field, *reduction_factor, Asha::REDUCTION_FACTORS);
            }
            Self::Median(MedianRule { metric: _, after_steps, every_steps, min_experiments }) => {
                found.check_range(&format!("{at}.median.after_steps"), *after_steps, STEPS);
                found.check_range(&format!("{at}.median.every_steps"), *every_steps, STEPS);
                let field = format!("{at}.median.min_experiments");
                found.check_range(&field, *min_experiments, MedianRule::MIN_EXPERIMENTS);
            }
        }
    }
}

/// Steps allowed.
const STEPS: std::ops::RangeInclusive<u32> = 1..=1_000_000_000;

impl StoppingMetric {
    /// Every metric.
    pub const ALL: [Self; 2] = [Self::BitsPerDim, Self::Auroc];

    /// The name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BitsPerDim => "bits-per-dim",
            Self::Auroc => "auroc",
        }
    }

    /// This metric's value of a point.
    #[must_use]
    pub fn of(self, point: &ValidationPoint) -> Option<f64> {
        let value = match self {
            Self::BitsPerDim => point.bits_per_dim,
            Self::Auroc => point.auroc,
        };
        value.filter(|value| value.is_finite())
    }

    /// How an experiment stands after its values so far, in the order of their steps, the last one now.
    #[must_use]
    pub fn standing(self, values: &[Option<f64>]) -> Standing {
        let numbers: Vec<f64> = values.iter().flatten().copied().collect();
        Standing {
            value: values.last().copied().flatten(),
            best: numbers.iter().copied().map(Some).min_by(|one, other| self.compare(*one, *other)).flatten(),
            mean: (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64),
        }
    }

    /// Better values first, absent ones last.
    fn compare(self, one: Option<f64>, other: Option<f64>) -> Ordering {
        match (one, other, self) {
            (Some(one), Some(other), Self::BitsPerDim) => one.total_cmp(&other),
            (Some(one), Some(other), Self::Auroc) => other.total_cmp(&one),
            (Some(_), None, _) => Ordering::Less,
            (None, Some(_), _) => Ordering::Greater,
            (None, None, _) => Ordering::Equal,
        }
    }

    /// `bits/dim 3.9100`.
    fn shown(self, value: Option<f64>) -> String {
        let name = match self {
            Self::BitsPerDim => "bits/dim",
            Self::Auroc => "AUROC",
        };
        value.map_or_else(|| format!("{name} without a number"), |value| format!("{name} {value:.4}"))
    }
}

impl std::fmt::Display for StoppingMetric {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl std::str::FromStr for StoppingMetric {
    type Err = UnknownStoppingMetric;

    fn from_str(text: &str) -> Result<Self, UnknownStoppingMetric> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.as_str() == text)
            .ok_or_else(|| UnknownStoppingMetric(text.to_owned()))
    }
}

/// The middle of sorted values, or the mean of the two in the middle; absent where one of them is.
fn median(sorted: &[Option<f64>]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return upper;
    }
    let lower = sorted[middle - 1];
    lower.zip(upper).map(|(lower, upper)| f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests;
