//! The one place where batches become tensors and the flow is asked for likelihoods.

use std::ops::Range;

use datasets::Batch;
use flows::{Flow, Mode};
use tch::Tensor;

/// A batch on the device.
pub struct BatchTensors {
    /// Images `[b, c, h, w]` in [0, 1], or vectors `[b, d]`.
    pub(super) values: Tensor,
    /// Dequantisation noise of images, `[b, c, h, w]` in [0, 1).
    pub(super) noise: Option<Tensor>,
}

impl BatchTensors {
    /// Puts a batch on the device in the flow's shape.
    pub fn new(batch: &Batch, flow: &Flow, device: tch::Device) -> Self {
        let shape = [vec![batch.len as i64], flow.input().sizes()].concat();
        let tensor = |values: &[f32]| Tensor::from_slice(values).view(shape.as_slice()).to_device(device);
        Self { values: tensor(&batch.values), noise: batch.noise.as_deref().map(tensor) }
    }

    /// Number of images.
    pub fn len(&self) -> i64 {
        self.values.size()[0]
    }

    /// Some of the images; shares memory.
    pub fn part(&self, range: &Range<i64>) -> Self {
        let part = |tensor: &Tensor| tensor.narrow(0, range.start, range.end - range.start);
        Self { values: part(&self.values), noise: self.noise.as_ref().map(part) }
    }

    /// These images and then others.
    pub fn followed_by(&self, others: &Self) -> Self {
        Self {
            values: Tensor::cat(&[&self.values, &others.values], 0),
            noise: self.noise.as_ref().zip(others.noise.as_ref()).map(|(own, other)| Tensor::cat(&[own, other], 0)),
        }
    }
}

/// The log-likelihood of each image in nats, `[b]`, with batch statistics of exactly these images.
pub fn log_likelihood(flow: &Flow, batch: &BatchTensors) -> Tensor {
    flow.log_likelihood(&batch.values, batch.noise.as_ref(), Mode::Train).total
}
