//! The st-networks: from the part that a coupling layer sees to the numbers that change the other part.

pub mod autoencoder;
pub mod batch_norm;
pub mod convnet;
pub mod convolution;
pub mod glow_convnet;
pub mod highway;
pub mod linear;
pub mod mlp;
pub mod resnet;
pub mod weight_norm;

use architecture::st_network::Layout;
use architecture::{NetworkShape, StNetwork};
use tch::Tensor;

use crate::bijection::Mode;
use crate::parameters::Scope;
use autoencoder::Autoencoder;
use convnet::Convnet;
use glow_convnet::GlowConvnet;
use highway::Highway;
use mlp::Mlp;
use resnet::Resnet;

/// A network of a coupling layer; new architectures are one file each beside this one.
pub trait Conditioner: Send {
    /// From the seen part `[b, c, h, w]` or `[b, d]` to the numbers of the coupling's map, `[b, k c', h, w]` or
    /// `[b, k d]` with `k` numbers for each value that changes (2 for the affine map: raw log-scales, then shifts).
    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor;
}

/// Builds a network that was checked against its shape.
pub(crate) fn build(scope: &mut Scope<'_>, network: &StNetwork, shape: NetworkShape) -> Box<dyn Conditioner> {
    let side = shape.size[1];
    match *network {
        StNetwork::Resnet { width, blocks, batch_norm, skip } => {
            Box::new(Resnet::new(scope, shape, resnet::Plan { width, blocks, batch_norm, skip, latent: None }))
        }
        StNetwork::ResnetAutoencoder { width, blocks, latent, batch_norm } => {
            let plan = resnet::Plan { width, blocks, batch_norm, skip: false, latent: Some(latent) };
            Box::new(Resnet::new(scope, shape, plan))
        }
        StNetwork::Highway { width, blocks } => Box::new(Highway::new(scope, shape, width, blocks)),
        StNetwork::Convnet { width, blocks } => Box::new(Convnet::new(scope, shape, width, blocks)),
        StNetwork::GlowConvnet { width } => Box::new(GlowConvnet::new(scope, shape, width)),
        StNetwork::Autoencoder { latent } => {
            let layout = Layout::of(side).expect("the network was checked against its shape");
            Box::new(Autoencoder::new(scope, &layout, shape, latent))
        }
        StNetwork::AutoencoderOld { latent } => Box::new(Autoencoder::new(scope, &Layout::old(side), shape, latent)),
        StNetwork::Mlp { width, layers } => Box::new(Mlp::new(scope, shape, width, layers)),
    }
}
