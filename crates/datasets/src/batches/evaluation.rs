//! Evaluation batches: every image in index order, with noise that depends on the image alone.

use std::sync::Arc;

use super::plan::BatchError;
use super::prefetch::Prefetch;
use crate::images::{Images, Split, append_unit_values};
use crate::randomness::Key;

/// Which images are evaluated, and which of the independent noise draws they get.
#[derive(Debug, Clone)]
pub struct EvaluationPlan {
    images: Arc<Images>,
    batch_size: usize,
    noise: Key,
}

impl EvaluationPlan {
    /// Plans one pass over some images of a dataset's split. An image's noise is keyed by (seed, dataset, split, draw)
    /// and its index, so that neither the batch size nor a limit on the number of images changes it.
    ///
    /// # Errors
    /// [`BatchError`] when there are no images or the batch size is 0.
    pub fn new(
        images: Arc<Images>,
        batch_size: usize,
        seed: u64,
        dataset: &str,
        split: Split,
        draw: u32,
    ) -> Result<Self, BatchError> {
        if images.is_empty() {
            return Err(BatchError::NoImages);
        }
        if batch_size == 0 {
            return Err(BatchError::EmptyBatch);
        }
        let split = split.to_string();
        let parts: [&[u8]; 4] = [&seed.to_le_bytes(), dataset.as_bytes(), split.as_bytes(), &draw.to_le_bytes()];
        Ok(Self { images, batch_size, noise: Key::new("evaluation noise", &parts) })
    }

    /// The images at `indices`, in that order, each with the noise that a pass over all images gives it.
    ///
    /// # Panics
    /// If there is no such image.
    #[must_use]
    pub fn pick(&self, indices: &[usize]) -> PickedImages {
        let values = indices.len() * self.images.dimensions();
        let mut picked = PickedImages { pixels: Vec::with_capacity(values), noise: Vec::with_capacity(values) };
        for &index in indices {
            append_unit_values(&mut picked.pixels, self.images.image(index));
            self.noise.stream(index as u64).append_units(&mut picked.noise, self.images.dimensions());
        }
        picked
    }

    fn batch(&self, first: usize) -> EvaluationBatch {
        let end = self.images.len().min(first + self.batch_size);
        let PickedImages { pixels, noise } = self.pick(&(first..end).collect::<Vec<_>>());
        EvaluationBatch { first, len: end - first, pixels, noise }
    }
}

/// What one evaluation step sees.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationBatch {
    /// Index of the first image.
    pub first: usize,
    /// Number of images.
    pub len: usize,
    /// Byte / 255, `[len, c, h, w]`.
    pub pixels: Vec<f32>,
    /// Dequantisation noise uniform in `[0, 1)`, `[len, c, h, w]`.
    pub noise: Vec<f32>,
}

/// Some images of a plan, and their noise.
#[derive(Debug, Clone, PartialEq)]
pub struct PickedImages {
    /// Byte / 255, `[len, c, h, w]`.
    pub pixels: Vec<f32>,
    /// Dequantisation noise uniform in `[0, 1)`, `[len, c, h, w]`.
    pub noise: Vec<f32>,
}

/// All batches of a plan in order, made by one thread ahead of their use.
pub struct EvaluationBatches(Prefetch<EvaluationBatch>);

impl EvaluationBatches {
    /// Starts making the batches.
    #[must_use]
    pub fn new(plan: EvaluationPlan) -> Self {
        let starts = (0..plan.images.len()).step_by(plan.batch_size);
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

    fn noise(count: usize, batch_size: usize, dataset: &str, split: Split, draw: u32) -> Vec<f32> {
        let images = Arc::new(Images::new([1, 1, 3], vec![1; 3 * count]).unwrap());
        let plan = EvaluationPlan::new(images, batch_size, 1, dataset, split, draw).unwrap();
        EvaluationBatches::new(plan).flat_map(|batch| batch.noise).collect()
    }

    #[test]
    fn images_come_in_order_with_the_last_partial_batch() {
        let images = Arc::new(Images::new([1, 1, 1], (0..7).collect()).unwrap());
        let plan = EvaluationPlan::new(images, 3, 0, "mnist", Split::Test, 0).unwrap();

        let batches: Vec<EvaluationBatch> = EvaluationBatches::new(plan).collect();

        assert_eq!(batches.iter().map(|batch| (batch.first, batch.len)).collect::<Vec<_>>(), [(0, 3), (3, 3), (6, 1)]);
        let pixels: Vec<f32> = batches.into_iter().flat_map(|batch| batch.pixels).collect();
        assert!(pixels.into_iter().eq((0..7_u8).map(|byte| f32::from(byte) / 255.0)));
    }

    #[test]
    fn noise_of_an_image_is_independent_of_batch_size_and_limit() {
        let whole = noise(10, 10, "mnist", Split::Test, 0);

        assert_eq!(whole, noise(10, 3, "mnist", Split::Test, 0));
        assert_eq!(whole[..12], noise(4, 4, "mnist", Split::Test, 0));
    }

    #[test]
    fn picked_images_have_the_noise_of_a_whole_pass() {
        let images = Arc::new(Images::new([1, 1, 2], (0..10).collect()).unwrap());
        let plan = EvaluationPlan::new(images, 5, 1, "mnist", Split::Test, 0).unwrap();
        let whole = plan.batch(0);

        let picked = plan.pick(&[3, 0]);

        assert_eq!(picked.pixels, [6.0, 7.0, 0.0, 1.0].map(|byte: f32| byte / 255.0));
        assert_eq!(picked.noise, [&whole.noise[6..8], &whole.noise[..2]].concat());
    }

    #[test]
    fn datasets_splits_and_draws_have_noise_of_their_own() {
        let base = noise(4, 4, "mnist", Split::Test, 0);

        assert_ne!(base, noise(4, 4, "fashion-mnist", Split::Test, 0));
        assert_ne!(base, noise(4, 4, "mnist", Split::Train, 0));
        assert_ne!(base, noise(4, 4, "mnist", Split::Test, 1));
    }
}
