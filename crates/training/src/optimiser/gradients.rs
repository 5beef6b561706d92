//! Gradients of all parameters as one flat vector per group: sums over parts of a batch are a kernel each.

use tch::{Tensor, no_grad};

/// What becomes of a loss's graph once it is differentiated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterUse {
    /// Its memory is freed.
    Free,
    /// Another loss needs it.
    Keep,
}

/// The gradients of a loss with respect to an optimiser's parameters, before clipping.
#[derive(Debug)]
pub struct Gradients {
    /// One vector per group of parameters.
    groups: Vec<Tensor>,
}

impl Gradients {
    pub(super) fn of<'a>(loss: &Tensor, groups: impl Iterator<Item = &'a [Tensor]> + Clone, graph: AfterUse) -> Self {
        let leaves: Vec<&Tensor> = groups.clone().flatten().collect();
        let mut gradients = Tensor::run_backward(&[loss], &leaves, graph == AfterUse::Keep, false).into_iter();
        let groups = groups.map(|leaves| {
            let own: Vec<Tensor> =
                gradients.by_ref().take(leaves.len()).map(|gradient| gradient.reshape([-1])).collect();
            Tensor::cat(&own, 0)
        });
        Self { groups: no_grad(|| groups.collect()) }
    }

    /// Adds the gradients of another loss.
    pub fn add(&mut self, other: &Self) {
        no_grad(|| {
            for (own, others) in self.groups.iter_mut().zip(&other.groups) {
                *own += others;
            }
        });
    }

    /// Multiplies by a scalar tensor.
    pub fn scale(&mut self, factor: &Tensor) {
        no_grad(|| self.groups.iter_mut().for_each(|own| *own *= factor));
    }

    /// One flat vector per group of parameters.
    pub(crate) fn into_groups(self) -> Vec<Tensor> {
        self.groups
    }
}
