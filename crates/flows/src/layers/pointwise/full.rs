//! A matrix whose every entry is a parameter (the reference's 1x1 convolution, models.md 2.9).

use tch::Tensor;

use super::{ChannelMatrix, random_rotation};
use crate::parameters::{Role, Scope};

/// All entries are free; starts as a random rotation.
#[derive(Debug)]
pub struct FullMatrix {
    weight: Tensor,
}

impl FullMatrix {
    /// A random rotation of `channels` channels.
    pub fn new(scope: &mut Scope<'_>, channels: i64) -> Self {
        let rotation = random_rotation(scope, channels);
        Self { weight: scope.parameter("weight", Role::Weight, &rotation) }
    }
}

impl ChannelMatrix for FullMatrix {
    fn matrix(&self) -> Tensor {
        self.weight.shallow_clone()
    }

    fn log_det(&self) -> Tensor {
        Tensor::linalg_slogdet(&self.weight).1
    }
}
