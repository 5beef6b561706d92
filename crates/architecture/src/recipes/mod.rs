//! Recipes: whole models described by a few values. A recipe only composes layers.

mod glow;
mod realnvp;
mod tabular;

pub use glow::Glow;
pub use realnvp::{Body, RealNvp};
pub use tabular::Tabular;

use crate::{Architecture, InputShape, Layer, LayerKind, Misfit, Parity, Place};

/// What channels that leave early are scored by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SplitPrior {
    /// The standard normal, like every other latent (the reference).
    #[default]
    Standard,
    /// A normal whose mean and log-variance a zero-initialised convolution learns from the channels that stay (Kingma and
    /// Dhariwal 2018, section 3; the split prior of its published code).
    Learned,
}

/// Most coupling layers of a model: ten times the deepest published ones.
const MOST_COUPLINGS: u32 = 1024;

/// Checks that a model has coupling layers, and not so many that a slip of the pen would fill the memory.
fn check_couplings(count: u32) -> Result<(), Misfit> {
    if (1..=MOST_COUPLINGS).contains(&count) {
        return Ok(());
    }
    let message = format!("a model has 1 to {MOST_COUPLINGS} coupling layers, not {count}");
    Err(Misfit::new(Place::Couplings, message))
}

/// The recipe that composed an architecture; the reference numbers its modules by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A multi-scale RealNVP.
    Scales(u32),
    /// Couplings on one scale.
    Stack,
    /// Glow.
    Glow { scales: u32, steps: u32, multi_scale: bool },
    /// A RealNVP over vectors.
    Tabular,
}

impl Origin {
    pub(crate) fn decays_gains_alone(self) -> bool {
        match self {
            Self::Scales(_) | Self::Stack => true,
            Self::Glow { .. } | Self::Tabular => false,
        }
    }
}

/// Layers gathered one after another, each with the shape that it takes.
struct Assembly {
    input: InputShape,
    shape: Vec<i64>,
    layers: Vec<Layer>,
}

impl Assembly {
    fn new(input: InputShape) -> Self {
        Self { input, shape: input.sizes(), layers: Vec::new() }
    }

    /// Appends a layer and moves on to the shape of its output.
    fn push(&mut self, name: String, kind: LayerKind) {
        let layer = Layer { name, kind, input: self.shape.clone() };
        self.shape = layer.output();
        self.layers.push(layer);
    }

    fn channels(&self) -> i64 {
        self.shape[0]
    }

    fn finish(self, parity: Parity, origin: Origin) -> Architecture {
        Architecture { input: self.input, parity, layers: self.layers, origin }
    }
}
