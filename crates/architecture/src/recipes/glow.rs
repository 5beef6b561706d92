//! Glow with the reference's couplings: channel-wise, always the same half changed (models.md 2.9).

use super::realnvp::check_scales;
use super::{Assembly, Origin, SplitPrior, check_couplings};
use crate::{
    Architecture, Coupling, InputShape, LayerKind, Mask, Misfit, Order, Parity, Place, PointwiseConvolution, Squeeze,
    StNetwork, Transform,
};

/// A Glow (Kingma and Dhariwal 2018) over images.
#[derive(Clone, Debug, PartialEq)]
pub struct Glow {
    /// The images.
    pub input: InputShape,
    /// Whose numbers it gives.
    pub parity: Parity,
    /// Its scales; each begins with a squeeze.
    pub scales: u32,
    /// Steps of act norm, 1x1 convolution and coupling in each scale.
    pub steps: u32,
    /// Half of the channels leave after every scale but the last; otherwise all go on.
    pub multi_scale: bool,
    /// The network of each coupling layer, of the same width in all scales.
    pub network: StNetwork,
    /// The matrix of each 1x1 convolution.
    pub convolution: PointwiseConvolution,
    /// What each coupling layer does.
    pub transform: Transform,
    /// How its squeezes arrange values.
    pub squeeze: Squeeze,
    /// What factored-out channels are scored by.
    pub split_prior: SplitPrior,
}

impl Glow {
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
        check_scales(self.scales, self.scales, [height, width])?;
        if self.steps < 1 {
            return Err(Misfit::new(Place::Couplings, "a scale needs at least 1 step"));
        }
        check_couplings(self.steps.saturating_mul(self.scales))?;
        let mut assembly = Assembly::new(self.input);
        let mut count = 0;
        for scale in 0..self.scales {
            assembly.push(format!("squeeze.{scale}"), LayerKind::Squeeze(self.squeeze));
            for _ in 0..self.steps {
                assembly.push(format!("act_norms.{count}"), LayerKind::ActNorm);
                assembly.push(format!("convolutions.{count}"), LayerKind::PointwiseConvolution(self.convolution));
                let (transform, network) = (self.transform, self.network.clone());
                let coupling = Coupling { mask: Mask::Channels(Order::Plain), transform, network };
                assembly.push(format!("couplings.{count}"), LayerKind::Coupling(coupling));
                count += 1;
            }
            if self.multi_scale && scale + 1 < self.scales {
                let keep = assembly.channels() / 2;
                assembly.push(format!("factor.{scale}"), LayerKind::Factor { keep, prior: self.split_prior });
            }
        }
        let Self { scales, steps, multi_scale, .. } = *self;
        let architecture = assembly.finish(self.parity, Origin::Glow { scales, steps, multi_scale });
        architecture.check()?;
        Ok(architecture)
    }
}
