//! A coupling layer as data: its mask, the map that it applies and the network that decides the map.

use crate::masks::Mask;
use crate::part::{Part, PartKind};
use crate::st_network::{NetworkShape, StNetwork};
use crate::{Misfit, Place};

/// What a coupling layer does to the part that it changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transform {
    /// `y = (x + t) exp(s)` with `s = w tanh(s_raw)` (RealNVP: Dinh, Sohl-Dickstein and Bengio 2017, equation 4; the
    /// reference's order and bound, models.md 2.3).
    Affine,
    /// `y = x + t`, which preserves volume (NICE: Dinh, Krueger and Bengio 2015, equation 8).
    Additive,
    /// Monotone rational-quadratic splines with linear tails (Durkan, Bekasov, Murray and Papamakarios 2019, section 3.1).
    Spline {
        /// Bins of each spline.
        bins: u32,
        /// The splines act on [-bound, bound]; outside they are the identity.
        bound: f64,
    },
}

impl Transform {
    /// Numbers that the st-network gives for each number that changes.
    #[must_use]
    pub fn outputs(self) -> i64 {
        match self {
            Self::Affine => 2,
            Self::Additive => 1,
            Self::Spline { bins, .. } => 3 * i64::from(bins) - 1,
        }
    }

    fn check(self) -> Result<(), Misfit> {
        match self {
            Self::Affine | Self::Additive => Ok(()),
            Self::Spline { bins, bound } => {
                if !(2..=256).contains(&bins) {
                    let message = format!("a spline has 2 to 256 bins, not {bins}");
                    return Err(Misfit::new(Place::Transform, message));
                }
                // Further out or in, the quadratic equation of the inverse leaves the range of single precision.
                if !(1e-3..=1e6).contains(&bound) {
                    let message = format!("a spline's bound is a number from 0.001 to 1000000, not {bound}");
                    return Err(Misfit::new(Place::Transform, message));
                }
                Ok(())
            }
        }
    }
}

/// A coupling layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Coupling {
    /// What it reads and what it changes.
    pub mask: Mask,
    /// What it does to the part that it changes.
    pub transform: Transform,
    /// The network from the part that it reads to the numbers of the transform.
    pub network: StNetwork,
}

impl Coupling {
    /// What the st-network is given and must give, for a layer whose input has the sizes `[c, h, w]` or `[d]`.
    #[must_use]
    pub fn network_shape(&self, input: &[i64]) -> NetworkShape {
        let per_value = self.transform.outputs();
        match (self.mask, input) {
            (Mask::Channels(_), &[c, h, w]) => {
                NetworkShape { inputs: c / 2, outputs: (c - c / 2) * per_value, size: [h, w], half_is_zero: false }
            }
            (Mask::SubQuadrants { factor, .. }, &[c, h, w]) => {
                let factor = i64::from(factor.max(1));
                let size = [h / factor, w / factor];
                NetworkShape { inputs: c, outputs: c * per_value, size, half_is_zero: false }
            }
            (mask, &[c, h, w]) => {
                let half_is_zero = matches!(mask, Mask::Checkerboard(_));
                NetworkShape { inputs: c, outputs: c * per_value, size: [h, w], half_is_zero }
            }
            (_, sizes) => {
                let features = sizes.iter().product();
                NetworkShape { inputs: features, outputs: features * per_value, size: [1, 1], half_is_zero: false }
            }
        }
    }

    /// Checks that mask, transform and network fit an input of the sizes `[c, h, w]` or `[d]`.
    ///
    /// # Errors
    /// What does not fit, with the shapes.
    pub fn check(&self, input: &[i64]) -> Result<(), Misfit> {
        self.check_mask(input)?;
        self.transform.check()?;
        self.network.check(self.network_shape(input)).map_err(|message| Misfit::new(Place::StNetwork, message))
    }

    fn check_mask(&self, input: &[i64]) -> Result<(), Misfit> {
        let refuse = |message: String| Err(Misfit::new(Place::Mask(None), message));
        match (self.mask, input) {
            (Mask::Features(_), &[d]) if d >= 2 => Ok(()),
            (Mask::Features(_), &[d]) => refuse(format!("{d} feature cannot be split in two parts")),
            (Mask::Features(_), _) => refuse("a mask over features needs vectors".to_owned()),
            (_, &[_]) => refuse("a mask over pixels or channels needs images, and the data are vectors".to_owned()),
            (Mask::Channels(_), &[c, ..]) if c % 2 != 0 => {
                refuse(format!("{c} channels cannot be halved by a channel mask"))
            }
            (Mask::Quadrants { seen, changed } | Mask::SubQuadrants { seen, changed, .. }, _) if seen == changed => {
                refuse(format!("quadrant {} cannot be read and changed by one layer", seen.number()))
            }
            (Mask::SubQuadrants { factor, .. }, &[_, h, w]) => {
                let factor = i64::from(factor);
                if factor < 2 || h % factor != 0 || w % factor != 0 || h / factor < 2 || w / factor < 2 {
                    let message = format!(
                        "{h}×{w} pixels do not divide into {factor}×{factor} tiles of at least 2×2: use a factor of at least 2 that divides both sides"
                    );
                    return refuse(message);
                }
                Ok(())
            }
            (Mask::Center { margin }, &[_, h, w]) => {
                let margin = i64::from(margin);
                let most = (h.min(w) - 1) / 2;
                if most < 1 {
                    return refuse(format!("{h}×{w} pixels are too few for a square within a frame: use at least 3×3"));
                }
                if !(1..=most).contains(&margin) {
                    return refuse(format!("a margin of {margin} leaves no square in {h}×{w} pixels: use 1 to {most}"));
                }
                Ok(())
            }
            (mask, &[_, h, w]) if !mask.splits([h, w]) => {
                refuse(format!("{h}×{w} pixels cannot be split by this mask"))
            }
            _ => Ok(()),
        }
    }

    /// The layer's parts under its name.
    #[must_use]
    pub fn parts(&self, name: &str, input: &[i64]) -> Vec<Part> {
        let shape = self.network_shape(input);
        let mut parts = self.network.parts(&format!("{name}.network"), shape);
        if self.transform == Transform::Affine {
            let changed = shape.outputs / 2;
            let shape = if input.len() == 1 { vec![changed] } else { vec![changed, 1, 1] };
            let kind = PartKind::Rescale { shape };
            parts.push(Part { name: format!("{name}.rescale"), kind, positions: 1 });
        }
        if let Mask::SubQuadrants { factor, .. } = self.mask {
            for part in &mut parts {
                part.positions *= i64::from(factor).pow(2);
            }
        }
        parts
    }
}
