//! What happens when training diverges.

use serde::{Deserialize, Serialize};

use super::{Violations, defaults};

/// What to do when the loss or a gradient norm is infinite or not a number.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DivergencePolicy {
    /// Training fails.
    #[default]
    Fail,
    /// Training goes back to the last good state and on with a lower learning rate.
    Restart(RestartSpec),
}

/// Restarts from the last good state. It changes nothing about a run that does not diverge.
///
/// States are kept at fixed steps, so that where a restart begins does not depend on any clock, and one counts as good
/// when all of the `checkpoint_steps` steps after it were. The same batches and the same noise come again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestartSpec {
    /// Most restarts of a run; training fails at the next divergence (default 3).
    #[serde(default = "defaults::restarts_at_most")]
    pub at_most: u32,
    /// Each restart multiplies the learning rate by this (default 0.5; below 1, as the same rate would diverge again).
    #[serde(default = "defaults::restart_learning_rate_factor")]
    pub learning_rate_factor: f64,
    /// A state is kept every so many steps (default 500). Checkpoints are such states, so that an interrupted run repeats
    /// up to twice as many steps.
    #[serde(default = "defaults::restart_checkpoint_steps")]
    pub checkpoint_steps: u32,
    /// A batch with a larger mean negative log-likelihood (nats per image, in-distribution) counts as a divergence too;
    /// no limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_limit_nats: Option<f64>,
}

impl DivergencePolicy {
    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        match self {
            Self::Fail => {}
            Self::Restart(restart) => restart.check(&format!("{at}.restart"), found),
        }
    }
}

impl RestartSpec {
    /// The factor of the learning rate after `restarts` restarts.
    #[must_use]
    pub fn factor(&self, restarts: u32) -> f64 {
        // Repeated products, not a power function: the same bits on every platform.
        (0..restarts).fold(1.0, |product, _| product * self.learning_rate_factor)
    }

    fn check(&self, at: &str, found: &mut Violations) {
        found.check_range(&format!("{at}.at_most"), self.at_most, 1..=100);
        found.check_range(&format!("{at}.learning_rate_factor"), self.learning_rate_factor, 1e-3..=0.99);
        found.check_range(&format!("{at}.checkpoint_steps"), self.checkpoint_steps, 1..=1_000_000_000);
        if let Some(limit) = self.loss_limit_nats {
            found.check_range(&format!("{at}.loss_limit_nats"), limit, -1e12..=1e15);
        }
    }
}
