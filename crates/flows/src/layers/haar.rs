//! The Haar squeeze: each 2x2 cell of pixels becomes its average and three differences.

use tch::Tensor;

use crate::bijection::{Bijection, Mode, Transformed, zero_log_det};

/// One half of the Hadamard matrix of order 4: orthonormal, symmetric and so its own inverse. Its rows are the average,
/// the difference of columns, the difference of rows and the diagonal difference of a cell `[00, 01, 10, 11]`.
const HAAR: [f64; 16] = [0.5, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, -0.5, 0.5, 0.5, -0.5, -0.5, 0.5, -0.5, -0.5, 0.5];

/// `[b, c, h, w]` to `[b, 4c, h/2, w/2]` by the orthonormal Haar wavelet; output channel `4c + k` holds coefficient `k`
/// (Ardizzone, Lüth, Kruse, Rother and Köthe 2019, section 3.2). Volume is preserved.
#[derive(Debug)]
pub struct HaarSqueeze;

impl Bijection for HaarSqueeze {
    fn forward(&self, x: &Tensor, _mode: Mode) -> Transformed {
        Transformed { output: mix(&x.pixel_unshuffle(2)), log_det: zero_log_det(x) }
    }

    fn inverse(&self, z: &Tensor, _mode: Mode) -> Transformed {
        Transformed { output: mix(z).pixel_shuffle(2), log_det: zero_log_det(z) }
    }
}

/// Applies the matrix to every group of four channels.
fn mix(x: &Tensor) -> Tensor {
    let size = x.size(); // [b, 4c, h, w]
    let matrix = Tensor::from_slice(&HAAR).view([4, 4]).to_kind(x.kind()).to_device(x.device());
    let cells = x.reshape([size[0], size[1] / 4, 4, size[2] * size[3]]);
    matrix.matmul(&cells).reshape(size.as_slice())
}
