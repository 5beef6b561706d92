//! The fully connected st-network for vectors (models.md 2.8).

use super::NetworkShape;
use crate::part::{Part, PartKind};

pub(super) fn parts(name: &str, shape: NetworkShape, width: i64, layers: i64) -> Vec<Part> {
    let linear = |inner: &str, inputs, outputs| Part {
        name: format!("{name}.{inner}"),
        kind: PartKind::Linear { inputs, outputs },
        positions: 1,
    };
    let mut parts = vec![linear("input", shape.inputs, width)];
    parts.extend((0..layers).map(|layer| linear(&format!("hidden.{layer}"), width, width)));
    parts.push(linear("output", width, shape.outputs));
    parts
}
