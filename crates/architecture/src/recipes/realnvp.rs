//! RealNVP over images: multi-scale, or a stack of any masks on one scale (models.md 2.5 and 2.7).

use super::{Assembly, Origin, SplitPrior, check_couplings};
use crate::{
    Architecture, Coupling, InputShape, LayerKind, Mask, Misfit, Order, Parity, Place, Squeeze, StNetwork, Transform,
};

/// A RealNVP over images.
#[derive(Clone, Debug, PartialEq)]
pub struct RealNvp {
    /// The images.
    pub input: InputShape,
    /// Whose numbers it gives.
    pub parity: Parity,
    /// Its coupling layers.
    pub body: Body,
    /// The network of each coupling layer; its hidden channels double at every squeeze.
    pub network: StNetwork,
    /// What each coupling layer does.
    pub transform: Transform,
    /// How its squeezes arrange values.
    pub squeeze: Squeeze,
    /// What factored-out channels are scored by.
    pub split_prior: SplitPrior,
}

/// The coupling layers of a RealNVP.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Scales of three checkerboard and three channel-wise couplings, and a last one of four checkerboards. Half of the
    /// channels leave after each scale.
    Scales(u32),
    /// One scale of couplings with these masks.
    Stack(Vec<Mask>),
}

impl RealNvp {
    /// Composes the layers.
    ///
    /// # Errors
    /// What does not fit the input or each other, with the shapes.
    pub fn compose(&self) -> Result<Architecture, Misfit> {
        let InputShape::Image { height, width, .. } = self.input else {
            return Err(Misfit::needs_images(self.input));
        };
        self.input.check()?;
        if self.network.takes_vectors() {
            return Err(Misfit::new(Place::StNetwork, "mlp takes vectors: use it in a tabular model"));
        }
        let architecture = match &self.body {
            Body::Scales(scales) => {
                check_scales(*scales, scales.saturating_sub(1), [height, width])?;
                self.compose_scales(*scales)
            }
            Body::Stack(masks) => {
                check_couplings(u32::try_from(masks.len()).unwrap_or(u32::MAX))?;
                self.compose_stack(masks)
            }
        };
        if let Body::Stack(_) = self.body {
            for (index, layer) in architecture.layers.iter().enumerate() {
                layer.check().map_err(|misfit| match misfit.place {
                    Place::Mask(None) => Misfit { place: Place::Mask(Some(index)), ..misfit },
                    _ => misfit,
                })?;
            }
        }
        architecture.check()?;
        Ok(architecture)
    }

    fn compose_stack(&self, masks: &[Mask]) -> Architecture {
        let mut assembly = Assembly::new(self.input);
        for (index, mask) in masks.iter().enumerate() {
            assembly.push(format!("couplings.{index}"), self.coupling(*mask, 1));
        }
        assembly.finish(self.parity, Origin::Stack)
    }

    fn compose_scales(&self, scales: u32) -> Architecture {
        let mut assembly = Assembly::new(self.input);
        let (mut count, mut widening) = (0, 1);
        let mut add = |assembly: &mut Assembly, mask, widening| {
            assembly.push(format!("couplings.{count}"), self.coupling(mask, widening));
            count += 1;
        };
        for scale in 0..scales {
            let is_last = scale + 1 == scales;
            for position in 0..if is_last { 4 } else { 3 } {
                add(&mut assembly, Mask::Checkerboard(Order::of_position(position)), widening);
            }
            if is_last {
                break;
            }
            assembly.push(format!("squeeze.{scale}"), LayerKind::Squeeze(self.squeeze));
            widening *= 2;
            for position in 0..3 {
                add(&mut assembly, Mask::Channels(Order::of_position(position)), widening);
            }
            let keep = assembly.channels() / 2;
            assembly.push(format!("factor.{scale}"), LayerKind::Factor { keep, prior: self.split_prior });
        }
        assembly.finish(self.parity, Origin::Scales(scales))
    }

    fn coupling(&self, mask: Mask, widening: i64) -> LayerKind {
        LayerKind::Coupling(Coupling { mask, transform: self.transform, network: self.network.widened(widening) })
    }
}

/// Checks that images can be halved `squeezes` times, for a model of `scales` scales.
pub(super) fn check_scales(scales: u32, squeezes: u32, [height, width]: [u32; 2]) -> Result<(), Misfit> {
    /// 2¹⁶ divides no side of an image that anybody trains on.
    const MOST: u32 = 16;
    if !(1..=MOST).contains(&scales) {
        return Err(Misfit::new(Place::Scales, format!("{scales} scales: 1 to {MOST} allowed")));
    }
    let divisor = 1_u32 << squeezes;
    if height % divisor != 0 || width % divisor != 0 {
        let message = format!("{scales} scales need sides divisible by {divisor}, and the images are {height}×{width}");
        return Err(Misfit::new(Place::Scales, message));
    }
    Ok(())
}
