//! How an experiment is trained.

use serde::{Deserialize, Serialize};

use super::{
    Dataset, DivergencePolicy, ModelSpec, ObjectiveSpec, OptimiserSpec, ScheduleSpec, ValidationSpec, Violations,
    defaults,
};
use crate::Digest;

/// The optimisation of a flow.
///
/// A document that leaves out `objective`, `decay`, `schedule`, `accumulate` and `on_divergence` means the same, and has
/// the same fingerprint, as one that spells their defaults out: the canonical form leaves out what is the default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSpec {
    /// Optimiser steps, each on one batch.
    pub steps: u32,
    /// Images per batch.
    pub batch_size: u32,
    /// The optimiser.
    pub optimiser: OptimiserSpec,
    /// Weight decay of the parameters that `decay` names (reference default 5e-5): added to their gradients after
    /// clipping, or decoupled with AdamW.
    #[serde(default = "defaults::weight_decay")]
    pub weight_decay: f64,
    /// Largest global gradient norm, per parameter group. Default 100; `None`, `null` and 0 mean no
    /// clipping (TOML has no `null`), and a resolved document says `null`.
    #[serde(default = "defaults::gradient_clip_norm")]
    pub gradient_clip_norm: Option<f64>,
    /// What is minimised (default maximum likelihood).
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub objective: ObjectiveSpec,
    /// Which parameters decay, and with it how they are grouped; by architecture when absent, see
    /// [`TrainingSpec::decays`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<Decay>,
    /// How the learning rate changes (default constant).
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub schedule: ScheduleSpec,
    /// Parts that a batch is computed in, one after the other, for one optimiser step on the whole batch (default 1):
    /// less memory, the same loss. Batch normalisation sees each part on its own.
    #[serde(default = "defaults::accumulate", skip_serializing_if = "defaults::is_one")]
    pub accumulate: u32,
    /// What happens when training diverges (default: it fails).
    #[serde(default, skip_serializing_if = "defaults::is_default")]
    pub on_divergence: DivergencePolicy,
    /// SHA-256 of a checkpoint in the artifact store whose weights training starts from, rather than drawn ones; it must
    /// hold the same model. With it `steps` may be 0: then the model is evaluated as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_weights: Option<Digest>,
    /// How the flow is judged while it trains, on examples that are held out for it; not at all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationSpec>,
}

/// Which parameters decay. Gradients are clipped for each group of parameters on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// The weight-normalisation gains, which are a group of their own; all other parameters are the other group.
    Gains,
    /// All parameters, in one group.
    All,
}

impl Decay {
    /// Every choice.
    pub const ALL: [Self; 2] = [Self::Gains, Self::All];

    /// The name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gains => "gains",
            Self::All => "all",
        }
    }

    /// What the reference decays in this architecture (models.md, section 4.2): the gains of image RealNVPs, all
    /// parameters of any other flow.
    fn of(model: &ModelSpec) -> Self {
        match model {
            ModelSpec::RealNvp(_) => Self::Gains,
            ModelSpec::Glow(_) | ModelSpec::Tabular(_) => Self::All,
        }
    }
}

impl TrainingSpec {
    /// The largest gradient norm, if there is one.
    #[must_use]
    pub fn clips_at(&self) -> Option<f64> {
        self.gradient_clip_norm.filter(|&norm| norm != 0.0)
    }

    /// Which parameters of this model decay.
    #[must_use]
    pub fn decays(&self, model: &ModelSpec) -> Decay {
        self.decay.unwrap_or_else(|| Decay::of(model))
    }

    /// The learning rate of a step, counted from 0, after so many restarts.
    #[must_use]
    pub fn learning_rate(&self, step: u64, restarts: u32) -> f64 {
        let lowered = match &self.on_divergence {
            DivergencePolicy::Fail => 1.0,
            DivergencePolicy::Restart(restart) => restart.factor(restarts),
        };
        self.optimiser.learning_rate() * self.schedule.factor(step, self.steps) * lowered
    }

    /// The same training with defaults that depend on other fields written out. What is left out when it is the default
    /// stays so: documents from before a field existed keep their fingerprint.
    pub(super) fn resolved(&self, model: &ModelSpec, within: &Dataset) -> Self {
        Self {
            gradient_clip_norm: self.clips_at(),
            objective: self.objective.resolved(within, self.batch_size),
            decay: self.decay.filter(|&decay| decay != Decay::of(model)),
            ..self.clone()
        }
    }

    pub(super) fn check(&self, at: &str, within: &Dataset, found: &mut Violations) {
        if self.steps == 0 && self.initial_weights.is_none() {
            let message = "0 is out of range: 1 to 1000000000 allowed, or 0 to evaluate initial_weights as they are";
            found.add(format!("{at}.steps"), message);
        }
        found.check_range(&format!("{at}.steps"), self.steps, 0..=1_000_000_000);
        found.check_range(&format!("{at}.batch_size"), self.batch_size, 2..=65_536);
        found.check_range(&format!("{at}.weight_decay"), self.weight_decay, 0.0..=1.0);
        if let Some(norm) = self.clips_at() {
            found.check_range(&format!("{at}.gradient_clip_norm"), norm, 1e-6..=1e12);
        }
        self.optimiser.check(&format!("{at}.optimiser"), found);
        self.objective.check(&format!("{at}.objective"), within, found);
        self.schedule.check(&format!("{at}.schedule"), self.steps, found);
        // A part of one image has no batch to take statistics of.
        found.check_range(&format!("{at}.accumulate"), self.accumulate, 1..=(self.batch_size / 2).max(1));
        self.on_divergence.check(&format!("{at}.on_divergence"), found);
    }
}
