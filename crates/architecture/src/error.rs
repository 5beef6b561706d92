//! Why a description is no flow, in words for the person who wrote it.

use std::fmt;

use crate::InputShape;

/// Which field of a recipe is at fault, so that a document's error can name its own field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The shape of the data.
    Input,
    /// The number of scales.
    Scales,
    /// The number of coupling layers, or of steps per scale.
    Couplings,
    /// The mask, or the place of one in a sequence.
    Mask(Option<usize>),
    /// The st-network.
    StNetwork,
    /// The map of the coupling layers.
    Transform,
    /// The 1x1 convolution.
    Convolution,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input => formatter.write_str("input"),
            Self::Scales => formatter.write_str("scales"),
            Self::Couplings => formatter.write_str("couplings"),
            Self::Mask(None) => formatter.write_str("mask"),
            Self::Mask(Some(index)) => write!(formatter, "mask[{index}]"),
            Self::StNetwork => formatter.write_str("st_network"),
            Self::Transform => formatter.write_str("transform"),
            Self::Convolution => formatter.write_str("convolution"),
        }
    }
}

/// A description that does not fit together or does not fit its data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Misfit {
    /// The field at fault.
    pub place: Place,
    /// What does not fit, with the shapes, and what would.
    pub message: String,
}

impl Misfit {
    /// A misfit with its words.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }

    /// Images were needed and vectors came.
    #[must_use]
    pub fn needs_images(input: InputShape) -> Self {
        Self::new(Place::Input, format!("the data are vectors of {input}, and this model takes images: use tabular"))
    }

    /// Vectors were needed and images came.
    #[must_use]
    pub fn needs_vectors(input: InputShape) -> Self {
        let message = format!("the data are {input} images, and tabular models take vectors: use realnvp or glow");
        Self::new(Place::Input, message)
    }
}
