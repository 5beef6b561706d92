//! The catalogue: every dataset Spillway knows, with its shape, sizes, licence, files and checksums.
//!
//! It never holds data: only descriptors, so that users fetch the files from their publisher.

mod entries;
mod entry;
mod source;
mod wanted;

pub use entry::{Catalogue, Entry, UnknownDataset};
pub use source::{DataFile, Source, SplitSize};
pub use wanted::WantedFile;
pub(crate) use wanted::{hepmass, miniboone};
