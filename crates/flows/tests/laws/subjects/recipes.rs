//! Whole models: every recipe with each of its options.

use flows::architecture::recipes::Body;
use flows::architecture::{
    Architecture, Glow, InputShape, Mask, Order, Parity, PointwiseConvolution, Quadrant, RealNvp, SplitPrior, Squeeze,
    StNetwork, Tabular, Transform,
};

use super::networks::any_size;

/// An architecture with its row of the error table.
pub struct Recipe {
    pub name: String,
    pub kind: String,
    pub architecture: Architecture,
}

const RESNET: StNetwork = StNetwork::Resnet { width: 4, blocks: 1, batch_norm: true, skip: true };
const SPLINE: Transform = Transform::Spline { bins: 4, bound: 3.0 };

fn realnvp(input: [u32; 3], body: Body) -> RealNvp {
    RealNvp {
        input: image(input),
        parity: Parity::Corrected,
        body,
        network: RESNET,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    }
}

fn glow(scales: u32) -> Glow {
    Glow {
        input: image([1, 8, 8]),
        parity: Parity::Corrected,
        scales,
        steps: 2,
        multi_scale: true,
        network: StNetwork::GlowConvnet { width: 6 },
        convolution: PointwiseConvolution::Full,
        transform: Transform::Affine,
        squeeze: Squeeze::Pixels,
        split_prior: SplitPrior::Standard,
    }
}

/// A model of vectors with four couplings.
pub fn tabular(features: u32, transform: Transform) -> Architecture {
    let recipe = Tabular {
        input: InputShape::Vector { features },
        parity: Parity::Corrected,
        couplings: 4,
        network: StNetwork::Mlp { width: 12, layers: 1 },
        transform,
    };
    recipe.compose().unwrap()
}

fn image([channels, height, width]: [u32; 3]) -> InputShape {
    InputShape::Image { channels, height, width }
}

/// Every recipe; at most 64 dimensions each.
pub fn recipes() -> Vec<Recipe> {
    let mut recipes = image_recipes();
    for (name, transform) in [("affine", Transform::Affine), ("additive", Transform::Additive), ("spline", SPLINE)] {
        for features in [2, 5] {
            let architecture = tabular(features, transform);
            recipes.push(Recipe {
                name: format!("tabular {features}, {name}"),
                kind: "tabular".to_owned(),
                architecture,
            });
        }
    }
    recipes
}

/// Every recipe of images.
pub fn image_recipes() -> Vec<Recipe> {
    let mut recipes = multi_scale();
    recipes.extend(stacks());
    recipes.extend(glows());
    recipes
}

fn multi_scale() -> Vec<Recipe> {
    let mut recipes = Vec::new();
    let mut add = |name: &str, recipe: RealNvp| {
        let architecture = recipe.compose().unwrap_or_else(|misfit| panic!("{name}: {misfit}"));
        recipes.push(Recipe { name: format!("realnvp {name}"), kind: "multi-scale realnvp".to_owned(), architecture });
    };
    let two = || realnvp([1, 8, 8], Body::Scales(2));
    add("1 scale, odd sides", realnvp([1, 5, 7], Body::Scales(1)));
    add("2 scales", two());
    add("3 scales", realnvp([1, 8, 8], Body::Scales(3)));
    add("2 scales, colour", realnvp([3, 4, 4], Body::Scales(2)));
    add("additive", RealNvp { transform: Transform::Additive, ..two() });
    add("spline", RealNvp { transform: SPLINE, ..two() });
    add("haar", RealNvp { squeeze: Squeeze::Haar, ..two() });
    add("learned prior", RealNvp { split_prior: SplitPrior::Learned, ..realnvp([1, 8, 8], Body::Scales(3)) });
    add("parity", RealNvp { parity: Parity::FlowsOod, ..two() });
    for (name, network) in any_size() {
        add(&format!("by {name} {network:?}"), RealNvp { network, ..two() });
    }
    let old = StNetwork::AutoencoderOld { latent: 4 };
    add("by autoencoder-old", RealNvp { network: old, ..realnvp([1, 8, 8], Body::Scales(1)) });
    recipes
}

fn stacks() -> Vec<Recipe> {
    let orders = |mask: fn(Order) -> Mask, count| (0..count).map(|index| mask(Order::of_position(index))).collect();
    let pair = |seen, changed| Mask::Quadrants { seen, changed };
    let (top_left, bottom_right) = (Quadrant::TopLeft, Quadrant::BottomRight);
    let sub_quadrants = Quadrant::CLOCKWISE.map(|seen| Mask::SubQuadrants { factor: 2, seen, changed: seen.next() });
    let stacks: Vec<(&str, [u32; 3], Vec<Mask>)> = vec![
        ("checkerboard 8", [1, 5, 6], orders(Mask::Checkerboard, 8)),
        ("horizontal 3", [1, 5, 6], orders(Mask::Horizontal, 3)),
        ("vertical 4", [3, 4, 5], orders(Mask::Vertical, 4)),
        ("channels 4", [4, 4, 4], orders(Mask::Channels, 4)),
        ("cycle 8", [3, 4, 4], Mask::cycle(8)),
        ("diagonal pairs", [1, 5, 6], vec![pair(top_left, bottom_right), pair(bottom_right, top_left)]),
        ("sub-quadrants 4", [1, 8, 8], sub_quadrants.to_vec()),
        ("centre and checkerboard", [1, 6, 6], vec![Mask::Center { margin: 1 }, Mask::Checkerboard(Order::Reversed)]),
    ];
    let mut recipes = Vec::new();
    for (name, input, masks) in stacks {
        for (suffix, transform) in [("", Transform::Affine), (", spline", SPLINE)] {
            let recipe = RealNvp { transform, ..realnvp(input, Body::Stack(masks.clone())) };
            let architecture = recipe.compose().unwrap_or_else(|misfit| panic!("{name}: {misfit}"));
            recipes.push(Recipe { name: format!("stack {name}{suffix}"), kind: "stack".to_owned(), architecture });
        }
    }
    recipes
}

fn glows() -> Vec<Recipe> {
    let mut recipes = Vec::new();
    let mut add = |name: &str, recipe: Glow| {
        let architecture = recipe.compose().unwrap_or_else(|misfit| panic!("{name}: {misfit}"));
        recipes.push(Recipe { name: format!("glow {name}"), kind: "glow".to_owned(), architecture });
    };
    for (name, convolution) in [
        ("full", PointwiseConvolution::Full),
        ("LU", PointwiseConvolution::Lu),
        ("Householder", PointwiseConvolution::Householder { reflections: None }),
    ] {
        add(name, Glow { convolution, ..glow(2) });
        add(&format!("{name}, one exit"), Glow { convolution, multi_scale: false, ..glow(2) });
    }
    add("3 scales, learned prior", Glow { split_prior: SplitPrior::Learned, ..glow(3) });
    add("haar", Glow { squeeze: Squeeze::Haar, ..glow(2) });
    add("spline", Glow { transform: SPLINE, ..glow(2) });
    add("additive", Glow { transform: Transform::Additive, ..glow(2) });
    add(
        "by highway, colour",
        Glow { network: StNetwork::Highway { width: 4, blocks: 1 }, input: image([3, 4, 4]), ..glow(1) },
    );
    add("parity", Glow { parity: Parity::FlowsOod, ..glow(2) });
    recipes
}
