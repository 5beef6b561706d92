//! Squeeze: trades each 2x2 cell of pixels for four channels.

use tch::Tensor;

use crate::bijection::{Bijection, Mode, Transformed, zero_log_det};

/// `[b, c, h, w]` to `[b, 4c, h/2, w/2]`; output channel `4c + 2i + j` holds row `i`, column `j` of each cell
/// (reference section 2.1). Volume is preserved.
#[derive(Debug)]
pub struct Squeeze;

impl Bijection for Squeeze {
    fn forward(&self, x: &Tensor, _mode: Mode) -> Transformed {
        Transformed { output: x.pixel_unshuffle(2), log_det: zero_log_det(x) }
    }

    fn inverse(&self, z: &Tensor, _mode: Mode) -> Transformed {
        Transformed { output: z.pixel_shuffle(2), log_det: zero_log_det(z) }
    }

    fn output_shape(&self, [channels, height, width]: [i64; 3]) -> [i64; 3] {
        [4 * channels, height / 2, width / 2]
    }
}
