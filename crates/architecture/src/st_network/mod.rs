//! The networks inside coupling layers as data: what each is made of, and which images it fits.
//!
//! A new one is a file here, a file in `flows/src/conditioners`, and a table of the document (`domain/src/spec/model`).

mod autoencoder;
mod convnet;
mod highway;
mod mlp;
mod resnet;
mod shapes;

use std::ops::RangeInclusive;

pub use autoencoder::{Convolution, Layout};

use crate::part::Part;

/// Most hidden channels or numbers of a network, widening included: no layer's size overflows.
const MOST_HIDDEN: i64 = 1 << 20;
/// Most blocks or layers of a network.
const MOST_BLOCKS: i64 = 256;

/// What an st-network is given and must give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkShape {
    /// Input channels, or features of a vector.
    pub inputs: i64,
    /// Output channels, or numbers.
    pub outputs: i64,
    /// Height and width of the images it sees; `[1, 1]` for vectors.
    pub size: [i64; 2],
    /// Every second pixel is zero, under a checkerboard mask.
    pub half_is_zero: bool,
}

/// An st-network (models.md 2.6 and 2.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StNetwork {
    /// Pre-activation residual blocks of weight-normalised convolutions (Dinh, Sohl-Dickstein and Bengio 2017).
    Resnet {
        /// Hidden channels.
        width: i64,
        /// Residual blocks.
        blocks: i64,
        /// Batch normalisation before each convolution.
        batch_norm: bool,
        /// A 1x1 convolution of every block's output into the last layer.
        skip: bool,
    },
    /// A resnet without skips whose features pass a linear bottleneck (Kirichenko, Izmailov and Wilson 2020, section 7).
    ResnetAutoencoder {
        /// Hidden channels.
        width: i64,
        /// Residual blocks, at least 2; the bottleneck follows the first half of them.
        blocks: i64,
        /// Numbers that pass the bottleneck.
        latent: i64,
        /// Batch normalisation before each convolution.
        batch_norm: bool,
    },
    /// Gated layers of plain convolutions; starts as zero (Srivastava, Greff and Schmidhuber 2015, equation 3).
    Highway {
        /// Hidden channels.
        width: i64,
        /// Gated layers.
        blocks: i64,
    },
    /// Weight-normalised convolutions with nothing between them: a linear network.
    Convnet {
        /// Hidden channels.
        width: i64,
        /// Hidden convolutions.
        blocks: i64,
    },
    /// Three convolutions with ReLU; starts as zero (Kingma and Dhariwal 2018, section 4).
    GlowConvnet {
        /// Hidden channels.
        width: i64,
    },
    /// A convolutional autoencoder of four layers each way.
    Autoencoder {
        /// Numbers that pass the bottleneck.
        latent: i64,
    },
    /// A convolutional autoencoder of three padded layers each way.
    AutoencoderOld {
        /// Numbers that pass the bottleneck.
        latent: i64,
    },
    /// Fully connected layers with ReLU, for vectors.
    Mlp {
        /// Hidden numbers.
        width: i64,
        /// Hidden layers after the first.
        layers: i64,
    },
}

impl StNetwork {
    /// Checks that the network takes and gives this shape.
    ///
    /// # Errors
    /// Which shape does not fit and what would, in words.
    pub fn check(&self, shape: NetworkShape) -> Result<(), String> {
        match *self {
            Self::Resnet { width, blocks, .. } | Self::Highway { width, blocks } | Self::Convnet { width, blocks } => {
                within("width", width, 1..=MOST_HIDDEN)?;
                within("blocks", blocks, 0..=MOST_BLOCKS)
            }
            Self::ResnetAutoencoder { width, blocks, latent, .. } => {
                within("width", width, 1..=MOST_HIDDEN)?;
                within("latent", latent, 1..=MOST_HIDDEN)?;
                if blocks < 2 {
                    return Err(format!("blocks must be at least 2, not {blocks}: the bottleneck lies between blocks"));
                }
                within("blocks", blocks, 2..=MOST_BLOCKS)?;
                shapes::square(shape.size)
            }
            Self::GlowConvnet { width } => within("width", width, 1..=MOST_HIDDEN),
            Self::Autoencoder { latent } => {
                within("latent", latent, 1..=MOST_HIDDEN)?;
                autoencoder::check("autoencoder", Layout::of(shape.size[1]), shape)
            }
            Self::AutoencoderOld { latent } => {
                within("latent", latent, 1..=MOST_HIDDEN)?;
                autoencoder::check("autoencoder-old", Some(Layout::old(shape.size[1])), shape)
            }
            Self::Mlp { width, layers } => {
                within("width", width, 1..=MOST_HIDDEN)?;
                within("layers", layers, 0..=MOST_BLOCKS)
            }
        }
    }

    /// Whether the network takes vectors rather than images.
    #[must_use]
    pub fn takes_vectors(&self) -> bool {
        match self {
            Self::Mlp { .. } => true,
            Self::Resnet { .. }
            | Self::ResnetAutoencoder { .. }
            | Self::Highway { .. }
            | Self::Convnet { .. }
            | Self::GlowConvnet { .. }
            | Self::Autoencoder { .. }
            | Self::AutoencoderOld { .. } => false,
        }
    }

    /// The network's parts under its name, in the order in which a model lists them. The shape must have passed
    /// [`check`](Self::check).
    #[must_use]
    pub fn parts(&self, name: &str, shape: NetworkShape) -> Vec<Part> {
        match *self {
            Self::Resnet { width, blocks, batch_norm, skip } => {
                resnet::Resnet { width, blocks, batch_norm, skip, latent: None }.parts(name, shape)
            }
            Self::ResnetAutoencoder { width, blocks, latent, batch_norm } => {
                resnet::Resnet { width, blocks, batch_norm, skip: false, latent: Some(latent) }.parts(name, shape)
            }
            Self::Highway { width, blocks } => highway::parts(name, shape, width, blocks),
            Self::Convnet { width, blocks } => convnet::parts(name, shape, width, blocks),
            Self::GlowConvnet { width } => convnet::glow_parts(name, shape, width),
            Self::Autoencoder { latent } => {
                let layout = Layout::of(shape.size[1]).expect("the shape was checked");
                autoencoder::parts(name, &layout, shape, latent)
            }
            Self::AutoencoderOld { latent } => autoencoder::parts(name, &Layout::old(shape.size[1]), shape, latent),
            Self::Mlp { width, layers } => mlp::parts(name, shape, width, layers),
        }
    }

    /// The same network with twice the hidden channels, as a multi-scale RealNVP needs after a squeeze; networks of
    /// fixed width stay as they are (models.md 2.5).
    #[must_use]
    pub fn widened(&self, factor: i64) -> Self {
        let mut widened = self.clone();
        match &mut widened {
            Self::Resnet { width, .. }
            | Self::ResnetAutoencoder { width, .. }
            | Self::Highway { width, .. }
            | Self::Convnet { width, .. }
            | Self::GlowConvnet { width }
            // What saturates is refused by the check of its shape.
            | Self::Mlp { width, .. } => *width = width.saturating_mul(factor),
            Self::Autoencoder { .. } | Self::AutoencoderOld { .. } => {}
        }
        widened
    }
}

/// Refuses a value outside its range, by name.
fn within(name: &str, value: i64, range: RangeInclusive<i64>) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    if value < *range.start() {
        return Err(format!("{name} must be at least {}, not {value}", range.start()));
    }
    Err(format!("{name} must be at most {}, not {value}", range.end()))
}
