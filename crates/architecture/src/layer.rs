//! One layer of a flow as data, and how it changes the shape of what passes.

use crate::coupling::Coupling;
use crate::part::{Part, PartKind};
use crate::{Misfit, Place, SplitPrior};

/// A layer with its name and the shape that it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The unique name, the beginning of its tensors' names.
    pub name: String,
    /// What it is.
    pub kind: LayerKind,
    /// The sizes of its input: `[c, h, w]` or `[d]`.
    pub input: Vec<i64>,
}

/// The kinds of layers.
#[derive(Clone, Debug, PartialEq)]
pub enum LayerKind {
    /// A coupling layer.
    Coupling(Coupling),
    /// Activation normalisation (Kingma and Dhariwal 2018, section 3.1).
    ActNorm,
    /// An invertible 1x1 convolution (Kingma and Dhariwal 2018, section 3.2).
    PointwiseConvolution(PointwiseConvolution),
    /// Trades each 2x2 cell of pixels for four channels.
    Squeeze(Squeeze),
    /// Keeps the first channels in flight and sends the others to the latent vector.
    Factor {
        /// Channels kept.
        keep: i64,
        /// What the others are normalised by first.
        prior: SplitPrior,
    },
}

/// How the matrix of an invertible 1x1 convolution is parametrised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointwiseConvolution {
    /// All its entries (the reference).
    Full,
    /// P L (U + diag(s)) with log |s| learned (Kingma and Dhariwal 2018, equations 10 and 11).
    Lu,
    /// A product of Householder reflections, which preserves volume (Tomczak and Welling 2016; Hoogeboom, van den Berg
    /// and Welling 2019, section 3.3).
    Householder {
        /// Number of reflections; as many as there are channels reach every rotation.
        reflections: Option<u32>,
    },
}

/// How a squeeze arranges the four values of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Squeeze {
    /// As they are (Dinh, Sohl-Dickstein and Bengio 2017, section 3.6; order of models.md 2.1).
    Pixels,
    /// As the orthonormal Haar wavelet's average and three differences (Ardizzone, Lüth, Kruse, Rother and Köthe 2019,
    /// section 3.2).
    Haar,
}

impl Layer {
    /// The sizes of the output.
    #[must_use]
    pub fn output(&self) -> Vec<i64> {
        match (&self.kind, self.input.as_slice()) {
            (LayerKind::Squeeze(_), &[c, h, w]) => vec![4 * c, h / 2, w / 2],
            (LayerKind::Factor { keep, .. }, &[_, h, w]) => vec![*keep, h, w],
            (_, input) => input.to_vec(),
        }
    }

    /// Checks that the layer fits its input.
    ///
    /// # Errors
    /// What does not fit, with the shapes.
    pub fn check(&self) -> Result<(), Misfit> {
        match (&self.kind, self.input.as_slice()) {
            (LayerKind::Coupling(coupling), input) => coupling.check(input),
            (
                LayerKind::PointwiseConvolution(PointwiseConvolution::Householder { reflections: Some(count) }),
                &[c, ..],
            ) if *count < 1 || i64::from(*count) > 16 * c => {
                let message = format!("{count} reflections of {c} channels: use 1 to {}", 16 * c);
                Err(Misfit::new(Place::Convolution, message))
            }
            (LayerKind::Squeeze(_), &[_, h, w]) if h % 2 != 0 || w % 2 != 0 => {
                Err(Misfit::new(Place::Scales, format!("images of {h}×{w} pixels cannot be halved: use fewer scales")))
            }
            _ => Ok(()),
        }
    }

    /// The layer's parts.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let channels = self.input[0];
        let positions = self.input[1..].iter().product();
        let part = |kind| vec![Part { name: self.name.clone(), kind, positions }];
        match &self.kind {
            LayerKind::Coupling(coupling) => coupling.parts(&self.name, &self.input),
            LayerKind::ActNorm => part(PartKind::ActNorm { channels }),
            LayerKind::PointwiseConvolution(convolution) => part(match convolution {
                PointwiseConvolution::Full => PartKind::ChannelMatrix { channels },
                PointwiseConvolution::Lu => PartKind::ChannelLu { channels },
                PointwiseConvolution::Householder { reflections } => {
                    PartKind::ChannelReflections { channels, reflections: reflections.map_or(channels, i64::from) }
                }
            }),
            LayerKind::Factor { keep, prior: SplitPrior::Learned } => {
                part(PartKind::Convolution { inputs: *keep, outputs: 2 * (channels - keep), size: 3 })
            }
            LayerKind::Squeeze(_) | LayerKind::Factor { prior: SplitPrior::Standard, .. } => Vec::new(),
        }
    }
}
