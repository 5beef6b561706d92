//! Every st-network under every family of masks and every transform.

use flows::architecture::{Coupling, LayerKind, Mask, Order, Quadrant, StNetwork, Transform};

use super::Subject;
use super::layers::TRANSFORMS;

const DIAGONAL: (Quadrant, Quadrant) = (Quadrant::TopLeft, Quadrant::BottomRight);

/// One mask of each family.
fn families() -> [Mask; 7] {
    let (seen, changed) = DIAGONAL;
    [
        Mask::Checkerboard(Order::Plain),
        Mask::Horizontal(Order::Reversed),
        Mask::Vertical(Order::Plain),
        Mask::Quadrants { seen, changed },
        Mask::SubQuadrants { factor: 2, seen, changed },
        Mask::Center { margin: 1 },
        Mask::Channels(Order::Reversed),
    ]
}

/// The networks that fit any image, in every form.
pub fn any_size() -> Vec<(&'static str, StNetwork)> {
    let mut networks = Vec::new();
    for (batch_norm, skip) in [(true, true), (true, false), (false, true), (false, false)] {
        networks.push(("resnet", StNetwork::Resnet { width: 4, blocks: 2, batch_norm, skip }));
    }
    for batch_norm in [true, false] {
        let network = StNetwork::ResnetAutoencoder { width: 4, blocks: 3, latent: 3, batch_norm };
        networks.push(("resnet-autoencoder", network));
    }
    networks.push(("highway", StNetwork::Highway { width: 4, blocks: 2 }));
    networks.push(("convnet", StNetwork::Convnet { width: 4, blocks: 2 }));
    networks.push(("glow-convnet", StNetwork::GlowConvnet { width: 5 }));
    networks
}

/// Every st-network on the smallest images that it fits, at most 64 dimensions each.
pub fn networks() -> Vec<Subject> {
    let mut subjects = Vec::new();
    for (kind, network) in any_size() {
        for mask in families() {
            for (_, transform) in TRANSFORMS {
                subjects.push(coupling(kind, mask, transform, network.clone(), &[2, 4, 4]));
            }
        }
    }
    let old = StNetwork::AutoencoderOld { latent: 3 };
    for mask in families().into_iter().filter(|mask| is_whole_image(*mask)) {
        for (_, transform) in TRANSFORMS {
            subjects.push(coupling("autoencoder-old", mask, transform, old.clone(), &[1, 8, 8]));
        }
    }
    for layers in [0, 2] {
        let network = StNetwork::Mlp { width: 6, layers };
        for (_, transform) in TRANSFORMS {
            subjects.push(coupling("mlp", Mask::Features(Order::Plain), transform, network.clone(), &[5]));
        }
    }
    subjects
}

/// The autoencoders on images of more than 64 dimensions, which they need under these masks.
pub fn autoencoders() -> Vec<Subject> {
    let (seen, changed) = DIAGONAL;
    let tiles = Mask::SubQuadrants { factor: 2, seen, changed };
    let channels = Mask::Channels(Order::Plain);
    let new = StNetwork::Autoencoder { latent: 3 };
    let old = StNetwork::AutoencoderOld { latent: 3 };
    let mut subjects = Vec::new();
    for (_, transform) in TRANSFORMS {
        for mask in families().into_iter().filter(|mask| is_whole_image(*mask)) {
            subjects.push(coupling("autoencoder", mask, transform, new.clone(), &[1, 14, 14]));
        }
        subjects.push(coupling("autoencoder", tiles, transform, new.clone(), &[1, 28, 28]));
        subjects.push(coupling("autoencoder", channels, transform, new.clone(), &[2, 14, 14]));
        subjects.push(coupling("autoencoder-old", tiles, transform, old.clone(), &[1, 16, 16]));
        subjects.push(coupling("autoencoder-old", channels, transform, old.clone(), &[2, 8, 8]));
    }
    subjects
}

fn is_whole_image(mask: Mask) -> bool {
    !matches!(mask, Mask::Channels(_) | Mask::SubQuadrants { .. })
}

fn coupling(kind: &str, mask: Mask, transform: Transform, network: StNetwork, input: &[i64]) -> Subject {
    let name = format!("{transform:?} over {mask:?} by {network:?}");
    let coupling = Coupling { mask, transform, network };
    Subject::layer(name, vec![format!("st-network {kind}")], LayerKind::Coupling(coupling), input)
}
