//! A rotation as a product of reflections: volume is preserved and the inverse is the transpose (Tomczak and Welling 2016,
//! equation 11; Hoogeboom, van den Berg and Welling 2019, section 3.3).

use tch::Tensor;

use super::ChannelMatrix;
use crate::parameters::Scope;

/// `W = prod_k (I - 2 v_k v_kᵀ / |v_k|²)`; starts with normal directions.
#[derive(Debug)]
pub struct Reflections {
    vectors: Tensor,
}

impl Reflections {
    /// A product of `reflections` random reflections of `channels` channels.
    pub fn new(scope: &mut Scope<'_>, channels: i64, reflections: i64) -> Self {
        Self { vectors: scope.normal("vectors", &[reflections, channels], 1.0) }
    }
}

impl ChannelMatrix for Reflections {
    fn matrix(&self) -> Tensor {
        let [reflections, channels] = [self.vectors.size()[0], self.vectors.size()[1]];
        let lengths = self.vectors.square().sum_dim_intlist(1, true, self.vectors.kind());
        let halved = &self.vectors * 2.0 / lengths; // 2 v / |v|²
        let mut matrix = Tensor::eye(channels, (self.vectors.kind(), self.vectors.device()));
        for index in 0..reflections {
            let along = matrix.matmul(&self.vectors.get(index)); // W v, [c]
            // Not in place: the gradient needs the product so far.
            matrix = &matrix - along.outer(&halved.get(index));
        }
        matrix
    }

    fn log_det(&self) -> Tensor {
        // Attached to the parameters, so that a flow of volume-preserving layers still has a gradient everywhere.
        self.vectors.sum(self.vectors.kind()) * 0.0
    }

    fn inverse(&self) -> Tensor {
        self.matrix().transpose(0, 1)
    }
}
