//! A whole flow as data: its layers one after another, with counts.

use crate::part::{Count, Part, TensorShape};
use crate::recipes::Origin;
use crate::{InputShape, Layer, LayerKind, Misfit, Place};

/// Most values that a model may have: more would not fit any one machine's memory with its gradients and moments.
const MAX_PARAMETERS: u64 = 20_000_000_000;

/// Whether numbers are the textbook's or the reference implementation's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Parity {
    /// The discrete bound in its textbook form, decoding that undoes encoding, densities of continuous data as they are.
    #[default]
    Corrected,
    /// Kirichenko, Izmailov and Wilson's code (`flows_ood`): bits/dim of images are log₂(256/255) = 0.005647 larger,
    /// decoding stops at the sigmoid (pictures of low contrast), and continuous vectors pay 8 bits/dim as if they were
    /// 8-bit images.
    FlowsOod,
}

/// A flow: what it models and its layers, from data to latents.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// What it models. Images pass a logit layer first (models.md 2.2).
    pub input: InputShape,
    /// Whose numbers it gives.
    pub parity: Parity,
    /// The layers, in order.
    pub layers: Vec<Layer>,
    /// The recipe that composed it, which the reference's names depend on.
    pub(crate) origin: Origin,
}

impl Architecture {
    /// Checks every layer, and the whole for its size.
    ///
    /// # Errors
    /// The first layer that does not fit its input, with the shapes.
    pub fn check(&self) -> Result<(), Misfit> {
        self.input.check()?;
        self.layers.iter().try_for_each(Layer::check)?;
        let mut count: u64 = 0;
        for layer in &self.layers {
            for part in layer.parts() {
                count = count.saturating_add(Count::of(&part.tensors()).parameters);
                if count > MAX_PARAMETERS {
                    let message = format!("the model has more than {MAX_PARAMETERS} parameters");
                    return Err(Misfit::new(Place::StNetwork, message));
                }
            }
        }
        Ok(())
    }

    /// The parts of every layer, in order.
    pub fn parts(&self) -> impl Iterator<Item = Part> + '_ {
        self.layers.iter().flat_map(Layer::parts)
    }

    /// Every tensor of the model by name and shape, in the order of its layers.
    #[must_use]
    pub fn tensors(&self) -> Vec<TensorShape> {
        self.parts().flat_map(|part| part.tensors()).collect()
    }

    /// How many values the model has.
    #[must_use]
    pub fn count(&self) -> Count {
        Count::of(&self.tensors())
    }

    /// FLOPs of one example's forward pass in convolutions and matrix products, a multiplication and an addition each
    /// counting one.
    #[must_use]
    pub fn forward_flops(&self) -> u64 {
        self.parts().map(|part| part.flops()).fold(0, u64::saturating_add)
    }

    /// FLOPs of one training step on `examples` examples: the gradient by inputs and the one by weights cost a forward
    /// pass each.
    #[must_use]
    pub fn step_flops(&self, examples: u64) -> u64 {
        self.forward_flops().saturating_mul(3).saturating_mul(examples)
    }

    /// The number of coupling layers.
    #[must_use]
    pub fn couplings(&self) -> usize {
        self.layers.iter().filter(|layer| matches!(layer.kind, LayerKind::Coupling(_))).count()
    }

    /// Whether weight decay reaches the gains alone by default, as for the reference's image RealNVPs; Glow and tabular
    /// models decay every parameter (models.md 4.2).
    #[must_use]
    pub fn decays_gains_alone(&self) -> bool {
        self.origin.decays_gains_alone()
    }
}
