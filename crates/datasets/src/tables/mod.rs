//! The tables of the UCI repository as their publishers give them: text, read line by line.
//!
//! A row is passed on and forgotten, and a line has a largest length; MINIBOONE alone, which is small, keeps a class.

mod error;
pub mod hepmass;
mod legacy_permutation;
mod lines;
pub mod miniboone;
mod moments;

pub use error::TableError;
pub use lines::{Line, Lines, open};
pub use moments::Moments;
