//! Images: which datasets exist, where their files are, what their bytes mean, and in which order training sees them.
//!
//! Plain Rust over bytes: no tensors, no network and no global state. Everything random is drawn from a counter-based
//! generator, so any batch can be produced alone and a resumed run needs no generator state.

mod batches;
mod catalogue;
mod idx;
mod images;
mod load;
mod location;
mod randomness;
mod synthetic;
mod verify;

pub use batches::evaluation::{EvaluationBatch, EvaluationBatches, EvaluationPlan, PickedImages};
pub use batches::order::epoch_order;
pub use batches::plan::{Batch, BatchError, TrainingPlan};
pub use batches::training::TrainingBatches;
pub use catalogue::{Catalogue, DataFile, Entry, Source, UnknownDataset};
pub use idx::{IdxError, IdxHeader, decode};
pub use images::{Images, Split};
pub use load::{LoadError, load};
pub use location::{DATA_DIRECTORY_VARIABLE, DataDirectory, MissingFile};
pub use synthetic::Procedure;
pub use verify::{FileOutcome, FileReport, verify};
