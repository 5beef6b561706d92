//! The examples that a probe looks at, one at a time.

use std::sync::Arc;

use datasets::{DataDirectory, EvaluationPlan, Examples, PickedExamples, Scaling, Split};
use domain::spec::{Dataset, ExperimentSpec};
use flows::Flow;
use tch::Tensor;

use crate::error::TrainingError;
use crate::examples;
use crate::recording::shape_of;

/// Draws of each example's noise: the first one of every evaluation.
const DRAW: u32 = 0;

/// Some examples of one split of a dataset.
pub struct Sample {
    plan: EvaluationPlan,
    len: usize,
}

/// One example on the device, as a batch of one.
pub struct Example {
    /// `[1, c, h, w]` in [0, 1], or `[1, d]`.
    pub values: Tensor,
    /// Dequantisation noise of an image, of the same shape in [0, 1).
    pub noise: Option<Tensor>,
}

impl Sample {
    /// The first examples of the test split, `most` at most.
    pub fn of_test(
        data: &DataDirectory,
        dataset: &Dataset,
        most: u32,
        scaling: &Scaling,
        seed: u64,
    ) -> Result<Self, TrainingError> {
        let examples = examples::load(data, dataset, Split::Test, Some(most as usize), scaling)?;
        Self::new(dataset, examples, Split::Test, seed)
    }

    /// In-distribution examples of the train split, `most` at most: those that validation held out, or else, when there is no
    /// validation, the last ones that were learned.
    pub fn of_reference(
        data: &DataDirectory,
        spec: &ExperimentSpec,
        most: u32,
        scaling: &Scaling,
        seed: u64,
    ) -> Result<Self, TrainingError> {
        let (dataset, limit) = (&spec.data.dataset, spec.data.train_images.map(|images| images as usize));
        let examples = examples::load(data, dataset, Split::Train, limit, scaling)?;
        let wanted = spec.training.validation.as_ref().map_or(most, |validation| most.min(validation.examples));
        let before = examples.len().saturating_sub(wanted as usize);
        Self::new(dataset, examples.split_at(before).1, Split::Train, seed)
    }

    fn new(dataset: &Dataset, examples: Examples, split: Split, seed: u64) -> Result<Self, TrainingError> {
        let (len, name) = (examples.len(), dataset.to_string());
        let plan = EvaluationPlan::new(Arc::new(examples), 1, seed, &name, split, DRAW)
            .map_err(|source| TrainingError::Batch { dataset: name, source })?;
        Ok(Self { plan, len })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The example at `index`, on the device of the flow.
    pub fn get(&self, index: usize, flow: &Flow) -> Example {
        let PickedExamples { values, noise } = self.plan.pick(&[index]);
        let shape = [vec![1], flow.input().sizes()].concat();
        let device = flow.parameters().device();
        let tensor = |values: &[f32]| Tensor::from_slice(values).view(shape.as_slice()).to_device(device);
        Example { values: tensor(&values), noise: noise.as_deref().map(tensor) }
    }

    /// Refuses examples that the flow cannot take.
    pub fn check(dataset: &Dataset, flow: &Flow) -> Result<(), TrainingError> {
        let (expected, found) = (shape_of(flow.input()), shape_of(dataset.shape()));
        if expected == found {
            return Ok(());
        }
        Err(TrainingError::Shape { dataset: dataset.to_string(), expected, found })
    }
}
