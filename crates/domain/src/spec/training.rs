//! How an experiment is trained.

use serde::{Deserialize, Serialize};

use super::Violations;

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
    #[serde(default = "default_weight_decay")]
    pub weight_decay: f64,
    /// Largest global gradient norm, per parameter group; absent means no clipping. Default 100.
    #[serde(default = "default_clip")]
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
    #[serde(default = "default_beta1")]
    pub beta1: f64,
    /// Decay of the second moment.
    #[serde(default = "default_beta2")]
    pub beta2: f64,
    /// Added to the denominator.
    #[serde(default = "default_epsilon")]
    pub epsilon: f64,
}

/// Hyper-parameters of RMSprop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsPropSpec {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the squared gradient's mean.
    #[serde(default = "default_alpha")]
    pub alpha: f64,
    /// Added to the denominator.
    #[serde(default = "default_epsilon")]
    pub epsilon: f64,
}

fn default_weight_decay() -> f64 {
    5e-5
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's own type, and absence means no clipping")]
fn default_clip() -> Option<f64> {
    Some(100.0)
}

fn default_beta1() -> f64 {
    0.9
}

fn default_beta2() -> f64 {
    0.999
}

fn default_alpha() -> f64 {
    0.99
}

fn default_epsilon() -> f64 {
    1e-8
}

impl TrainingSpec {
    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        found.check_range(&format!("{at}.steps"), self.steps, 1..=1_000_000_000);
        found.check_range(&format!("{at}.batch_size"), self.batch_size, 2..=65_536);
        found.check_range(&format!("{at}.weight_decay"), self.weight_decay, 0.0..=1.0);
        if let Some(norm) = self.gradient_clip_norm {
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
