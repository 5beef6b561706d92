//! Which images and which dequantisation noise a training step sees.

use std::sync::Arc;

use thiserror::Error;

use super::order::epoch_order;
use crate::images::{Images, append_unit_values};
use crate::randomness::Key;

/// A plan that has no batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BatchError {
    /// There is no image to visit.
    #[error("there are no images to make batches of; raise the limit above 0")]
    NoImages,
    /// A batch would hold no image.
    #[error("a batch of 0 images makes no progress; use a batch size of 1 or more")]
    EmptyBatch,
}

/// What one training step sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The step, from 0.
    pub step: u64,
    /// The epoch of the step, from 0.
    pub epoch: u64,
    /// Number of images; smaller than the batch size at the end of an epoch.
    pub len: usize,
    /// Byte / 255, `[len, c, h, w]`.
    pub pixels: Vec<f32>,
    /// Dequantisation noise uniform in `[0, 1)`, `[len, c, h, w]`.
    pub noise: Vec<f32>,
}

/// Decides the batch of every step from (seed, step) alone: shuffled epochs, the last partial batch kept.
#[derive(Debug, Clone)]
pub struct TrainingPlan {
    images: Arc<Images>,
    batch_size: usize,
    seed: u64,
    noise: Key,
}

impl TrainingPlan {
    /// Plans the training on some images.
    ///
    /// # Errors
    /// [`BatchError`] when there are no images or the batch size is 0.
    pub fn new(images: Arc<Images>, batch_size: usize, seed: u64) -> Result<Self, BatchError> {
        if images.is_empty() {
            return Err(BatchError::NoImages);
        }
        if batch_size == 0 {
            return Err(BatchError::EmptyBatch);
        }
        let noise = Key::new("training noise", &[&seed.to_le_bytes()]);
        Ok(Self { images, batch_size, seed, noise })
    }

    /// Number of steps that visit every image once.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        self.images.len().div_ceil(self.batch_size) as u64
    }

    /// Channels, height and width of an image.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        self.images.shape()
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
        epoch_order(self.seed, self.epoch_of(step), self.images.len())
    }

    /// Makes the batch of one step from its epoch's order.
    pub(super) fn batch_in_order(&self, step: u64, order: &[u32]) -> Batch {
        let first =
            usize::try_from(step % self.steps_per_epoch()).expect("it is below the number of images") * self.batch_size;
        let chosen = &order[first..order.len().min(first + self.batch_size)];
        let values = chosen.len() * self.images.dimensions();
        let mut pixels = Vec::with_capacity(values);
        for &index in chosen {
            append_unit_values(&mut pixels, self.images.image(index as usize));
        }
        let mut noise = Vec::with_capacity(values);
        self.noise.stream(step).append_units(&mut noise, values);
        Batch { step, epoch: self.epoch_of(step), len: chosen.len(), pixels, noise }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(count: u8, batch_size: usize) -> TrainingPlan {
        let images = Images::new([1, 1, 2], (0..2 * count).collect()).unwrap();
        TrainingPlan::new(Arc::new(images), batch_size, 9).unwrap()
    }

    #[test]
    fn an_epoch_sees_every_image_once_and_keeps_the_partial_batch() {
        let plan = plan(10, 4);
        assert_eq!(plan.steps_per_epoch(), 3);

        for epoch in 0..3 {
            let batches: Vec<Batch> = (0..3).map(|position| plan.batch(3 * epoch + position)).collect();

            assert_eq!(batches.iter().map(|batch| batch.len).collect::<Vec<_>>(), [4, 4, 2]);
            assert!(batches.iter().all(|batch| batch.epoch == epoch && batch.noise.len() == 2 * batch.len));
            let mut seen: Vec<f32> = batches.into_iter().flat_map(|batch| batch.pixels).collect();
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
    fn nothing_to_visit_is_refused() {
        let images = |count| Arc::new(Images::new([1, 1, 1], vec![0; count]).unwrap());

        assert_eq!(TrainingPlan::new(images(0), 4, 0).unwrap_err(), BatchError::NoImages);
        assert_eq!(TrainingPlan::new(images(1), 0, 0).unwrap_err(), BatchError::EmptyBatch);
    }
}
