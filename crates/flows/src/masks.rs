//! Masks as tensors: a coupling layer builds its own once.

use architecture::{Mask, Order};
use tch::{Device, Kind, Tensor};

/// The two parts of a mask as factors of zeros and ones, `[h, w]` for pixels and `[d]` for features.
#[derive(Debug)]
pub struct Factors {
    /// One where the st-network sees the input.
    pub seen: Tensor,
    /// One where the coupling layer changes the input.
    pub changed: Tensor,
}

impl Factors {
    /// The factors of a spatial mask for images (or tiles) of `[height, width]`.
    pub fn of_pixels(mask: Mask, size: [i64; 2], kind: Kind, device: Device) -> Self {
        let tensor = |chosen: &dyn Fn(i64, i64) -> bool| {
            let pixels = (0..size[0]).flat_map(|row| (0..size[1]).map(move |column| (row, column)));
            let values: Vec<f64> = pixels.map(|(row, column)| if chosen(row, column) { 1.0 } else { 0.0 }).collect();
            Tensor::from_slice(&values).view(size).to_kind(kind).to_device(device)
        };
        Self {
            seen: tensor(&|row, column| mask.sees(row, column, size)),
            changed: tensor(&|row, column| mask.changes(row, column, size)),
        }
    }

    /// The factors of a vector of `features`, half of which is kept.
    pub fn of_features(order: Order, features: i64, kind: Kind, device: Device) -> Self {
        let kept: Vec<f64> =
            (0..features).map(|index| if Mask::keeps_feature(order, index, features) { 1.0 } else { 0.0 }).collect();
        let seen = Tensor::from_slice(&kept).to_kind(kind).to_device(device);
        Self { changed: seen.ones_like() - &seen, seen }
    }
}
