//! The st-networks: from the part a coupling sees to the raw log-scale and shift of the part it changes.

use tch::Tensor;

use crate::bijection::Mode;

pub mod batch_norm;
pub mod resnet;
pub mod weight_norm;

pub use resnet::Resnet;

/// A network of a coupling; new architectures are one file each beside this one.
pub trait Conditioner: Send {
    /// From the seen part `[b, c, h, w]` to `[b, 2c, h, w]`: first the raw log-scale, then the shift.
    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor;
}
