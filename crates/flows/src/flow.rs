//! A density over examples: preprocessing of images, a chain of bijections and a standard normal at its end.

mod build;

use std::f64::consts::LN_2;

use architecture::{Architecture, InputShape, Parity};
use tch::{Kind, Tensor};

use crate::base::standard_normal_log_density;
use crate::bijection::{Bijection, Mode, Transformed};
use crate::layers::Logit;
use crate::layers::multiscale::{MultiScale, ScalePart, Traced};
use crate::parameters::ParameterStore;

pub use build::BuildError;

/// The number of grey levels of an 8-bit image.
const LEVELS: f64 = 256.0;

/// The log-likelihood of each example of a batch, all `[b]` in nats.
#[derive(Debug)]
pub struct LogLikelihood {
    /// `latent + log_det - d ln 256` of the discrete image, a lower bound; `latent + log_det` of a vector, its log-density
    /// (parity with the reference subtracts `d ln 256` there too).
    pub total: Tensor,
    /// `log N(z; 0, I)`; factored-out channels under a learned prior count with their `log |det|` below.
    pub latent: Tensor,
    /// `log |det dz/dx|`, the logit layer included.
    pub log_det: Tensor,
}

/// A normalizing flow over images `[c, h, w]` or vectors `[d]`.
///
/// Images in [0, 1] with noise u in [0, 1) are dequantised to `y = (255 x + u) / 256` and become logits of
/// `p = 0.05 + 0.9 y` (models.md 2.2; Dinh, Sohl-Dickstein and Bengio 2017, section 4.1).
pub struct Flow {
    architecture: Architecture,
    chain: MultiScale,
    parameters: ParameterStore,
}

impl Flow {
    /// The log-likelihood of images `[b, c, h, w]` in [0, 1] with dequantisation noise of the same shape in [0, 1), or of
    /// vectors `[b, d]`, which have no noise. Images without noise stand at the lower edge of their cells.
    pub fn log_likelihood(&self, x: &Tensor, noise: Option<&Tensor>, mode: Mode) -> LogLikelihood {
        let Transformed { output, log_det } = self.encode(x, noise, mode);
        let latent = standard_normal_log_density(&output);
        let total = &latent + &log_det - self.discretisation_nats();
        LogLikelihood { total, latent, log_det }
    }

    /// Maps examples, with their noise as in [`log_likelihood`](Self::log_likelihood), to latents `[b, d]`.
    pub fn encode(&self, x: &Tensor, noise: Option<&Tensor>, mode: Mode) -> Transformed {
        match self.architecture.input {
            InputShape::Vector { .. } => self.chain.forward(x, mode),
            InputShape::Image { .. } => {
                let logits = self.logits(x, noise, mode);
                let latents = self.chain.forward(&logits.output, mode);
                Transformed { output: latents.output, log_det: latents.log_det + logits.log_det }
            }
        }
    }

    /// As [`encode`](Self::encode), scale by scale (as many as factorings and one); the logit layer belongs to the first one.
    pub fn encode_by_scale(&self, x: &Tensor, noise: Option<&Tensor>, mode: Mode) -> Vec<ScalePart> {
        match self.architecture.input {
            InputShape::Vector { .. } => self.chain.forward_by_scale(x, mode),
            InputShape::Image { .. } => {
                let logits = self.logits(x, noise, mode);
                let mut parts = self.chain.forward_by_scale(&logits.output, mode);
                if let Some(first) = parts.first_mut() {
                    first.log_det += logits.log_det.to_kind(Kind::Double);
                }
                parts
            }
        }
    }

    /// As [`encode`](Self::encode), showing each layer's output, log-determinant and what it did to `observe`, the logit
    /// layer first.
    pub fn encode_observed(
        &self,
        x: &Tensor,
        noise: Option<&Tensor>,
        mode: Mode,
        mut observe: impl FnMut(Traced<'_>),
    ) -> Transformed {
        match self.architecture.input {
            InputShape::Vector { .. } => self.chain.forward_observed(x, mode, observe),
            InputShape::Image { .. } => {
                let logits = self.logits(x, noise, mode);
                observe(Traced {
                    name: "logit",
                    stage: None,
                    output: &logits.output,
                    log_det: &logits.log_det,
                    scale_and_shift: None,
                    factored: &[],
                });
                let latents = self.chain.forward_observed(&logits.output, mode, observe);
                Transformed { output: latents.output, log_det: latents.log_det + logits.log_det }
            }
        }
    }

    /// Dequantises and takes logits.
    fn logits(&self, images: &Tensor, noise: Option<&Tensor>, mode: Mode) -> Transformed {
        let levels = images * (LEVELS - 1.0);
        let dequantised = match noise {
            Some(noise) => (levels + noise) / LEVELS,
            None => levels / LEVELS,
        };
        let Transformed { output, log_det } = Logit.forward(&dequantised, mode);
        let log_det = match self.architecture.parity {
            Parity::Corrected => log_det,
            Parity::FlowsOod => log_det + self.dimensions() as f64 * ((LEVELS - 1.0) / LEVELS).ln(),
        };
        Transformed { output, log_det }
    }

    /// Maps latents `[b, d]` to examples, batch normalisation in evaluation mode: dequantised images `y` in [0, 1) (in
    /// parity with the reference `p = 0.05 + 0.9 y`, a picture of low contrast), or vectors.
    pub fn decode(&self, z: &Tensor) -> Tensor {
        let logits = self.chain.inverse(z, Mode::Evaluate).output;
        match (self.architecture.input, self.architecture.parity) {
            (InputShape::Vector { .. }, _) => logits,
            (InputShape::Image { .. }, Parity::Corrected) => Logit.inverse(&logits, Mode::Evaluate).output,
            (InputShape::Image { .. }, Parity::FlowsOod) => logits.sigmoid(),
        }
    }

    /// What [`LogLikelihood::total`] subtracts from `latent + log_det`, in nats: `d ln 256` for the discretisation of
    /// images, and in parity with the reference of vectors too.
    pub fn discretisation_nats(&self) -> f64 {
        match (self.architecture.input, self.architecture.parity) {
            (InputShape::Image { .. }, _) | (InputShape::Vector { .. }, Parity::FlowsOod) => {
                self.dimensions() as f64 * LEVELS.ln()
            }
            (InputShape::Vector { .. }, Parity::Corrected) => 0.0,
        }
    }

    /// The number of dimensions of an example and of its latent.
    pub fn dimensions(&self) -> i64 {
        self.architecture.input.dimensions()
    }

    /// The shape of an example.
    pub fn input(&self) -> InputShape {
        self.architecture.input
    }

    /// What it is made of.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The bijections between the logits of an image (or a vector) and its latents.
    pub fn chain(&self) -> &MultiScale {
        &self.chain
    }

    /// The tensors of the model.
    pub fn parameters(&self) -> &ParameterStore {
        &self.parameters
    }
}

/// Converts a log-likelihood in nats to bits per dimension (lower is better).
pub fn bits_per_dimension(log_likelihood_nats: f64, dimensions: i64) -> f64 {
    -log_likelihood_nats / (dimensions as f64 * LN_2)
}
