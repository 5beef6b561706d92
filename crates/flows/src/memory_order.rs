//! The order in memory of the activations of st-networks. It changes their rounding and their speed, nothing else.

use tch::{Device, Tensor};

/// Which of an activation's values `[b, c, h, w]` are neighbours in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryOrder {
    /// What convolutions on the device work in: on CPUs the channels of a pixel.
    ///
    /// In the other order oneDNN copies every activation to its own blocked order and back, a tenth to a sixth of a
    /// training step. In this one libtorch's batch normalisation sums a channel's values one after another in single
    /// precision: statistics and gradients are off by some 1e-5 of their size, where the other order sums in double.
    #[default]
    Fastest,
    /// The pixels of a row, then rows, then channels, as the reference implementation computes.
    ChannelsFirst,
}

impl MemoryOrder {
    /// The activation in this order; all that convolutions make of it keeps the order.
    pub(crate) fn arrange(self, x: &Tensor) -> Tensor {
        match (self, x.device()) {
            (Self::Fastest, Device::Cpu) => x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]),
            _ => x.shallow_clone(),
        }
    }
}
