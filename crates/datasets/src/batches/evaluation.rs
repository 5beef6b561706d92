//! Evaluation batches: every example in index order, with noise that depends on the example alone.

use std::sync::Arc;

use super::plan::BatchError;
use super::prefetch::Prefetch;
use crate::examples::{Examples, Split};
use crate::randomness::Key;

/// Which examples are evaluated, and which of the independent noise draws they get.
#[derive(Debug, Clone)]
pub struct EvaluationPlan {
    examples: Arc<Examples>,
    batch_size: usize,
    noise: Key,
}

impl EvaluationPlan {
    /// Plans one pass over some examples of a dataset's split. An example's noise is keyed by (seed, dataset, split, draw)
    /// and its index, so that neither the batch size nor a limit on the number of examples changes it.
    ///
    /// # Errors
    /// [`BatchError`] when there are no examples or the batch size is 0.
    pub fn new(
        examples: Arc<Examples>,
        batch_size: usize,
        seed: u64,
        dataset: &str,
        split: Split,
        draw: u32,
    ) -> Result<Self, BatchError> {
        if examples.is_empty() {
            return Err(BatchError::NoExamples);
        }
        if batch_size == 0 {
            return Err(BatchError::EmptyBatch);
        }
        let split = split.to_string();
        let parts: [&[u8]; 4] = [&seed.to_le_bytes(), dataset.as_bytes(), split.as_bytes(), &draw.to_le_bytes()];
        Ok(Self { examples, batch_size, noise: Key::new("evaluation noise", &parts) })
    }

    /// The examples at `indices`, in that order, each with the noise that a pass over all examples gives it.
    ///
    /// # Panics
    /// If there is no such example.
    #[must_use]
    pub fn pick(&self, indices: &[usize]) -> PickedExamples {
        let dimensions = self.examples.dimensions();
        let mut values = Vec::with_capacity(indices.len() * dimensions);
        for &index in indices {
            self.examples.append(index, &mut values);
        }
        let noise = self.examples.are_quantised().then(|| {
            let mut noise = Vec::with_capacity(indices.len() * dimensions);
            for &index in indices {
                self.noise.stream(index as u64).append_units(&mut noise, dimensions);
            }
            noise
        });
        PickedExamples { values, noise }
    }

    fn batch(&self, first: usize) -> EvaluationBatch {
        let end = self.examples.len().min(first + self.batch_size);
        let PickedExamples { values, noise } = self.pick(&(first..end).collect::<Vec<_>>());
        EvaluationBatch { first, len: end - first, values, noise }
    }
}

/// What one evaluation step sees.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationBatch {
    /// Index of the first example.
    pub first: usize,
    /// Number of examples.
    pub len: usize,
    /// Byte / 255, `[len, c, h, w]`; continuous values as they are, `[len, d]` for vectors.
    pub values: Vec<f32>,
    /// Dequantisation noise uniform in `[0, 1)`, shaped as the values; none for continuous values.
    pub noise: Option<Vec<f32>>,
}

/// Some examples of a plan, and their noise.
#[derive(Debug, Clone, PartialEq)]
pub struct PickedExamples {
    /// Byte / 255, `[len, c, h, w]`; continuous values as they are, `[len, d]` for vectors.
    pub values: Vec<f32>,
    /// Dequantisation noise uniform in `[0, 1)`, shaped as the values; none for continuous values.
    pub noise: Option<Vec<f32>>,
}

/// All batches of a plan in order, made by one thread ahead of their use.
pub struct EvaluationBatches(Prefetch<EvaluationBatch>);

impl EvaluationBatches {
    /// Starts making the batches.
    #[must_use]
    pub fn new(plan: EvaluationPlan) -> Self {
        let starts = (0..plan.examples.len()).step_by(plan.batch_size);
        Self(Prefetch::start(starts.map(move |first| plan.batch(first))))
    }
}

impl Iterator for EvaluationBatches {
    type Item = EvaluationBatch;

    fn next(&mut self) -> Option<EvaluationBatch> {
        self.0.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{Shape, Values};

    fn bytes(shape: [usize; 3], values: Vec<u8>) -> Arc<Examples> {
        Arc::new(Examples::new(Shape::Image(shape), Values::Bytes(values)).unwrap())
    }

    fn noise(count: usize, batch_size: usize, dataset: &str, split: Split, draw: u32) -> Vec<f32> {
        let examples = bytes([1, 1, 3], vec![1; 3 * count]);
        let plan = EvaluationPlan::new(examples, batch_size, 1, dataset, split, draw).unwrap();
        EvaluationBatches::new(plan).flat_map(|batch| batch.noise.unwrap()).collect()
    }

    #[test]
    fn examples_come_in_order_with_the_last_partial_batch() {
        let examples = bytes([1, 1, 1], (0..7).collect());
        let plan = EvaluationPlan::new(examples, 3, 0, "mnist", Split::Test, 0).unwrap();

        let batches: Vec<EvaluationBatch> = EvaluationBatches::new(plan).collect();

        assert_eq!(batches.iter().map(|batch| (batch.first, batch.len)).collect::<Vec<_>>(), [(0, 3), (3, 3), (6, 1)]);
        let values: Vec<f32> = batches.into_iter().flat_map(|batch| batch.values).collect();
        assert!(values.into_iter().eq((0..7_u8).map(|byte| f32::from(byte) / 255.0)));
    }

    #[test]
    fn noise_of_an_example_is_independent_of_batch_size_and_limit() {
        let whole = noise(10, 10, "mnist", Split::Test, 0);

        assert_eq!(whole, noise(10, 3, "mnist", Split::Test, 0));
        assert_eq!(whole[..12], noise(4, 4, "mnist", Split::Test, 0));
    }

    #[test]
    fn vectors_come_in_order_and_without_noise() {
        let vectors = Values::Floats(vec![0.5, -1.0, 7.0]);
        let examples = Arc::new(Examples::new(Shape::Vector(1), vectors).unwrap());
        let plan = EvaluationPlan::new(examples, 2, 0, "hepmass-0", Split::Test, 0).unwrap();

        let batches: Vec<EvaluationBatch> = EvaluationBatches::new(plan).collect();

        assert!(batches.iter().all(|batch| batch.noise.is_none()));
        assert_eq!(batches.into_iter().flat_map(|batch| batch.values).collect::<Vec<_>>(), [0.5, -1.0, 7.0]);
    }

    #[test]
    fn picked_images_have_the_noise_of_a_whole_pass() {
        let bytes = Values::Bytes((0..10).collect());
        let examples = Arc::new(Examples::new(Shape::Image([1, 1, 2]), bytes).unwrap());
        let plan = EvaluationPlan::new(examples, 5, 1, "mnist", Split::Test, 0).unwrap();
        let whole = plan.batch(0).noise.unwrap();

        let picked = plan.pick(&[3, 0]);

        assert_eq!(picked.values, [6.0, 7.0, 0.0, 1.0].map(|byte: f32| byte / 255.0));
        assert_eq!(picked.noise.unwrap(), [&whole[6..8], &whole[..2]].concat());
    }

    #[test]
    fn datasets_splits_and_draws_have_noise_of_their_own() {
        let base = noise(4, 4, "mnist", Split::Test, 0);

        assert_ne!(base, noise(4, 4, "fashion-mnist", Split::Test, 0));
        assert_ne!(base, noise(4, 4, "mnist", Split::Train, 0));
        assert_ne!(base, noise(4, 4, "mnist", Split::Test, 1));
    }
}
