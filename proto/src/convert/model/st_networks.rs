//! The networks inside coupling layers.

use domain::spec::{
    AutoencoderSpec, ConvnetSpec, GlowConvnetSpec, HighwaySpec, MlpSpec, ResnetAutoencoderSpec, ResnetSpec,
    StNetworkSpec, Violations, defaults,
};

use super::{FromWire, ToWire};
use crate::v1::{self, st_network_spec::Kind};

impl ToWire for StNetworkSpec {
    type Wire = v1::StNetworkSpec;

    fn to_wire(&self) -> v1::StNetworkSpec {
        let kind = match *self {
            Self::Resnet(ResnetSpec { width, blocks, batch_norm, skip }) => {
                Kind::Resnet(v1::ResnetSpec { width, blocks, batch_norm: Some(batch_norm), skip: Some(skip) })
            }
            Self::Highway(HighwaySpec { width, blocks }) => Kind::Highway(v1::HighwaySpec { width, blocks }),
            Self::Convnet(ConvnetSpec { width, blocks }) => Kind::Convnet(v1::ConvnetSpec { width, blocks }),
            Self::GlowConvnet(GlowConvnetSpec { width }) => Kind::GlowConvnet(v1::GlowConvnetSpec { width }),
            Self::Autoencoder(AutoencoderSpec { latent }) => Kind::Autoencoder(v1::AutoencoderSpec { latent }),
            Self::AutoencoderOld(AutoencoderSpec { latent }) => Kind::AutoencoderOld(v1::AutoencoderSpec { latent }),
            Self::ResnetAutoencoder(ResnetAutoencoderSpec { width, blocks, latent, batch_norm }) => {
                let batch_norm = Some(batch_norm);
                Kind::ResnetAutoencoder(v1::ResnetAutoencoderSpec { width, blocks, latent, batch_norm })
            }
            Self::Mlp(MlpSpec { width, layers }) => Kind::Mlp(v1::MlpSpec { width, layers }),
        };
        v1::StNetworkSpec { kind: Some(kind) }
    }
}

impl FromWire for StNetworkSpec {
    type Wire = v1::StNetworkSpec;

    /// Takes widths, blocks and latents as they are: the rules refuse 0, which also stands for absent.
    fn from_wire(wire: v1::StNetworkSpec, at: &str) -> Result<Self, Violations> {
        let v1::StNetworkSpec { kind } = wire;
        let missing = || Violations::one(at, format!("missing: one of {} expected", Self::NAMES.join(", ")));
        Ok(match kind.ok_or_else(missing)? {
            Kind::Resnet(v1::ResnetSpec { width, blocks, batch_norm, skip }) => Self::Resnet(ResnetSpec {
                width,
                blocks,
                batch_norm: batch_norm.unwrap_or_else(defaults::batch_norm),
                skip: skip.unwrap_or_else(defaults::skip),
            }),
            Kind::Highway(v1::HighwaySpec { width, blocks }) => Self::Highway(HighwaySpec { width, blocks }),
            Kind::Convnet(v1::ConvnetSpec { width, blocks }) => Self::Convnet(ConvnetSpec { width, blocks }),
            Kind::GlowConvnet(v1::GlowConvnetSpec { width }) => Self::GlowConvnet(GlowConvnetSpec { width }),
            Kind::Autoencoder(v1::AutoencoderSpec { latent }) => Self::Autoencoder(AutoencoderSpec { latent }),
            Kind::AutoencoderOld(v1::AutoencoderSpec { latent }) => Self::AutoencoderOld(AutoencoderSpec { latent }),
            Kind::ResnetAutoencoder(v1::ResnetAutoencoderSpec { width, blocks, latent, batch_norm }) => {
                let batch_norm = batch_norm.unwrap_or_else(defaults::batch_norm);
                Self::ResnetAutoencoder(ResnetAutoencoderSpec { width, blocks, latent, batch_norm })
            }
            Kind::Mlp(v1::MlpSpec { width, layers }) => Self::Mlp(MlpSpec { width, layers }),
        })
    }
}
