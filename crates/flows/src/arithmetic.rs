//! The arithmetic inside st-networks. Everything else of a flow (latents, log-determinants, the prior) is always computed
//! in the flow's own kind.

use tch::{Kind, Tensor};

/// How convolutions and matrix products of st-networks round their operands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arithmetic {
    /// In the kind of the flow.
    #[default]
    Full,
    /// As TF32 tensor cores do: operands rounded to 10 bits of mantissa, products summed in single precision. Emulated,
    /// so that its drift can be measured on any device.
    Tf32,
    /// In bfloat16: operands, biases and results have 7 bits of mantissa.
    Bfloat16,
}

/// The bits of a single-precision mantissa that TF32 drops.
const DROPPED_BITS: i64 = 13;

impl Arithmetic {
    /// Applies `product` to the operands as this arithmetic rounds them; the result has the kind of `x`.
    pub(crate) fn apply(
        self,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        product: impl FnOnce(&Tensor, &Tensor, Option<&Tensor>) -> Tensor,
    ) -> Tensor {
        match self {
            Self::Full => product(x, weight, bias),
            Self::Tf32 => product(&round_to_tf32(x), &round_to_tf32(weight), bias),
            Self::Bfloat16 => {
                let narrow = |tensor: &Tensor| tensor.to_kind(Kind::BFloat16);
                let bias = bias.map(narrow);
                product(&narrow(x), &narrow(weight), bias.as_ref()).to_kind(x.kind())
            }
        }
    }
}

/// Rounds to the nearest value with 10 bits of mantissa, ties away from zero.
fn round_to_tf32(x: &Tensor) -> Tensor {
    let bits = x.to_kind(Kind::Float).contiguous().view_dtype(Kind::Int);
    let half = 1_i64 << (DROPPED_BITS - 1);
    let kept = !((1_i64 << DROPPED_BITS) - 1);
    ((bits + half).bitwise_and(kept)).to_kind(Kind::Int).view_dtype(Kind::Float).to_kind(x.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tf32_keeps_ten_bits_of_mantissa() {
        let steps =
            Tensor::from_slice(&[1.0_f32, 1.0 + 1.0 / 1024.0, 1.0 + 1.0 / 4096.0, 1.0 + 3.0 / 4096.0, -1.5, 0.0]);

        let rounded = Vec::<f32>::try_from(round_to_tf32(&steps)).unwrap();

        let next = 1.0 + 1.0 / 1024.0;
        assert_eq!(rounded, [1.0, next, 1.0, next, -1.5, 0.0]);
    }
}
