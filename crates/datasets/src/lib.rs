//! Images and vectors: which datasets exist, where their files are, what their bytes mean, and in which order training
//! sees them.
//!
//! Plain Rust over bytes and numbers: no tensors, no network and no global state. Everything random is drawn from a
//! counter-based generator, so any batch can be produced alone and a resumed run needs no generator state.

mod arrays;
mod batches;
mod catalogue;
mod dataset;
mod digest;
mod error;
mod examples;
mod idx;
mod idx_files;
mod load;
mod location;
mod own;
mod picture_format;
mod published;
mod randomness;
mod scaling;
mod summary;
mod synthetic;
mod tables;
mod transform;
mod verify;

pub use arrays::{ArrayError, read_numbers};
pub use batches::evaluation::{EvaluationBatch, EvaluationBatches, EvaluationPlan, PickedExamples};
pub use batches::order::epoch_order;
pub use batches::plan::{Batch, BatchError, TrainingPlan};
pub use batches::training::TrainingBatches;
pub use catalogue::{
    Catalogue, CelebaPreset, Checksum, CifarVersion, Coverage, DataFile, Digest, Download, EmnistPart, Entry, Format,
    PictureLayout, Source, SplitSize, UnknownDataset, WantedFile,
};
pub use dataset::{Unstepped, load, scaling_of};
pub use error::LoadError;
pub use examples::{Examples, Shape, Split, Values};
pub use idx::{IdxError, IdxHeader};
pub use load::load_entry;
pub use location::{DATA_DIRECTORY_VARIABLE, DataDirectory, MissingFile};
pub use own::{OwnContents, OwnError, OwnPart, own_contents};
pub use published::PublishedError;
pub use scaling::Scaling;
pub use summary::{ChannelSummary, Summary};
pub use synthetic::{Procedure, VectorProcedure};
pub use tables::TableError;
pub use transform::{Resizer, resize};
pub use verify::{FileOutcome, FileReport, verify};
