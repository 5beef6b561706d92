//! The optimisers and their hyper-parameters.

use serde::{Deserialize, Serialize};

use super::{Violations, defaults};

/// The optimiser and its hyper-parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimiserSpec {
    /// Adam (Kingma and Ba 2015); weight decay is added to the gradient.
    Adam(AdamSpec),
    /// RMSprop (Tieleman and Hinton 2012), not centred, without momentum; weight decay is added to the gradient.
    RmsProp(RmsPropSpec),
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).
    AdamW(AdamSpec),
}

/// Hyper-parameters of Adam and AdamW.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamSpec {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first moment.
    #[serde(default = "defaults::beta1")]
    pub beta1: f64,
    /// Decay of the second moment.
    #[serde(default = "defaults::beta2")]
    pub beta2: f64,
    /// Added to the denominator.
    #[serde(default = "defaults::epsilon")]
    pub epsilon: f64,
}

/// Hyper-parameters of RMSprop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsPropSpec {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the squared gradient's mean.
    #[serde(default = "defaults::alpha")]
    pub alpha: f64,
    /// Added to the denominator.
    #[serde(default = "defaults::epsilon")]
    pub epsilon: f64,
}

impl OptimiserSpec {
    /// The learning rate before any schedule.
    #[must_use]
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Adam(adam) | Self::AdamW(adam) => adam.learning_rate,
            Self::RmsProp(rmsprop) => rmsprop.learning_rate,
        }
    }

    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        match self {
            Self::Adam(adam) => adam.check(&format!("{at}.adam"), found),
            Self::RmsProp(rmsprop) => rmsprop.check(&format!("{at}.rmsprop"), found),
            Self::AdamW(adam) => adam.check(&format!("{at}.adamw"), found),
        }
    }
}

impl AdamSpec {
    fn check(&self, at: &str, found: &mut Violations) {
        found.check_range(&format!("{at}.learning_rate"), self.learning_rate, 1e-12..=1e3);
        found.check_range(&format!("{at}.beta1"), self.beta1, 0.0..=0.999_999);
        found.check_range(&format!("{at}.beta2"), self.beta2, 0.0..=0.999_999_9);
        found.check_range(&format!("{at}.epsilon"), self.epsilon, 1e-16..=1.0);
    }
}

impl RmsPropSpec {
    fn check(&self, at: &str, found: &mut Violations) {
        found.check_range(&format!("{at}.learning_rate"), self.learning_rate, 1e-12..=1e3);
        found.check_range(&format!("{at}.alpha"), self.alpha, 0.0..=0.999_999_9);
        found.check_range(&format!("{at}.epsilon"), self.epsilon, 1e-16..=1.0);
    }
}
