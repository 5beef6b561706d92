//! The reference implementation's names for our tensors (`flows_ood`), so that its checkpoints and golden values can be
//! read and written. Facts of its state dicts alone; blocks are numbered as in models.md 2.5 and 2.9.

use crate::recipes::Origin;
use crate::{Architecture, LayerKind, PointwiseConvolution, SplitPrior, Squeeze, StNetwork, TensorShape, Transform};

/// What the reference calls one of our tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counterpart {
    /// By this name; shape and layout are the same.
    Named(String),
    /// It does not save it: act norm's mark that its first batch was seen, which a saved model always has.
    Initialised,
}

/// A part of the model that the reference cannot build.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reference has nothing like layer {0} of this model: only its own architectures can be exchanged with it")]
pub struct NoCounterpart(
    /// Our name of the layer or tensor.
    pub String,
);

/// How a class of the reference nests its couplings in `body.I.J`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nesting {
    /// `RealNVP`: a block for each group of couplings, squeezes and splits taking a number each.
    Scales(u32),
    /// The fixed single-scale variants: a block for each coupling.
    Stack,
    /// A block for each step; squeezes and splits take a number each.
    Glow { steps: u32, multi_scale: bool },
    /// A number for each coupling, and no block.
    Tabular,
}

/// Every tensor of the model with its counterparts in the reference: one list for each class that it could be.
///
/// More than one only for a stack of four checkerboards, which is `RealNVP` with one scale as well as a stack.
///
/// # Errors
/// The first layer that the reference has nothing like.
pub fn counterparts(architecture: &Architecture) -> Result<Vec<Vec<(TensorShape, Counterpart)>>, NoCounterpart> {
    for layer in &architecture.layers {
        let is_foreign = match &layer.kind {
            LayerKind::Coupling(coupling) => coupling.transform != Transform::Affine,
            LayerKind::PointwiseConvolution(convolution) => *convolution != PointwiseConvolution::Full,
            LayerKind::Squeeze(squeeze) => *squeeze != Squeeze::Pixels,
            LayerKind::Factor { prior, .. } => *prior != SplitPrior::Standard,
            LayerKind::ActNorm => false,
        };
        if is_foreign {
            return Err(NoCounterpart(layer.name.clone()));
        }
    }
    let nestings = match architecture.origin {
        Origin::Scales(scales) => vec![Nesting::Scales(scales)],
        Origin::Stack if architecture.couplings() == 4 => vec![Nesting::Stack, Nesting::Scales(1)],
        Origin::Stack => vec![Nesting::Stack],
        Origin::Glow { steps, multi_scale, .. } => vec![Nesting::Glow { steps, multi_scale }],
        Origin::Tabular => vec![Nesting::Tabular],
    };
    nestings.into_iter().map(|nesting| list(architecture, nesting)).collect()
}

fn list(architecture: &Architecture, nesting: Nesting) -> Result<Vec<(TensorShape, Counterpart)>, NoCounterpart> {
    let mut listed = Vec::new();
    for layer in &architecture.layers {
        let network = match &layer.kind {
            LayerKind::Coupling(coupling) => Some(&coupling.network),
            _ => None,
        };
        for tensor in layer.parts().iter().flat_map(crate::Part::tensors) {
            let found = counterpart(nesting, &tensor.name, network);
            let found = found.ok_or_else(|| NoCounterpart(tensor.name.clone()))?;
            listed.push((tensor, found));
        }
    }
    Ok(listed)
}

fn counterpart(nesting: Nesting, name: &str, network: Option<&StNetwork>) -> Option<Counterpart> {
    let (group, rest) = name.split_once('.')?;
    let (index, tensor) = rest.split_once('.')?;
    let index: u32 = index.parse().ok()?;
    let named = |place: &str, tensor: String| Some(Counterpart::Named(format!("body.{place}.{tensor}")));
    let place = match nesting {
        Nesting::Scales(scales) => in_scales(index, scales)?,
        Nesting::Stack => format!("{}.0.module1", 2 + index),
        Nesting::Tabular => index.to_string(),
        Nesting::Glow { steps, multi_scale } => {
            let within = match group {
                "act_norms" => 0,
                "convolutions" => 1,
                _ => 2,
            };
            format!("{}.{within}.module1", in_glow(index, steps, multi_scale))
        }
    };
    match (group, tensor) {
        ("act_norms", "initialised") => Some(Counterpart::Initialised),
        ("act_norms", "shift") => named(&place, "bias".to_owned()),
        ("act_norms", "log_scale") => named(&place, "logs".to_owned()),
        ("convolutions", "weight") => named(&place, "weight".to_owned()),
        ("couplings", _) => {
            let tensor = match tensor.strip_prefix("network.") {
                Some(inner) => format!("st_net.{}", in_network(inner, network?)?),
                None => format!("rescale.{}", leaf(tensor.strip_prefix("rescale.")?)?),
            };
            named(&place, tensor)
        }
        _ => None,
    }
}

/// Blocks of a multi-scale RealNVP: each scale but the last is three checkerboards, a squeeze, three channel-wise
/// couplings and a split; the last is three checkerboards and one more in a block of its own.
fn in_scales(index: u32, scales: u32) -> Option<String> {
    let last = scales.checked_sub(1)?;
    let (scale, within) = if index < 6 * last { (index / 6, index % 6) } else { (last, index - 6 * last) };
    let first_block = 2 + 4 * scale;
    let (block, position) = match within {
        0..3 => (first_block, within),
        3..6 if scale < last => (first_block + 2, within - 3),
        3 => (first_block + 1, 0),
        _ => return None,
    };
    Some(format!("{block}.{position}.module1"))
}

/// The block of step number `index`: after the start, the logit layer and, in each scale, a squeeze before its steps and
/// (multi-scale) a split behind them.
fn in_glow(index: u32, steps: u32, multi_scale: bool) -> u32 {
    let scale = index / steps;
    let blocks_of_scale = steps + 1 + u32::from(multi_scale);
    2 + scale * blocks_of_scale + 1 + index % steps
}

fn in_network(name: &str, network: &StNetwork) -> Option<String> {
    let (layer, last) = name.rsplit_once('.')?;
    let last = leaf(last)?;
    let numbered = |prefix: &str| layer.strip_prefix(prefix).and_then(|number| number.parse::<i64>().ok());
    let place = match network {
        StNetwork::Resnet { .. } | StNetwork::ResnetAutoencoder { .. } => in_resnet(layer)?,
        StNetwork::Highway { .. } => match layer {
            "input" => "in_conv.conv".to_owned(),
            "output" => "out_conv.conv".to_owned(),
            _ => {
                let (number, inner) = layer.strip_prefix("blocks.")?.split_once('.')?;
                let inner = if inner == "gate" { "conv_t" } else { "conv_h" };
                format!("layers.{number}.{inner}.conv")
            }
        },
        StNetwork::Convnet { blocks, .. } => {
            let number = match layer {
                "input" => 0,
                "output" => blocks + 1,
                _ => numbered("blocks.")? + 1,
            };
            format!("layers.{number}.conv")
        }
        StNetwork::GlowConvnet { .. } => {
            let number = match layer {
                "input" => 0,
                "hidden" => 2,
                _ => 4,
            };
            format!("{number}.conv")
        }
        StNetwork::Autoencoder { .. } | StNetwork::AutoencoderOld { .. } => match layer {
            "to_latent" => "fc_z".to_owned(),
            "from_latent" => "decoder_input".to_owned(),
            _ => format!("{layer}.0"),
        },
        StNetwork::Mlp { layers, .. } => match layer {
            "input" => "0".to_owned(),
            "output" => (3 + 2 * layers).to_string(),
            _ => (3 + 2 * numbered("hidden.")?).to_string(),
        },
    };
    Some(format!("{place}.{last}"))
}

fn in_resnet(layer: &str) -> Option<String> {
    let plain = match layer {
        "input_norm" => "in_norm",
        "input" => "in_conv.conv",
        "input_skip" => "in_skip.conv",
        "output_norm" => "out_norm",
        "output" => "out_conv.conv",
        "to_latent" => "bottleneck.0",
        "from_latent" => "bottleneck.1",
        _ => {
            let (number, inner) = layer.strip_prefix("blocks.")?.split_once('.')?;
            return Some(match inner {
                "first_norm" => format!("blocks.{number}.in_norm"),
                "first" => format!("blocks.{number}.in_conv.conv"),
                "second_norm" => format!("blocks.{number}.out_norm"),
                "second" => format!("blocks.{number}.out_conv.conv"),
                "skip" => format!("skips.{number}.conv"),
                _ => return None,
            });
        }
    };
    Some(plain.to_owned())
}

/// The names of single tensors; `scale` and `shift` are batch normalisation's.
fn leaf(name: &str) -> Option<&'static str> {
    Some(match name {
        "gain" => "weight_g",
        "direction" => "weight_v",
        "weight" | "scale" => "weight",
        "bias" | "shift" => "bias",
        "running_mean" => "running_mean",
        "running_variance" => "running_var",
        "batches" => "num_batches_tracked",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(nesting: Nesting, name: &str, network: &StNetwork) -> Option<String> {
        match counterpart(nesting, name, Some(network))? {
            Counterpart::Named(name) => Some(name),
            Counterpart::Initialised => Some("initialised".to_owned()),
        }
    }

    const RESNET: StNetwork = StNetwork::Resnet { width: 8, blocks: 2, batch_norm: true, skip: true };

    #[test]
    fn couplings_of_three_scales_stand_where_the_reference_puts_them() {
        let blocks: Vec<_> = (0..17).map(|index| in_scales(index, 3)).collect();

        let expected = ["2.0", "2.1", "2.2", "4.0", "4.1", "4.2", "6.0", "6.1", "6.2", "8.0", "8.1", "8.2", "10.0"];
        for (block, expected) in blocks.iter().zip(expected) {
            assert_eq!(block.as_deref(), Some(format!("{expected}.module1").as_str()));
        }
        assert_eq!(blocks[15].as_deref(), Some("11.0.module1"));
        assert_eq!(blocks[16], None);
    }

    #[test]
    fn steps_of_glow_leave_room_for_squeezes_and_splits() {
        let blocks = |multi_scale| (0..4).map(|index| in_glow(index, 2, multi_scale)).collect::<Vec<_>>();

        assert_eq!(blocks(true), [3, 4, 7, 8]);
        assert_eq!(blocks(false), [3, 4, 6, 7]);
        let glow = Nesting::Glow { steps: 16, multi_scale: true };
        let name = |name| place(glow, name, &StNetwork::Highway { width: 4, blocks: 1 });
        assert_eq!(name("act_norms.31.log_scale").as_deref(), Some("body.36.0.module1.logs"));
        assert_eq!(name("act_norms.0.initialised").as_deref(), Some("initialised"));
        assert_eq!(name("convolutions.16.weight").as_deref(), Some("body.21.1.module1.weight"));
        let gate = name("couplings.1.network.blocks.0.gate.weight");
        assert_eq!(gate.as_deref(), Some("body.4.2.module1.st_net.layers.0.conv_t.conv.weight"));
    }

    #[test]
    fn names_are_translated_tensor_by_tensor_and_strangers_refused() {
        let name = |name| place(Nesting::Stack, name, &RESNET);

        let norm = name("couplings.3.network.blocks.0.second_norm.running_variance");
        assert_eq!(norm.as_deref(), Some("body.5.0.module1.st_net.blocks.0.out_norm.running_var"));
        let skip = name("couplings.0.network.blocks.1.skip.gain");
        assert_eq!(skip.as_deref(), Some("body.2.0.module1.st_net.skips.1.conv.weight_g"));
        assert_eq!(name("couplings.0.rescale.direction").as_deref(), Some("body.2.0.module1.rescale.weight_v"));
        for stranger in ["couplings.0.rescale.other", "couplings.x.rescale.gain", "convolutions.0.lower", "logit"] {
            assert_eq!(name(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn networks_of_other_kinds_have_names_of_their_own() {
        let of =
            |network: &StNetwork, name: &str| place(Nesting::Tabular, &format!("couplings.1.network.{name}"), network);

        let mlp = StNetwork::Mlp { width: 8, layers: 2 };
        assert_eq!(of(&mlp, "hidden.1.weight").as_deref(), Some("body.1.st_net.5.weight"));
        assert_eq!(of(&mlp, "output.bias").as_deref(), Some("body.1.st_net.7.bias"));
        let convnet = StNetwork::Convnet { width: 8, blocks: 3 };
        assert_eq!(of(&convnet, "output.direction").as_deref(), Some("body.1.st_net.layers.4.conv.weight_v"));
        let glow = StNetwork::GlowConvnet { width: 8 };
        assert_eq!(of(&glow, "hidden.weight").as_deref(), Some("body.1.st_net.2.conv.weight"));
        let old = StNetwork::AutoencoderOld { latent: 5 };
        assert_eq!(of(&old, "decoder.2.bias").as_deref(), Some("body.1.st_net.decoder.2.0.bias"));
        assert_eq!(of(&old, "to_latent.weight").as_deref(), Some("body.1.st_net.fc_z.weight"));
    }
}
