//! The reference's names for our tensors, so that its checkpoints and golden values can be read.

use crate::recipes::{MaskScheme, RealNvp};

/// How a class of the reference nests its couplings in `body.I.J`; blocks 0 and 1 are its start and logit layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// `RealNVP`: a block per group of couplings, squeezes and splits taking a number each.
    Scales,
    /// The fixed single-scale variants: a block per coupling.
    Stack,
}

/// The reference's name for our tensor `name`, or `None` if a RealNVP with resnet st-networks has no such tensor.
pub fn to_reference(nesting: Nesting, recipe: &RealNvp, name: &str) -> Option<String> {
    let (coupling, tensor) = name.strip_prefix("couplings.")?.split_once('.')?;
    let (block, position) = place(nesting, recipe, coupling.parse().ok()?)?;
    let renamed = match tensor.strip_prefix("network.") {
        Some(inner) => format!("st_net.{}", rename_in_network(inner)?),
        None => format!("rescale.{}", rename_leaf(tensor.strip_prefix("rescale.")?)?),
    };
    Some(format!("body.{block}.{position}.module1.{renamed}"))
}

/// The block and the place in it of coupling number `index` (reference section 2.5).
fn place(nesting: Nesting, recipe: &RealNvp, index: u32) -> Option<(u32, u32)> {
    if nesting == Nesting::Stack {
        return (index < recipe.couplings).then_some((2 + index, 0));
    }
    if recipe.mask != MaskScheme::Checkerboard {
        return None;
    }
    // Each scale but the last: three checkerboards, a squeeze, three channel-wise couplings, a split.
    let last = recipe.scales.checked_sub(1)?;
    let (scale, within) = if index < 6 * last { (index / 6, index % 6) } else { (last, index - 6 * last) };
    let first_block = 2 + 4 * scale;
    match within {
        0..3 => Some((first_block, within)),
        3..6 if scale < last => Some((first_block + 2, within - 3)),
        3 => Some((first_block + 1, 0)),
        _ => None,
    }
}

fn rename_in_network(name: &str) -> Option<String> {
    if let Some(in_block) = name.strip_prefix("blocks.") {
        let (index, rest) = in_block.split_once('.')?;
        let (layer, leaf) = rest.split_once('.')?;
        let leaf = rename_leaf(leaf)?;
        return Some(match layer {
            "first_norm" => format!("blocks.{index}.in_norm.{leaf}"),
            "first" => format!("blocks.{index}.in_conv.conv.{leaf}"),
            "second_norm" => format!("blocks.{index}.out_norm.{leaf}"),
            "second" => format!("blocks.{index}.out_conv.conv.{leaf}"),
            "skip" => format!("skips.{index}.conv.{leaf}"),
            _ => return None,
        });
    }
    let (layer, leaf) = name.split_once('.')?;
    let leaf = rename_leaf(leaf)?;
    Some(match layer {
        "input_norm" => format!("in_norm.{leaf}"),
        "input" => format!("in_conv.conv.{leaf}"),
        "input_skip" => format!("in_skip.conv.{leaf}"),
        "output_norm" => format!("out_norm.{leaf}"),
        "output" => format!("out_conv.conv.{leaf}"),
        _ => return None,
    })
}

/// The names of single tensors; `shift` is a batch normalisation's `bias`.
fn rename_leaf(name: &str) -> Option<&'static str> {
    Some(match name {
        "gain" => "weight_g",
        "direction" => "weight_v",
        "bias" | "shift" => "bias",
        "scale" => "weight",
        "running_mean" => "running_mean",
        "running_variance" => "running_var",
        "batches" => "num_batches_tracked",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipes::{Preprocessing, StNetwork};

    fn recipe(scales: u32) -> RealNvp {
        RealNvp {
            input: [3, 32, 32],
            mask: MaskScheme::Checkerboard,
            scales,
            couplings: 4,
            st_network: StNetwork::Resnet { width: 8, blocks: 1, batch_norm: true, skip: true },
            preprocessing: Preprocessing::FlowsOod,
        }
    }

    #[test]
    fn couplings_of_three_scales_stand_where_the_reference_puts_them() {
        let places: Vec<_> = (0..17).map(|index| place(Nesting::Scales, &recipe(3), index)).collect();

        let expected = [
            (2, 0),
            (2, 1),
            (2, 2),
            (4, 0),
            (4, 1),
            (4, 2),
            (6, 0),
            (6, 1),
            (6, 2),
            (8, 0),
            (8, 1),
            (8, 2),
            (10, 0),
            (10, 1),
            (10, 2),
            (11, 0),
        ];
        assert_eq!(places[..16], expected.map(Some));
        assert_eq!(places[16], None);
    }

    #[test]
    fn names_are_translated_tensor_by_tensor_and_strangers_refused() {
        let translate = |name: &str| to_reference(Nesting::Stack, &recipe(1), name);

        let block = translate("couplings.3.network.blocks.0.second_norm.running_variance");
        assert_eq!(block.as_deref(), Some("body.5.0.module1.st_net.blocks.0.out_norm.running_var"));
        let skip = translate("couplings.0.network.blocks.1.skip.gain");
        assert_eq!(skip.as_deref(), Some("body.2.0.module1.st_net.skips.1.conv.weight_g"));
        let rescale = translate("couplings.0.rescale.direction");
        assert_eq!(rescale.as_deref(), Some("body.2.0.module1.rescale.weight_v"));
        for stranger in ["couplings.4.rescale.gain", "couplings.0.rescale.other", "couplings.x.rescale.gain", "logit"] {
            assert_eq!(translate(stranger), None, "{stranger}");
        }
    }
}
