//! What is done to the images of a dataset, one step after another.

mod resize;

pub use resize::{Resizer, resize};
