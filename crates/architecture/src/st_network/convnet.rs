//! The plain convolutional st-networks (models.md 2.6, `convnet` and `glow_convnet`).

use super::NetworkShape;
use crate::part::{Part, PartKind};

/// Weight-normalised and linear.
pub(super) fn parts(name: &str, shape: NetworkShape, width: i64, blocks: i64) -> Vec<Part> {
    let positions = shape.size.iter().product();
    let convolution = |inner: &str, inputs, outputs, size| Part {
        name: format!("{name}.{inner}"),
        kind: PartKind::WeightNormConvolution { inputs, outputs, size, bias: true },
        positions,
    };
    let mut parts = vec![convolution("input", shape.inputs, width, 3)];
    parts.extend((0..blocks).map(|block| convolution(&format!("blocks.{block}"), width, width, 3)));
    parts.push(convolution("output", width, shape.outputs, 1));
    parts
}

/// Glow's: 3x3, 1x1, 3x3.
pub(super) fn glow_parts(name: &str, shape: NetworkShape, width: i64) -> Vec<Part> {
    let positions = shape.size.iter().product();
    let convolution = |inner: &str, inputs, outputs, size| Part {
        name: format!("{name}.{inner}"),
        kind: PartKind::Convolution { inputs, outputs, size },
        positions,
    };
    vec![
        convolution("input", shape.inputs, width, 3),
        convolution("hidden", width, width, 1),
        convolution("output", width, shape.outputs, 3),
    ]
}
