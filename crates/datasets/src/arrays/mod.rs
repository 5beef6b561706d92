//! Arrays in files: `.npy`, `.npz` and `.safetensors`, read as a stream into the memory that keeps them.
//!
//! It never trusts a header: what a file states is compared with its size before anything is allocated.

mod container;
mod element;
mod error;
mod header;
mod labels;
mod npy;
mod read;
mod vector;

pub use container::with_array;
pub use element::Element;
pub use error::ArrayError;
pub use labels::{integers, read_labels};
pub use npy::read_header;
pub use read::{read_bytes, read_images, read_rows};
pub use vector::read_numbers;
