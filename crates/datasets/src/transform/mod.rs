//! What is done to the images of a dataset, one step after another.
//!
//! Steps work on one image at a time, planar `[c, h, w]`, whatever its source: a whole dataset is never held in two sizes.

mod apply;
mod colour;
mod geometry;
mod mutate;
mod pipeline;
mod resize;

pub(crate) use apply::{apply, of_classes};
pub(crate) use colour::luma;
pub(crate) use pipeline::Pipeline;
pub use resize::{Resizer, resize};
