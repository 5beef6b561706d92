//! How the flow stands while it trains: held-out examples in evaluation mode.
//!
//! Nothing of the training is touched: evaluation mode leaves running statistics alone, and the noise of an example is
//! keyed by its dataset and place, the same at every step, so that points differ by the flow alone.

use std::sync::Arc;

use datasets::{DataDirectory, EvaluationPlan, Examples, Scaling, Split};
use domain::report::ValidationPoint;
use domain::spec::{Dataset, ValidationSpec};
use flows::Flow;
use ood::{auroc, log_likelihood, summarise_bits_per_dimension};

use super::batches::load_train;
use crate::encoding::log_likelihoods;
use crate::error::TrainingError;
use crate::recording::BATCH_SIZE;

/// Draws of each example's noise: one, and always the same one.
const DRAW: u32 = 0;

/// The examples that a run is judged on.
pub struct Validation {
    every_steps: u64,
    inside: Side,
    outside: Option<Side>,
}

struct Side {
    plan: EvaluationPlan,
    examples: usize,
}

impl Side {
    fn new(dataset: &Dataset, examples: Examples, seed: u64) -> Result<Self, TrainingError> {
        let (name, count) = (dataset.to_string(), examples.len());
        let plan = EvaluationPlan::new(Arc::new(examples), BATCH_SIZE, seed, &name, Split::Train, DRAW)
            .map_err(|source| TrainingError::Batch { dataset: name, source })?;
        Ok(Self { plan, examples: count })
    }

    fn log_likelihoods(&self, flow: &Flow) -> Vec<f64> {
        log_likelihoods(flow, &self.plan, self.examples)
    }
}

impl Validation {
    /// Judges on `held_out` examples of `within`, and against the first ones of the dataset that `spec` names.
    pub fn new(
        spec: &ValidationSpec,
        (within, held_out): (&Dataset, Examples),
        seed: u64,
        data: &DataDirectory,
        scaling: &Scaling,
    ) -> Result<Self, TrainingError> {
        let outside =
            |dataset: &Dataset| Side::new(dataset, load_train(data, dataset, Some(spec.examples), scaling)?, seed);
        Ok(Self {
            every_steps: spec.every_steps.into(),
            inside: Side::new(within, held_out, seed)?,
            outside: spec.out.as_ref().map(outside).transpose()?,
        })
    }

    /// Whether the flow is judged after so many steps.
    pub fn is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.every_steps)
    }

    /// Judges the flow.
    pub fn measure(&self, flow: &Flow, step: u64) -> ValidationPoint {
        let inside = self.inside.log_likelihoods(flow);
        let summary = summarise_bits_per_dimension(&inside, flow.dimensions() as usize);
        let bits_per_dim = summary.mean.filter(|_| summary.non_finite == 0);
        let against = |side: &Side| {
            let outside = side.log_likelihoods(flow);
            auroc(&log_likelihood(&inside), &log_likelihood(&outside)).ok().map(|found| found.value)
        };
        ValidationPoint { step, bits_per_dim, auroc: self.outside.as_ref().and_then(against) }
    }
}
