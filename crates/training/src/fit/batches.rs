//! What each step sees: an in-distribution batch, and with negative training an out-of-distribution one.

use std::ops::Range;
use std::sync::Arc;

use datasets::{Batch, DataDirectory, Examples, Scaling, Split, TrainingBatches, TrainingPlan};
use domain::Digest;
use domain::spec::{Dataset, ExperimentSpec, ObjectiveSpec};

use super::validation::Validation;
use crate::error::TrainingError;
use crate::examples;

/// The batches of a run: a function of the document, the seed and the step.
pub struct Plan {
    inside: TrainingPlan,
    outside: Option<TrainingPlan>,
    validation: Option<Validation>,
}

/// The batches of one step.
pub struct StepBatch {
    /// In-distribution images.
    pub inside: Batch,
    /// Out-of-distribution images.
    pub outside: Option<Batch>,
}

impl Plan {
    /// Reads the datasets of a document.
    pub fn new(spec: &ExperimentSpec, seed: u64, data: &DataDirectory) -> Result<Self, TrainingError> {
        let training = &spec.training;
        // Both sides are scaled by what is learned.
        let scaling = datasets::scaling_of(data, &spec.data.dataset)?;
        let within = &spec.data.dataset;
        let examples = load_train(data, within, spec.data.train_images, &scaling)?;
        let (examples, validation) = match &training.validation {
            None => (examples, None),
            Some(validation) => {
                let (learned, held_out) = hold_out(within, examples, validation.examples)?;
                let validation = Validation::new(validation, (within, held_out), seed, data, &scaling)?;
                (learned, Some(validation))
            }
        };
        let inside = plan(within, examples, training.batch_size, seed)?;
        let inside = match spec.data.mutation {
            Some(probability) => inside.mutated(probability),
            None => inside,
        };
        let outside = match &training.objective {
            ObjectiveSpec::MaximumLikelihood => None,
            ObjectiveSpec::Negative(negative) => {
                let batch_size = negative.out_batch_size(training.batch_size);
                let examples = load_train(data, &negative.out, negative.out_images, &scaling)?;
                Some(plan(&negative.out, examples, batch_size, seed_outside(seed))?)
            }
        };
        Ok(Self { inside, outside, validation })
    }

    /// How the flow is judged while it trains.
    pub fn validation(&self) -> Option<&Validation> {
        self.validation.as_ref()
    }

    /// The batches of some steps, made ahead of their use.
    pub fn steps(&self, steps: Range<u64>) -> impl Iterator<Item = StepBatch> + use<> {
        let mut outside = self.outside.clone().map(|plan| TrainingBatches::new(plan, steps.clone()));
        TrainingBatches::new(self.inside.clone(), steps)
            .map(move |inside| StepBatch { inside, outside: outside.as_mut().and_then(Iterator::next) })
    }
}

impl StepBatch {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.inside.len + self.outside.as_ref().map_or(0, |outside| outside.len)
    }
}

/// The examples that a run may learn.
pub(super) fn load_train(
    data: &DataDirectory,
    name: &Dataset,
    limit: Option<u32>,
    scaling: &Scaling,
) -> Result<Examples, TrainingError> {
    let limit = limit.map(|examples| examples as usize);
    examples::load(data, name, Split::Train, limit, scaling)
}

/// Takes the last `count` examples away from those that are learned.
fn hold_out(dataset: &Dataset, examples: Examples, count: u32) -> Result<(Examples, Examples), TrainingError> {
    let found = examples.len();
    match found.checked_sub(count as usize) {
        Some(learned @ 1..) => Ok(examples.split_at(learned)),
        Some(0) | None => Err(TrainingError::HeldOut { dataset: dataset.to_string(), held_out: count, found }),
    }
}

fn plan(dataset: &Dataset, examples: Examples, batch_size: u32, seed: u64) -> Result<TrainingPlan, TrainingError> {
    TrainingPlan::new(Arc::new(examples), batch_size as usize, seed)
        .map_err(|source| TrainingError::Batch { dataset: dataset.to_string(), source })
}

/// The seed of the out-of-distribution order and noise, which must not be those of the in-distribution images.
fn seed_outside(seed: u64) -> u64 {
    let digest = Digest::of(format!("spillway out-of-distribution batches 1 {seed}").as_bytes());
    let (first, _) = digest.as_bytes().split_first_chunk().expect("a digest has 32 bytes");
    u64::from_le_bytes(*first)
}

#[cfg(test)]
mod tests {
    use domain::spec::parse_document;

    use super::*;

    #[test]
    fn both_datasets_have_epochs_order_and_noise_of_their_own() {
        let document = serde_json::json!({
            "model": {"realnvp": {"mask": "cycle", "st_network": {"resnet": {"width": 4, "blocks": 1}}}},
            "data": {"dataset": "synthetic-shapes", "train_images": 10},
            "training": {
                "steps": 9, "batch_size": 4, "optimiser": {"adam": {"learning_rate": 1e-3}},
                "objective": {"negative": {"out": "synthetic-strokes", "out_images": 7, "out_batch_size": 5}},
            },
            "evaluation": {"out": ["synthetic-strokes"]},
        });
        let spec: ExperimentSpec = parse_document(&document, "").unwrap();
        let plan = Plan::new(&spec, 3, &DataDirectory::at("no folder is needed")).unwrap();

        let steps: Vec<StepBatch> = plan.steps(0..6).collect();

        let lengths = |batch: &StepBatch| (batch.inside.len, batch.outside.as_ref().unwrap().len);
        assert_eq!(steps.iter().map(lengths).collect::<Vec<_>>(), [(4, 5), (4, 2), (2, 5), (4, 2), (4, 5), (2, 2)]);
        assert_eq!(steps[0].len(), 9);
        let outside = steps[0].outside.as_ref().unwrap();
        let noise = |batch: &Batch| batch.noise.as_ref().unwrap()[..100].to_vec();
        assert_ne!(noise(&steps[0].inside), noise(outside));
        // The same step is the same wherever the steps begin.
        let later = plan.steps(4..6).next().unwrap();
        assert_eq!((&later.inside, &later.outside), (&steps[4].inside, &steps[4].outside));
    }
}
