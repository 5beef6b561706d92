//! A matrix as permutation, lower and upper triangle: its log-determinant is a sum (Kingma and Dhariwal 2018, equations 10
//! and 11).

use tch::{Tensor, no_grad};

use super::{ChannelMatrix, random_rotation};
use crate::parameters::{Role, Scope};

/// `W = P L (U + diag(s))` with P and the signs of s fixed, L of unit diagonal, `log |det W| = sum log |s|`; starts as a
/// random rotation. Entries outside the triangles have no effect.
#[derive(Debug)]
pub struct LuMatrix {
    lower: Tensor,
    upper: Tensor,
    log_diagonal: Tensor,
    permutation: Tensor,
    sign: Tensor,
}

impl LuMatrix {
    /// A random rotation of `channels` channels.
    pub fn new(scope: &mut Scope<'_>, channels: i64) -> Self {
        let rotation = random_rotation(scope, channels);
        let (permutation, lower, upper) = no_grad(|| Tensor::linalg_lu(&rotation, true));
        let diagonal = upper.diagonal(0, 0, 1);
        Self {
            lower: scope.parameter("lower", Role::Weight, &lower.tril(-1)),
            upper: scope.parameter("upper", Role::Weight, &upper.triu(1)),
            log_diagonal: scope.parameter("log_diagonal", Role::Weight, &diagonal.abs().log()),
            permutation: scope.fixed("permutation", &permutation),
            sign: scope.fixed("sign", &diagonal.sign()),
        }
    }
}

impl ChannelMatrix for LuMatrix {
    fn matrix(&self) -> Tensor {
        let channels = self.sign.size()[0];
        let unit = Tensor::eye(channels, (self.sign.kind(), self.sign.device()));
        let lower = self.lower.tril(-1) + unit;
        let upper = self.upper.triu(1) + (&self.sign * self.log_diagonal.exp()).diag(0);
        self.permutation.matmul(&lower).matmul(&upper)
    }

    fn log_det(&self) -> Tensor {
        self.log_diagonal.sum(self.log_diagonal.kind())
    }
}
