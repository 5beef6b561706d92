//! The catalogue: every dataset Spillway knows, with its shape, sizes, licence, files and checksums.
//!
//! It never holds data: only descriptors, so that users fetch the files from their publisher.

mod downloads;
mod entries;
mod entry;
mod format;
mod mnist_downloads;
mod mnist_layout;
mod source;
mod wanted;

pub use downloads::Download;
pub use entry::{Catalogue, Entry, UnknownDataset};
pub use format::{CelebaPreset, CifarVersion, EmnistPart, Format, PictureLayout};
pub use source::{Checksum, Coverage, DataFile, Digest, Source, SplitSize};
pub use wanted::WantedFile;
pub(crate) use wanted::{archive, celeba_partition, emnist, hepmass, imagenet_archives, imagenet_batches, miniboone};
