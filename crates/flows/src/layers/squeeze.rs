//! Squeeze: trades each 2x2 cell of pixels for four channels.

use tch::Tensor;

use crate::bijection::{Bijection, Mode, Transformed, zero_log_det};

/// `[b, c, h, w]` to `[b, 4c, h/2, w/2]`; output channel `4c + 2i + j` holds row `i`, column `j` of each cell
/// (models.md 2.1; Dinh, Sohl-Dickstein and Bengio 2017, section 3.6). Volume is preserved.
#[derive(Debug)]
pub struct Squeeze;

impl Bijection for Squeeze {
    fn forward(&self, x: &Tensor, _mode: Mode) -> Transformed {
        Transformed { output: x.pixel_unshuffle(2), log_det: zero_log_det(x) }
    }

    fn inverse(&self, z: &Tensor, _mode: Mode) -> Transformed {
        Transformed { output: z.pixel_shuffle(2), log_det: zero_log_det(z) }
    }
}
