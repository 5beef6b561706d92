//! A density over images: preprocessing, a chain of bijections and a standard normal at its end.

use std::f64::consts::LN_2;

use tch::Tensor;

use crate::base::standard_normal_log_density;
use crate::bijection::{Bijection, Mode, Transformed};
use crate::layers::Logit;
use crate::layers::multiscale::{MultiScale, Traced};
use crate::parameters::ParameterStore;

/// The number of grey levels of an 8-bit image.
const LEVELS: f64 = 256.0;

/// How images in [0, 1] become real numbers. Both dequantise: `y = (255 x + u) / 256`, then take the logit of
/// `p = 0.05 + 0.9 y` (reference section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preprocessing {
    /// The log-determinant is that of the logit of `y`, so that subtracting `d ln 256` gives the textbook discrete
    /// bound; decoding returns `y`.
    Exact,
    /// The reference's quirks: the log-determinant also holds `d ln(255/256)` (0.0056 bits per dimension worse), and
    /// decoding returns `p`, a picture of low contrast.
    FlowsOod,
}

/// The log-likelihood of each image of a batch, all `[b]` in nats.
#[derive(Debug)]
pub struct LogLikelihood {
    /// `latent + log_det - d ln 256`: of the discrete image, a lower bound.
    pub total: Tensor,
    /// `log N(z; 0, I)`.
    pub latent: Tensor,
    /// `log |det dz/dy|`, the logit layer included.
    pub log_det: Tensor,
}

/// A normalizing flow over images `[c, h, w]`.
pub struct Flow {
    input_shape: [i64; 3],
    preprocessing: Preprocessing,
    chain: MultiScale,
    parameters: ParameterStore,
}

impl Flow {
    /// A flow whose `chain` maps logits of shape `input_shape` to latents and whose tensors are in `parameters`.
    pub fn new(
        input_shape: [i64; 3],
        preprocessing: Preprocessing,
        chain: MultiScale,
        parameters: ParameterStore,
    ) -> Self {
        Self { input_shape, preprocessing, chain, parameters }
    }

    /// The log-likelihood of images `[b, c, h, w]` in [0, 1] with dequantisation noise of the same shape in [0, 1).
    pub fn log_likelihood(&self, images: &Tensor, noise: &Tensor, mode: Mode) -> LogLikelihood {
        let Transformed { output, log_det } = self.encode(images, noise, mode);
        let latent = standard_normal_log_density(&output);
        let total = &latent + &log_det - self.dimensions() as f64 * LEVELS.ln();
        LogLikelihood { total, latent, log_det }
    }

    /// Maps images `[b, c, h, w]` in [0, 1], with noise of the same shape in [0, 1), to latents `[b, d]`.
    pub fn encode(&self, images: &Tensor, noise: &Tensor, mode: Mode) -> Transformed {
        self.encode_observed(images, noise, mode, |_| ())
    }

    /// As [`encode`](Self::encode), showing each layer's output and log-determinant to `observe`, the logit layer first.
    pub fn encode_observed(
        &self,
        images: &Tensor,
        noise: &Tensor,
        mode: Mode,
        mut observe: impl FnMut(Traced<'_>),
    ) -> Transformed {
        let dequantised = (images * (LEVELS - 1.0) + noise) / LEVELS;
        let logit = Logit.forward(&dequantised, mode);
        let logit_log_det = match self.preprocessing {
            Preprocessing::Exact => logit.log_det,
            Preprocessing::FlowsOod => logit.log_det + self.dimensions() as f64 * ((LEVELS - 1.0) / LEVELS).ln(),
        };
        observe(Traced { name: "logit", output: &logit.output, log_det: &logit_log_det });
        let latents = self.chain.forward_observed(&logit.output, mode, observe);
        Transformed { output: latents.output, log_det: latents.log_det + logit_log_det }
    }

    /// Maps latents `[b, d]` to images `[b, c, h, w]`, batch normalisation in evaluation mode.
    pub fn decode(&self, z: &Tensor) -> Tensor {
        let logits = self.chain.inverse(z, Mode::Evaluate).output;
        match self.preprocessing {
            Preprocessing::Exact => Logit.inverse(&logits, Mode::Evaluate).output,
            Preprocessing::FlowsOod => logits.sigmoid(),
        }
    }

    /// The number of dimensions of an image and of its latent.
    pub fn dimensions(&self) -> i64 {
        self.input_shape.iter().product()
    }

    /// The shape `[c, h, w]` of an image.
    pub fn input_shape(&self) -> [i64; 3] {
        self.input_shape
    }

    /// The bijections between the logits of an image and its latents.
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
