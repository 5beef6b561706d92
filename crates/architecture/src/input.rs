//! The shape of one example.

use std::fmt;

/// What a flow models: images, or vectors of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputShape {
    /// Images `[channels, height, width]` of 256 grey levels, dequantised by the flow.
    Image {
        /// Colour channels.
        channels: u32,
        /// Rows.
        height: u32,
        /// Columns.
        width: u32,
    },
    /// Continuous vectors `[features]`, taken as they are.
    Vector {
        /// Numbers of one example.
        features: u32,
    },
}

impl InputShape {
    /// The number of dimensions of an example and of its latent.
    #[must_use]
    pub fn dimensions(self) -> i64 {
        self.sizes().iter().product()
    }

    /// The sizes as tensor libraries count: `[c, h, w]` or `[d]`.
    #[must_use]
    pub fn sizes(self) -> Vec<i64> {
        match self {
            Self::Image { channels, height, width } => vec![channels.into(), height.into(), width.into()],
            Self::Vector { features } => vec![features.into()],
        }
    }
}

impl fmt::Display for InputShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { channels, height, width } => write!(formatter, "{channels}×{height}×{width}"),
            Self::Vector { features } => write!(formatter, "{features} features"),
        }
    }
}
