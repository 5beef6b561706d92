//! The residual st-network, with or without a bottleneck (models.md 2.6, `resnet` and `resnet_ae`).

use super::NetworkShape;
use crate::part::{Part, PartKind};

pub(super) struct Resnet {
    pub width: i64,
    pub blocks: i64,
    pub batch_norm: bool,
    pub skip: bool,
    pub latent: Option<i64>,
}

impl Resnet {
    pub fn parts(&self, name: &str, shape: NetworkShape) -> Vec<Part> {
        let [height, width] = shape.size;
        let positions = height * width;
        let part = |inner: &str, kind| Part { name: format!("{name}.{inner}"), kind, positions };
        let norm = |inner: &str, channels| self.batch_norm.then(|| part(inner, PartKind::BatchNorm { channels }));
        let convolution = |inner: &str, inputs, outputs, size, bias| {
            part(inner, PartKind::WeightNormConvolution { inputs, outputs, size, bias })
        };
        let hidden = self.width;
        let skip = |inner: &str| self.skip.then(|| convolution(inner, hidden, hidden, 1, true));

        let mut parts: Vec<Part> = norm("input_norm", shape.inputs).into_iter().collect();
        parts.push(convolution("input", 2 * shape.inputs, hidden, 3, true));
        parts.extend(skip("input_skip"));
        for block in 0..self.blocks {
            parts.extend(norm(&format!("blocks.{block}.first_norm"), hidden));
            parts.push(convolution(&format!("blocks.{block}.first"), hidden, hidden, 3, false));
            parts.extend(norm(&format!("blocks.{block}.second_norm"), hidden));
            parts.push(convolution(&format!("blocks.{block}.second"), hidden, hidden, 3, true));
            parts.extend(skip(&format!("blocks.{block}.skip")));
        }
        if let Some(latent) = self.latent {
            let features = hidden * positions;
            let linear = |inner: &str, inputs, outputs| Part {
                name: format!("{name}.{inner}"),
                kind: PartKind::Linear { inputs, outputs },
                positions: 1,
            };
            parts.push(linear("to_latent", features, latent));
            parts.push(linear("from_latent", latent, features));
        }
        parts.extend(norm("output_norm", hidden));
        parts.push(convolution("output", hidden, shape.outputs, 1, true));
        parts
    }
}
