//! Adam, AdamW and RMSprop over flat parameter buffers: a handful of kernels per step whatever the number of tensors, the
//! same bits for the same inputs, and a state that can be saved. Never waits for the device.

mod gradients;
mod rule;
mod state;

use flows::parameters::{ParameterStore, Role};
use tch::{Tensor, no_grad};

pub use gradients::Gradients;
pub use rule::OptimiserKind;
pub use state::StateError;

use gradients::AfterUse;
use rule::Moments;

/// What is added to the gradients and what is taken from them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regularisation {
    /// The largest global L2 norm of a group's gradient; `None` never clips.
    pub clip_norm: Option<f64>,
    /// The factor of the parameters that is added to their gradients after clipping (classic L2 decay), or, with AdamW,
    /// by which they shrink for each unit of the learning rate.
    pub weight_decay: f64,
    /// Which parameters decay, and with it how they are grouped.
    pub decayed: Decayed,
}

/// Which parameters decay (reference section 4.2). Gradients are clipped for each group on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decayed {
    /// Gains decay and form a group of their own; weights are the other group (image RealNVP).
    Gains,
    /// All parameters are one group and decay (Glow, tabular).
    All,
}

/// The global L2 norms of the gradients before clipping, one device scalar per group (gains before weights).
///
/// Reading one waits for the device, so that is left to the caller.
#[derive(Debug)]
pub struct StepNorms {
    /// One scalar tensor per group.
    pub groups: Vec<Tensor>,
}

/// Updates the parameters of one model.
///
/// It shares the parameters' memory: after [`ParameterStore::load`] it goes on from the loaded values.
#[derive(Debug)]
pub struct Optimiser {
    kind: OptimiserKind,
    regularisation: Regularisation,
    groups: Vec<Group>,
    steps: i64,
}

/// Parameters that are clipped and decayed together.
#[derive(Debug)]
struct Group {
    name: &'static str,
    leaves: Vec<Tensor>,
    /// The leaves' memory, `[n]`.
    values: Tensor,
    weight_decay: f64,
    moments: Moments,
}

impl Optimiser {
    /// An optimiser at step 0 for all parameters of the store.
    pub fn new(kind: OptimiserKind, parameters: &ParameterStore, regularisation: Regularisation) -> Self {
        let decay = regularisation.weight_decay;
        let groups = match regularisation.decayed {
            Decayed::Gains => vec![
                Group::new("gains", &kind, parameters, &[Role::Gain], decay),
                Group::new("weights", &kind, parameters, &[Role::Weight], 0.0),
            ],
            Decayed::All => vec![Group::new("all", &kind, parameters, &[Role::Gain, Role::Weight], decay)],
        };
        Self { kind, regularisation, groups, steps: 0 }
    }

    /// Differentiates `loss` (a scalar), clips, decays and updates the parameters in place.
    ///
    /// Returns the norms before clipping without reading them. Panics, as libtorch does, if a parameter has no part
    /// in the loss: that is a mistake in the model.
    pub fn step(&mut self, loss: &Tensor) -> StepNorms {
        let gradients = self.gradients(loss);
        self.apply(gradients)
    }

    /// The gradients of `loss` (a scalar), whose graph is gone then. Panics as [`step`](Self::step) does.
    #[must_use]
    pub fn gradients(&self, loss: &Tensor) -> Gradients {
        Gradients::of(loss, self.groups.iter().map(|group| group.leaves.as_slice()), AfterUse::Free)
    }

    /// As [`gradients`](Self::gradients), for a loss that shares its graph with another one.
    #[must_use]
    pub fn gradients_of_shared(&self, loss: &Tensor) -> Gradients {
        Gradients::of(loss, self.groups.iter().map(|group| group.leaves.as_slice()), AfterUse::Keep)
    }

    /// Clips and decays gradients of this optimiser's parameters and updates those in place.
    ///
    /// Returns the norms before clipping without reading them.
    pub fn apply(&mut self, gradients: Gradients) -> StepNorms {
        self.steps += 1;
        no_grad(|| {
            let clip = self.regularisation.clip_norm;
            let pairs = self.groups.iter_mut().zip(gradients.into_groups());
            let norms = pairs.map(|(group, gradient)| group.update(&self.kind, self.steps, gradient, clip));
            StepNorms { groups: norms.collect() }
        })
    }

    /// Sets the learning rate of the following steps.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.kind.set_learning_rate(learning_rate);
    }

    /// The number of steps taken.
    pub fn steps(&self) -> i64 {
        self.steps
    }

    /// The steps taken and the moments, by name; the moments share memory with the optimiser: copy before the next
    /// step. Hyper-parameters are not part of it.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        state::of(self.steps, self.groups.iter().map(|group| (group.name, &group.moments)))
    }

    /// Continues from a saved state of the same kind of optimiser over the same parameters.
    ///
    /// Fails, without changing anything, if a tensor is missing, unknown or of another shape.
    pub fn load_state(&mut self, saved: &[(String, Tensor)]) -> Result<(), StateError> {
        self.steps = state::load(&self.state(), saved)?;
        Ok(())
    }
}

impl Group {
    fn new(
        name: &'static str,
        kind: &OptimiserKind,
        parameters: &ParameterStore,
        roles: &[Role],
        weight_decay: f64,
    ) -> Self {
        let in_role = |role: Role| parameters.parameters().iter().filter(move |p| p.role == role);
        let leaves = roles.iter().flat_map(|role| in_role(*role)).map(|p| p.tensor.shallow_clone()).collect();
        let values = match roles {
            [role] => parameters.flat(*role),
            _ => parameters.flat_all(),
        };
        let moments = Moments::zeros(kind, &values);
        Self { name, leaves, values, weight_decay, moments }
    }

    /// One update; returns the norm of the gradient before clipping.
    fn update(&mut self, kind: &OptimiserKind, step: i64, mut gradient: Tensor, clip_norm: Option<f64>) -> Tensor {
        let norm = gradient.norm();
        if let Some(limit) = clip_norm {
            // torch's clip_grad_norm_: the factor stays on the device.
            let factor = ((&norm + 1e-6).reciprocal() * limit).clamp_max(1.0);
            gradient *= factor;
        }
        kind.decay(&mut self.values, &mut gradient, self.weight_decay);
        kind.update(&mut self.values, &gradient, &mut self.moments, step);
        norm
    }
}
