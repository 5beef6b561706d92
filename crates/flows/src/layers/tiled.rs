//! A layer applied to each tile of an image on its own, as if tiles were examples (sub-quadrant masks, models.md 2.4).

use tch::Tensor;

use crate::bijection::{Bijection, Mode, ScaleAndShift, Transformed};

/// Cuts `[b, c, h, w]` into `factor` x `factor` tiles, row by row, and gives them to the layer as
/// `[b factor², c, h / factor, w / factor]`; log-determinants are summed over the tiles of an image in both directions.
pub struct Tiled<B> {
    factor: i64,
    layer: B,
}

impl<B: Bijection> Tiled<B> {
    /// The layer on each of `factor` x `factor` tiles.
    pub fn new(factor: i64, layer: B) -> Self {
        Self { factor, layer }
    }

    fn cut(&self, x: &Tensor) -> Tensor {
        let (f, size) = (self.factor, x.size());
        let [b, c, h, w] = [size[0], size[1], size[2], size[3]];
        let tiles = x.reshape([b, c, f, h / f, f, w / f]).permute([0, 2, 4, 1, 3, 5]);
        tiles.reshape([b * f * f, c, h / f, w / f])
    }

    fn join(&self, tiles: &Tensor) -> Tensor {
        let (f, size) = (self.factor, tiles.size());
        let [b, c, h, w] = [size[0] / (f * f), size[1], size[2], size[3]];
        tiles.reshape([b, f, f, c, h, w]).permute([0, 3, 1, 4, 2, 5]).reshape([b, c, f * h, f * w])
    }

    fn assemble(&self, tiles: &Transformed) -> Transformed {
        let log_det = tiles.log_det.reshape([-1, self.factor * self.factor]);
        let log_det = log_det.sum_dim_intlist(1, false, log_det.kind());
        Transformed { output: self.join(&tiles.output), log_det }
    }
}

impl<B: Bijection> Bijection for Tiled<B> {
    fn forward(&self, x: &Tensor, mode: Mode) -> Transformed {
        self.assemble(&self.layer.forward(&self.cut(x), mode))
    }

    fn inverse(&self, z: &Tensor, mode: Mode) -> Transformed {
        self.assemble(&self.layer.inverse(&self.cut(z), mode))
    }

    fn forward_observed(&self, x: &Tensor, mode: Mode) -> (Transformed, Option<ScaleAndShift>) {
        let (tiles, observed) = self.layer.forward_observed(&self.cut(x), mode);
        let observed =
            observed.map(|seen| ScaleAndShift { log_scale: self.join(&seen.log_scale), shift: self.join(&seen.shift) });
        (self.assemble(&tiles), observed)
    }
}
