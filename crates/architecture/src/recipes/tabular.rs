//! RealNVP over vectors: halves of the features take turns (models.md 2.8).

use super::{Assembly, Origin, check_couplings};
use crate::{Architecture, Coupling, InputShape, LayerKind, Mask, Misfit, Order, Parity, Place, StNetwork, Transform};

/// A RealNVP over continuous vectors, without preprocessing.
#[derive(Clone, Debug, PartialEq)]
pub struct Tabular {
    /// The vectors.
    pub input: InputShape,
    /// Whose numbers it gives.
    pub parity: Parity,
    /// Coupling layers.
    pub couplings: u32,
    /// The network of each coupling layer: an [`StNetwork::Mlp`].
    pub network: StNetwork,
    /// What each coupling layer does.
    pub transform: Transform,
}

impl Tabular {
    /// Composes the layers.
    ///
    /// # Errors
    /// What does not fit the input or each other, with the shapes.
    pub fn compose(&self) -> Result<Architecture, Misfit> {
        let InputShape::Vector { .. } = self.input else {
            return Err(Misfit::needs_vectors(self.input));
        };
        self.input.check()?;
        if !self.network.takes_vectors() {
            return Err(Misfit::new(Place::StNetwork, "a tabular model takes mlp: the others take images"));
        }
        check_couplings(self.couplings)?;
        let mut assembly = Assembly::new(self.input);
        for index in 0..self.couplings {
            let mask = Mask::Features(Order::of_position(index));
            let coupling = Coupling { mask, transform: self.transform, network: self.network.clone() };
            assembly.push(format!("couplings.{index}"), LayerKind::Coupling(coupling));
        }
        let architecture = assembly.finish(self.parity, Origin::Tabular);
        architecture.check()?;
        Ok(architecture)
    }
}
