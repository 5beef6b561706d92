//! The highway st-network (models.md 2.6, `highway`).

use super::NetworkShape;
use crate::part::{Part, PartKind};

pub(super) fn parts(name: &str, shape: NetworkShape, width: i64, blocks: i64) -> Vec<Part> {
    let positions = shape.size.iter().product();
    let convolution = |inner: &str, inputs, outputs, size| Part {
        name: format!("{name}.{inner}"),
        kind: PartKind::Convolution { inputs, outputs, size },
        positions,
    };
    let mut parts = vec![convolution("input", shape.inputs, width, 3)];
    for block in 0..blocks {
        parts.push(convolution(&format!("blocks.{block}.gate"), width, width, 3));
        parts.push(convolution(&format!("blocks.{block}.value"), width, width, 3));
    }
    parts.push(convolution("output", width, shape.outputs, 1));
    parts
}
