//! What a sweep may spend.

use serde::{Deserialize, Serialize};

use crate::spec::Violations;

/// Most device hours that a budget may name: a thousand devices for a year and more.
const MOST_HOURS: f64 = 1e7;

/// Limits of a whole sweep; what is left when one is reached is stopped and stays in the tables as such.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// At most so many experiments, the first ones in the order of the expansion, are ever started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiments: Option<u32>,
    /// Trainings are stopped once the attempts at them have held devices for so many hours together. Evaluations of what
    /// was trained still run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_hours: Option<f64>,
}

impl Budget {
    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        if self.experiments.is_none() && self.device_hours.is_none() {
            found.add(at, "empty: give experiments or device_hours, or leave the budget out");
        }
        if let Some(experiments) = self.experiments {
            found.check_range(&format!("{at}.experiments"), experiments, 1..=1_000_000);
        }
        if let Some(hours) = self.device_hours
            && !(hours > 0.0 && hours <= MOST_HOURS)
        {
            found
                .add(format!("{at}.device_hours"), format!("{hours} is out of range: above 0 to {MOST_HOURS} allowed"));
        }
    }

    /// Why an experiment behind the first `limit` never starts.
    #[must_use]
    pub fn experiments_spent(limit: u32) -> String {
        format!("the budget of {limit} experiments leaves this one out")
    }

    /// Why trainings end when their attempts have held devices for `spent` hours.
    #[must_use]
    pub fn hours_spent(spent: f64, limit: f64) -> String {
        format!("the budget of {limit} device hours is spent: trainings took {spent:.3}")
    }
}
