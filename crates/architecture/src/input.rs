//! The shape of one example.

use std::fmt;

use crate::{Misfit, Place};

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

/// Most dimensions of an example: enough for 2048×2048 colour images, and little enough for every product of sizes here.
const MOST_DIMENSIONS: u128 = 1 << 24;

impl InputShape {
    /// Checks that an example has dimensions, and not too many to model.
    ///
    /// # Errors
    /// The side that is 0, or the number of dimensions that is too large.
    pub fn check(self) -> Result<(), Misfit> {
        let sizes = self.sizes();
        if sizes.contains(&0) {
            return Err(Misfit::new(
                Place::Input,
                format!("data of {self} have no dimensions: every size is at least 1"),
            ));
        }
        let dimensions = sizes.iter().map(|size| u128::from(size.unsigned_abs())).product::<u128>();
        if dimensions > MOST_DIMENSIONS {
            let message = format!("data of {self} have {dimensions} dimensions: at most {MOST_DIMENSIONS} allowed");
            return Err(Misfit::new(Place::Input, message));
        }
        Ok(())
    }

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
