//! The network inside a coupling layer.

use architecture::StNetwork;
use serde::{Deserialize, Serialize};

use crate::spec::{Violations, defaults};

/// The network that computes the numbers of a coupling layer's transform (s and t of an affine one).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StNetworkSpec {
    /// Residual network with weight normalisation (Dinh, Sohl-Dickstein and Bengio 2017, section 3.3).
    Resnet(ResnetSpec),
    /// Gated layers of plain convolutions (Srivastava, Greff and Schmidhuber 2015, equation 3).
    Highway(HighwaySpec),
    /// Weight-normalised convolutions with nothing between them: a linear network.
    Convnet(ConvnetSpec),
    /// Three convolutions with ReLU (Kingma and Dhariwal 2018, section 4).
    GlowConvnet(GlowConvnetSpec),
    /// A convolutional autoencoder of four layers each way (Kirichenko, Izmailov and Wilson 2020, section 7).
    Autoencoder(AutoencoderSpec),
    /// A convolutional autoencoder of three padded layers each way.
    AutoencoderOld(AutoencoderSpec),
    /// A resnet without skips whose features pass a linear bottleneck.
    ResnetAutoencoder(ResnetAutoencoderSpec),
    /// Fully connected layers, for vectors.
    Mlp(MlpSpec),
}

/// A residual st-network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResnetSpec {
    /// Hidden channels at the first scale; they double at every squeeze of a RealNVP.
    pub width: u32,
    /// Number of residual blocks.
    pub blocks: u32,
    /// Batch normalisation (default true).
    #[serde(default = "defaults::batch_norm")]
    pub batch_norm: bool,
    /// Skip connections from every block to the output (default true).
    #[serde(default = "defaults::skip")]
    pub skip: bool,
}

/// A highway st-network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HighwaySpec {
    /// Hidden channels at the first scale; they double at every squeeze of a RealNVP.
    pub width: u32,
    /// Number of gated layers.
    pub blocks: u32,
}

/// A linear convolutional st-network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvnetSpec {
    /// Hidden channels at the first scale; they double at every squeeze of a RealNVP.
    pub width: u32,
    /// Number of hidden convolutions.
    pub blocks: u32,
}

/// Glow's own st-network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlowConvnetSpec {
    /// Hidden channels at the first scale; they double at every squeeze of a RealNVP.
    pub width: u32,
}

/// A convolutional autoencoder; its channels are fixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderSpec {
    /// Numbers that pass the bottleneck (l in the paper).
    pub latent: u32,
}

/// A residual st-network with a bottleneck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResnetAutoencoderSpec {
    /// Hidden channels at the first scale; they double at every squeeze of a RealNVP.
    pub width: u32,
    /// Number of residual blocks, at least 2; the bottleneck follows the first half of them.
    pub blocks: u32,
    /// Numbers that pass the bottleneck (l in the paper).
    pub latent: u32,
    /// Batch normalisation (default true).
    #[serde(default = "defaults::batch_norm")]
    pub batch_norm: bool,
}

/// A fully connected st-network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpSpec {
    /// Hidden numbers.
    pub width: u32,
    /// Hidden layers after the first.
    pub layers: u32,
}

impl StNetworkSpec {
    /// Every network's name in documents.
    pub const NAMES: [&str; 8] =
        ["resnet", "highway", "convnet", "glow-convnet", "autoencoder", "autoencoder-old", "resnet-autoencoder", "mlp"];

    /// The name in documents.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Resnet(_) => "resnet",
            Self::Highway(_) => "highway",
            Self::Convnet(_) => "convnet",
            Self::GlowConvnet(_) => "glow-convnet",
            Self::Autoencoder(_) => "autoencoder",
            Self::AutoencoderOld(_) => "autoencoder-old",
            Self::ResnetAutoencoder(_) => "resnet-autoencoder",
            Self::Mlp(_) => "mlp",
        }
    }

    /// How many parts repeat inside it.
    pub(super) fn blocks(&self) -> u32 {
        match self {
            Self::Resnet(ResnetSpec { blocks, .. })
            | Self::Highway(HighwaySpec { blocks, .. })
            | Self::Convnet(ConvnetSpec { blocks, .. })
            | Self::ResnetAutoencoder(ResnetAutoencoderSpec { blocks, .. })
            | Self::Mlp(MlpSpec { layers: blocks, .. }) => *blocks,
            Self::GlowConvnet(_) | Self::Autoencoder(_) | Self::AutoencoderOld(_) => 1,
        }
    }

    pub(super) fn check(&self, at: &str, found: &mut Violations) {
        let at = format!("{at}.{}", self.as_str());
        let mut width = |width: u32| found.check_range(&format!("{at}.width"), width, 1..=4096);
        match self {
            Self::Resnet(ResnetSpec { width: given, .. })
            | Self::Highway(HighwaySpec { width: given, .. })
            | Self::Convnet(ConvnetSpec { width: given, .. })
            | Self::GlowConvnet(GlowConvnetSpec { width: given })
            | Self::ResnetAutoencoder(ResnetAutoencoderSpec { width: given, .. })
            | Self::Mlp(MlpSpec { width: given, .. }) => width(*given),
            Self::Autoencoder(_) | Self::AutoencoderOld(_) => {}
        }
        match self {
            Self::Resnet(ResnetSpec { blocks, .. })
            | Self::Highway(HighwaySpec { blocks, .. })
            | Self::Convnet(ConvnetSpec { blocks, .. }) => {
                found.check_range(&format!("{at}.blocks"), *blocks, 1..=64);
            }
            Self::ResnetAutoencoder(ResnetAutoencoderSpec { blocks, latent, .. }) => {
                found.check_range(&format!("{at}.blocks"), *blocks, 2..=64);
                found.check_range(&format!("{at}.latent"), *latent, 1..=65_536);
            }
            Self::Autoencoder(AutoencoderSpec { latent }) | Self::AutoencoderOld(AutoencoderSpec { latent }) => {
                found.check_range(&format!("{at}.latent"), *latent, 1..=65_536);
            }
            Self::Mlp(MlpSpec { layers, .. }) => found.check_range(&format!("{at}.layers"), *layers, 0..=64),
            Self::GlowConvnet(_) => {}
        }
    }

    pub(super) fn network(&self) -> StNetwork {
        match *self {
            Self::Resnet(ResnetSpec { width, blocks, batch_norm, skip }) => {
                StNetwork::Resnet { width: width.into(), blocks: blocks.into(), batch_norm, skip }
            }
            Self::Highway(HighwaySpec { width, blocks }) => {
                StNetwork::Highway { width: width.into(), blocks: blocks.into() }
            }
            Self::Convnet(ConvnetSpec { width, blocks }) => {
                StNetwork::Convnet { width: width.into(), blocks: blocks.into() }
            }
            Self::GlowConvnet(GlowConvnetSpec { width }) => StNetwork::GlowConvnet { width: width.into() },
            Self::Autoencoder(AutoencoderSpec { latent }) => StNetwork::Autoencoder { latent: latent.into() },
            Self::AutoencoderOld(AutoencoderSpec { latent }) => StNetwork::AutoencoderOld { latent: latent.into() },
            Self::ResnetAutoencoder(ResnetAutoencoderSpec { width, blocks, latent, batch_norm }) => {
                let (width, blocks, latent) = (width.into(), blocks.into(), latent.into());
                StNetwork::ResnetAutoencoder { width, blocks, latent, batch_norm }
            }
            Self::Mlp(MlpSpec { width, layers }) => StNetwork::Mlp { width: width.into(), layers: layers.into() },
        }
    }
}
