//! The convolutional autoencoders as st-networks (models.md 2.6, `autoencoder` and `autoencoder_old`): sizes on the way
//! down and up again, which come back to the image's own for some widths only.

use super::{NetworkShape, shapes};
use crate::part::{Part, PartKind};

/// The side of every kernel.
const KERNEL: i64 = 4;
/// The side that one step of stride in the newer autoencoder stands for.
const SIDE_PER_STRIDE: i64 = 14;

/// One convolution on the way down, or one transposed convolution on the way up; all kernels are 4x4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Channels that come in; `None` are the network's own inputs.
    pub inputs: Option<i64>,
    /// Channels that go out; `None` are the network's own outputs.
    pub outputs: Option<i64>,
    /// The stride.
    pub stride: i64,
    /// Zero padding on each side.
    pub padding: i64,
    /// Rows and columns added at the end of a transposed convolution's output.
    pub output_padding: i64,
    /// The side of the images that come in.
    pub side: i64,
    /// The side of the images that go out; below 1 where the kernel does not fit.
    pub output_side: i64,
}

/// The convolutions of an autoencoder for images of one width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The way down.
    pub encoder: Vec<Convolution>,
    /// The way up.
    pub decoder: Vec<Convolution>,
}

impl Layout {
    /// `autoencoder`: four layers, two of stride ⌊width / 14⌋; none below a width of 14.
    #[must_use]
    pub fn of(width: i64) -> Option<Self> {
        let stride = width / SIDE_PER_STRIDE;
        if stride < 1 {
            return None;
        }
        let down = [(None, 32, 1), (Some(32), 64, 1), (Some(64), 64, stride), (Some(64), 128, stride)];
        let up = [(128, Some(64), stride), (64, Some(64), stride), (64, Some(32), 1), (32, None, 1)];
        let mut side = width;
        let encoder = down.map(|(inputs, outputs, stride)| down_step(inputs, outputs, stride, 0, &mut side)).to_vec();
        let decoder = up.map(|(inputs, outputs, stride)| up_step(inputs, outputs, [stride, 0, 0], &mut side)).to_vec();
        Some(Self { encoder, decoder })
    }

    /// `autoencoder_old`: three padded layers.
    #[must_use]
    pub fn old(width: i64) -> Self {
        let mut side = width;
        let encoder = vec![
            down_step(None, 32, 1, 2, &mut side),
            down_step(Some(32), 32, 2, 1, &mut side),
            down_step(Some(32), 64, 2, 1, &mut side),
        ];
        let decoder = vec![
            up_step(64, Some(32), [2, 1, 0], &mut side),
            up_step(32, Some(32), [2, 1, 1], &mut side),
            up_step(32, None, [1, 2, 0], &mut side),
        ];
        Self { encoder, decoder }
    }

    /// Channels and side of the images between encoder and decoder.
    #[must_use]
    pub fn middle(&self) -> (i64, i64) {
        let last = self.encoder.last().expect("an encoder has layers");
        (last.outputs.expect("an encoder's last layer has a fixed width"), last.output_side)
    }
}

fn down_step(inputs: Option<i64>, outputs: i64, stride: i64, padding: i64, side: &mut i64) -> Convolution {
    let reach = *side + 2 * padding - KERNEL;
    let output_side = if reach < 0 { 0 } else { reach / stride + 1 };
    let step =
        Convolution { inputs, outputs: Some(outputs), stride, padding, output_padding: 0, side: *side, output_side };
    *side = output_side;
    step
}

fn up_step(
    inputs: i64,
    outputs: Option<i64>,
    [stride, padding, output_padding]: [i64; 3],
    side: &mut i64,
) -> Convolution {
    let output_side = (*side - 1) * stride - 2 * padding + KERNEL + output_padding;
    let step = Convolution { inputs: Some(inputs), outputs, stride, padding, output_padding, side: *side, output_side };
    *side = output_side;
    step
}

/// Checks that the images come back at the size that they had.
pub(super) fn check(name: &str, layout: Option<Layout>, shape: NetworkShape) -> Result<(), String> {
    shapes::square(shape.size)?;
    let side = shape.size[1];
    let Some(layout) = layout else {
        return Err(format!(
            "{name} needs images of at least 14×14, and those of one coupling layer are {side}×{side}: use fewer scales, or resnet-autoencoder"
        ));
    };
    if layout.encoder.iter().any(|step| step.output_side < 1) {
        return Err(format!("{name} does not fit images of {side}×{side}: they shrink to nothing; use fewer scales"));
    }
    let back = layout.decoder.last().map_or(0, |step| step.output_side);
    if back != side {
        return Err(format!(
            "{name} does not fit images of {side}×{side}: they come back as {back}×{back}; use fewer scales, or resnet-autoencoder"
        ));
    }
    Ok(())
}

pub(super) fn parts(name: &str, layout: &Layout, shape: NetworkShape, latent: i64) -> Vec<Part> {
    let (channels, side) = layout.middle();
    let features = channels * side * side;
    let linear = |inner: &str, inputs, outputs| Part {
        name: format!("{name}.{inner}"),
        kind: PartKind::Linear { inputs, outputs },
        positions: 1,
    };
    let mut parts = Vec::new();
    for (index, step) in layout.encoder.iter().enumerate() {
        let inputs = step.inputs.unwrap_or(shape.inputs);
        let outputs = step.outputs.unwrap_or(shape.outputs);
        let kind = PartKind::Convolution { inputs, outputs, size: KERNEL };
        parts.push(Part { name: format!("{name}.encoder.{index}"), kind, positions: step.output_side.pow(2) });
    }
    parts.push(linear("to_latent", features, latent));
    parts.push(linear("from_latent", latent, features));
    for (index, step) in layout.decoder.iter().enumerate() {
        let inputs = step.inputs.unwrap_or(shape.inputs);
        let outputs = step.outputs.unwrap_or(shape.outputs);
        let kind = PartKind::TransposedConvolution { inputs, outputs, size: KERNEL };
        parts.push(Part { name: format!("{name}.decoder.{index}"), kind, positions: step.side.pow(2) });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(steps: &[Convolution]) -> Vec<i64> {
        steps.iter().map(|step| step.output_side).collect()
    }

    #[test]
    fn sizes_are_those_of_the_reference() {
        let new = |width| Layout::of(width).map(|layout| (sides(&layout.encoder), sides(&layout.decoder)));

        assert_eq!(new(28), Some((vec![25, 22, 10, 4], vec![10, 22, 25, 28])));
        assert_eq!(new(14), Some((vec![11, 8, 5, 2], vec![5, 8, 11, 14])));
        assert_eq!(new(32), Some((vec![29, 26, 12, 5], vec![12, 26, 29, 32])));
        assert_eq!(new(16), Some((vec![13, 10, 7, 4], vec![7, 10, 13, 16])));
        assert_eq!(new(8), None);
        assert_eq!(sides(&Layout::old(28).encoder), [29, 14, 7]);
        assert_eq!(sides(&Layout::old(14).decoder), [6, 13, 12]);
    }

    #[test]
    fn images_that_do_not_come_back_are_refused_with_both_sizes() {
        let shape = |side| NetworkShape { inputs: 1, outputs: 2, size: [side, side], half_is_zero: false };

        let old = check("autoencoder-old", Some(Layout::old(14)), shape(14)).unwrap_err();
        assert!(old.contains("14×14") && old.contains("12×12"), "{old}");
        let new = check("autoencoder", Layout::of(8), shape(8)).unwrap_err();
        assert!(new.contains("at least 14×14") && new.contains("8×8"), "{new}");
        assert_eq!(check("autoencoder-old", Some(Layout::old(32)), shape(32)), Ok(()));
    }
}
