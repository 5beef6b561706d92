//! Which examples and which dequantisation noise a training step sees.

use std::sync::Arc;

use thiserror::Error;

use super::order::epoch_order;
use crate::examples::{Examples, Shape};
use crate::randomness::Key;

/// A plan that has no batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BatchError {
    /// There is no example to visit.
    #[error("there are no examples to make batches of; raise the limit above 0")]
    NoExamples,
    /// A batch would hold no example.
    #[error("a batch of 0 examples makes no progress; use a batch size of 1 or more")]
    EmptyBatch,
}

/// What one training step sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The step, from 0.
    pub step: u64,
    /// The epoch of the step, from 0.
    pub epoch: u64,
    /// Number of examples; smaller than the batch size at the end of an epoch.
    pub len: usize,
    /// Byte / 255, `[len, c, h, w]`; continuous values as they are, `[len, d]` for vectors.
    pub values: Vec<f32>,
    /// Dequantisation noise uniform in `[0, 1)`, shaped as the values; none for continuous values.
    pub noise: Option<Vec<f32>>,
}

/// Decides the batch of every step from (seed, step) alone: shuffled epochs, the last partial batch kept.
#[derive(Debug, Clone)]
pub struct TrainingPlan {
    examples: Arc<Examples>,
    batch_size: usize,
    seed: u64,
    noise: Key,
    mutation: Option<Mutation>,
}

/// How images are changed before they are learned.
#[derive(Debug, Clone, Copy)]
struct Mutation {
    probability: f32,
    key: Key,
}

impl Mutation {
    /// Replaces each value, with the probability, by one of the 256 that a byte can have.
    fn apply(self, step: u64, values: &mut [f32]) {
        let mut stream = self.key.stream(step);
        for value in values {
            let replaced = stream.unit() < self.probability;
            let other = stream.below(256);
            if replaced {
                *value = other as f32 / 255.0;
            }
        }
    }
}

impl TrainingPlan {
    /// Plans the training on some examples.
    ///
    /// # Errors
    /// [`BatchError`] when there are no examples or the batch size is 0.
    pub fn new(examples: Arc<Examples>, batch_size: usize, seed: u64) -> Result<Self, BatchError> {
        if examples.is_empty() {
            return Err(BatchError::NoExamples);
        }
        if batch_size == 0 {
            return Err(BatchError::EmptyBatch);
        }
        let noise = Key::new("training noise", &[&seed.to_le_bytes()]);
        Ok(Self { examples, batch_size, seed, noise, mutation: None })
    }

    /// Replaces each value of an image by a uniform one with this probability, drawn anew from (seed, step) at every step (Ren et
    /// al. 2019, section 4). Continuous values stay as they are.
    #[must_use]
    pub fn mutated(self, probability: f64) -> Self {
        let key = Key::new("training mutation", &[&self.seed.to_le_bytes()]);
        Self { mutation: Some(Mutation { probability: probability as f32, key }), ..self }
    }

    /// Number of steps that visit every example once.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        self.examples.len().div_ceil(self.batch_size) as u64
    }

    /// The shape of an example.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.examples.shape()
    }

    /// Makes the batch of one step, whatever was made before.
    #[must_use]
    pub fn batch(&self, step: u64) -> Batch {
        self.batch_in_order(step, &self.order_of(step))
    }

    /// The epoch that a step belongs to.
    #[must_use]
    pub fn epoch_of(&self, step: u64) -> u64 {
        step / self.steps_per_epoch()
    }

    /// The order of a step's epoch.
    pub(super) fn order_of(&self, step: u64) -> Vec<u32> {
        epoch_order(self.seed, self.epoch_of(step), self.examples.len())
    }

    /// Makes the batch of one step from its epoch's order.
    pub(super) fn batch_in_order(&self, step: u64, order: &[u32]) -> Batch {
        let first = usize::try_from(step % self.steps_per_epoch()).expect("it is below the number of examples")
            * self.batch_size;
        let chosen = &order[first..order.len().min(first + self.batch_size)];
        let count = chosen.len() * self.examples.dimensions();
        let mut values = Vec::with_capacity(count);
        for &index in chosen {
            self.examples.append(index as usize, &mut values);
        }
        if let Some(mutation) = self.mutation.filter(|_| self.examples.are_quantised()) {
            mutation.apply(step, &mut values);
        }
        let noise = self.examples.are_quantised().then(|| {
            let mut noise = Vec::with_capacity(count);
            self.noise.stream(step).append_units(&mut noise, count);
            noise
        });
        Batch { step, epoch: self.epoch_of(step), len: chosen.len(), values, noise }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::Values;

    fn plan(count: u8, batch_size: usize) -> TrainingPlan {
        let bytes = Values::Bytes((0..2 * count).collect());
        let examples = Examples::new(Shape::Image([1, 1, 2]), bytes).unwrap();
        TrainingPlan::new(Arc::new(examples), batch_size, 9).unwrap()
    }

    #[test]
    fn mutation_replaces_its_share_of_values_by_uniform_ones_and_is_the_same_again() {
        let bytes = Values::Bytes(vec![7; 40_000]);
        let examples = Arc::new(Examples::new(Shape::Image([1, 200, 200]), bytes).unwrap());
        let plain = TrainingPlan::new(examples, 1, 9).unwrap();
        let mutated = plain.clone().mutated(0.3);

        let batch = mutated.batch(5);

        let replaced: Vec<f32> = batch.values.iter().copied().filter(|value| *value != 7.0 / 255.0).collect();
        // 40,000 × 0.3 × 255/256, and four standard deviations.
        assert!((replaced.len() as f64 - 11_953.0).abs() < 370.0, "{}", replaced.len());
        let mean = replaced.iter().sum::<f32>() / replaced.len() as f32;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        assert_eq!(mutated.batch(5), batch);
        assert_ne!(mutated.batch(6).values, batch.values);
        assert_eq!(batch.noise, plain.batch(5).noise, "the noise is what it was");
    }

    #[test]
    fn an_epoch_sees_every_example_once_and_keeps_the_partial_batch() {
        let plan = plan(10, 4);
        assert_eq!(plan.steps_per_epoch(), 3);

        for epoch in 0..3 {
            let batches: Vec<Batch> = (0..3).map(|position| plan.batch(3 * epoch + position)).collect();

            assert_eq!(batches.iter().map(|batch| batch.len).collect::<Vec<_>>(), [4, 4, 2]);
            assert!(
                batches
                    .iter()
                    .all(|batch| batch.epoch == epoch && batch.noise.as_ref().unwrap().len() == 2 * batch.len)
            );
            let mut seen: Vec<f32> = batches.into_iter().flat_map(|batch| batch.values).collect();
            seen.sort_by(f32::total_cmp);
            assert!(seen.into_iter().eq((0..20_u8).map(|byte| f32::from(byte) / 255.0)));
        }
    }

    #[test]
    fn steps_have_noise_of_their_own() {
        let plan = plan(10, 5);

        assert_ne!(plan.batch(0).noise, plan.batch(1).noise);
        assert_ne!(plan.batch(0).noise, plan.batch(2).noise);
    }

    #[test]
    fn vectors_come_as_they_are_and_without_noise() {
        let vectors = Examples::new(Shape::Vector(2), Values::Floats(vec![1.0, 2.0, 3.0, 4.0])).unwrap();
        let bytes = Examples::new(Shape::Vector(2), Values::Bytes(vec![1, 2, 3, 4])).unwrap();
        let batch = |examples| TrainingPlan::new(Arc::new(examples), 2, 1).unwrap().batch(0);

        let (vectors, bytes) = (batch(vectors), batch(bytes));

        let scaled: Vec<f32> = vectors.values.iter().map(|value| value / 255.0).collect();
        assert_eq!(bytes.values, scaled, "kinds of values do not change the order");
        assert!(vectors.noise.is_none() && bytes.noise.is_some());
    }

    #[test]
    fn nothing_to_visit_is_refused() {
        let examples = |count| Arc::new(Examples::new(Shape::Vector(1), Values::Floats(vec![0.0; count])).unwrap());

        assert_eq!(TrainingPlan::new(examples(0), 4, 0).unwrap_err(), BatchError::NoExamples);
        assert_eq!(TrainingPlan::new(examples(1), 0, 0).unwrap_err(), BatchError::EmptyBatch);
    }
}
