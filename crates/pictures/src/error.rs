//! Why nothing can be drawn.

use crate::style::MAX_SERIES;

/// Why a picture cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// There is nothing to show.
    #[error("there is nothing to draw: {0}")]
    Empty(&'static str),
    /// One side of a comparison has no values.
    #[error("`{side}` has no values, and a picture of the others alone would mislead")]
    EmptySide {
        /// Its label.
        side: String,
    },
    /// One side has values, but none of them is a number.
    #[error("none of the {values} values of `{side}` is finite")]
    NothingFinite {
        /// Its label.
        side: String,
        /// How many it has.
        values: usize,
    },
    /// A coordinate that must be a number is none.
    #[error("`{series}` has a point that is not finite")]
    NotFinite {
        /// The label of what it belongs to.
        series: String,
    },
    /// More lines than eyes can tell apart.
    #[error("{found} series in one picture: at most {MAX_SERIES} can be told apart; choose some of them")]
    TooMany {
        /// How many were given.
        found: usize,
    },
    /// The picture could not be turned into pixels.
    #[error("the picture cannot be drawn as pixels: {0}")]
    Pixels(String),
}
