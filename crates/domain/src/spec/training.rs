//! How an experiment is trained.

use serde::{Deserialize, Serialize};

use super::{Violations, defaults};

/// Maximum-likelihood training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSpec {
    /// Optimiser steps, each on one batch.
    pub steps: u32,
    /// Images per batch.
    pub batch_size: u32,
    /// The optimiser.
    pub optimiser: OptimiserSpec,
    /// L2 decay added to the gradient of the weight-normalisation gains (reference default 5e-5).
    #[serde(default = "defaults::weight_decay")]
    pub weight_decay: f64,
    /// Largest global gradient norm, per parameter group. Default 100; `None`, `null` and 0 mean no
    /// clipping (TOML has no `null`), and a resolved document says `null`.
    #[serde(default = "defaults::gradient_clip_norm")]
    pub gradient_clip_norm: Option<f64>,
}

/// The optimiser and its hyper-parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimiserSpec {
    /// Adam (Kingma and Ba 2015).
    Adam(AdamSpec),
    /// RMSprop (Tieleman and Hinton 2012), not centred, without momentum.
    RmsProp(RmsPropSpec),
}

/// Hyper-parameters of Adam.
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

impl TrainingSpec {
    /// The largest gradient norm, if there is one.
    #[must_use]
    pub fn clips_at(&self) -> Option<f64> {
        self.gradient_clip_norm.filter(|&norm| norm != 0.0)
    }

    pub(super) fn resolved(&self) -> Self {
        Self { gradient_clip_norm: self.clips_at(), ..self.clone() }
    }

    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        found.check_range(&format!("{at}.steps"), self.steps, 1..=1_000_000_000);
        found.check_range(&format!("{at}.batch_size"), self.batch_size, 2..=65_536);
        found.check_range(&format!("{at}.weight_decay"), self.weight_decay, 0.0..=1.0);
        if let Some(norm) = self.clips_at() {
            found.check_range(&format!("{at}.gradient_clip_norm"), norm, 1e-6..=1e12);
        }
        match &self.optimiser {
            OptimiserSpec::Adam(adam) => adam.check(&format!("{at}.optimiser.adam"), found),
            OptimiserSpec::RmsProp(rmsprop) => rmsprop.check(&format!("{at}.optimiser.rmsprop"), found),
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
